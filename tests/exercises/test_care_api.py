"""Conditions, clearance, preferences and proposals, as staff and patients reach them."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from django.test import Client

from backend.people.models import Patient
from exercises.models import Condition, Preferences, Prescription
from exercises.reporting import reports
from tests.exercises.programmes import NOW, WALK, a_condition, a_programme, a_proposal, session, store
from tests.factories import a_clinician, a_patient
from tests.signin import a_consent, browser, phone

pytestmark = pytest.mark.django_db


@pytest.fixture
def patient() -> Patient:
    patient = a_patient()
    a_consent(patient)
    return patient


@pytest.fixture
def clinician(patient: Patient) -> Client:
    return browser(a_clinician(patient.care_team))


def send(client: Client, method: str, address: str, body: Any) -> Any:
    return client.generic(method, f"/api/v1/{address}", __import__("json").dumps(body), "application/json")


class TestConditions:
    def test_entered_read_and_ended(self, patient: Patient, clinician: Client) -> None:
        here = f"patients/{patient.pk}/conditions"
        made = send(clinician, "POST", here, {"code": "osteoporosis", "since": "2024-05-01"})
        assert made.status_code == 201
        ended = send(clinician, "POST", f"{here}/{made.json()['id']}/end", {})
        assert ended.json()["ended_on"]
        assert [row["code"] for row in clinician.get(f"/api/v1/{here}").json()["results"]] == ["osteoporosis"]

    def test_a_code_that_is_none_is_refused(self, patient: Patient, clinician: Client) -> None:
        answer = send(clinician, "POST", f"patients/{patient.pk}/conditions", {"code": "bad back"})
        assert (answer.status_code, answer.json()["errors"][0]["code"]) == (422, "unknown_code")

    def test_the_same_twice_is_told(self, patient: Patient, clinician: Client) -> None:
        a_condition(patient)
        answer = send(clinician, "POST", f"patients/{patient.pk}/conditions", {"code": "osteoporosis"})
        assert answer.status_code == 409

    def test_one_that_is_still_to_come_is_refused(self, patient: Patient, clinician: Client) -> None:
        since = {"code": "osteoporosis", "since": str(date.today() + timedelta(days=3))}  # noqa: DTZ011
        (error,) = send(clinician, "POST", f"patients/{patient.pk}/conditions", since).json()["errors"]
        assert (error["field"], error["code"]) == ("since", "in_the_future")

    def test_another_patients_condition_is_not_ended(self, patient: Patient, clinician: Client) -> None:
        other = a_condition(a_patient(patient.care_team))
        assert send(clinician, "POST", f"patients/{patient.pk}/conditions/{other.pk}/end", {}).status_code == 404
        assert Condition.objects.get(pk=other.pk).ended_on is None


class TestClearance:
    BODY = {"screen": "PAR-Q+", "cleared_by": "nurse", "cleared_on": "2024-11-20", "valid_until": "2025-11-20"}

    def test_recorded_and_read(self, patient: Patient, clinician: Client) -> None:
        here = f"patients/{patient.pk}/clearances"
        assert send(clinician, "POST", here, self.BODY).status_code == 201
        assert clinician.get(f"/api/v1/{here}").json()["results"][0]["screen"] == "PAR-Q+"

    def test_one_that_ends_before_it_begins_is_refused(self, patient: Patient, clinician: Client) -> None:
        answer = send(clinician, "POST", f"patients/{patient.pk}/clearances", self.BODY | {"valid_until": "2024-11-19"})
        assert answer.json()["errors"][0]["field"] == "valid_until"


class TestPreferences:
    def test_the_patient_says_and_the_clinician_reads(self, patient: Patient, clinician: Client) -> None:
        said = {"liked": ["qigong"], "disliked": ["hiit"], "equipment": ["mat"]}
        assert send(phone(patient), "PUT", "preferences", said).status_code == 200
        assert clinician.get(f"/api/v1/patients/{patient.pk}/preferences").json() == said
        assert Preferences.objects.get().rev == 1

    @pytest.mark.parametrize(
        ("body", "field", "code"),
        [
            ({"liked": ["zumba"]}, "liked.0", "unknown_code"),
            ({"equipment": ["mat", "trapeze"]}, "equipment.1", "unknown_code"),
            ({"liked": ["yoga"], "disliked": ["yoga"]}, "disliked", "contradiction"),
        ],
    )
    def test_what_makes_no_sense_is_refused(self, patient: Patient, body: Any, field: str, code: str) -> None:
        (error,) = send(phone(patient), "PUT", "preferences", body).json()["errors"]
        assert (error["field"], error["code"]) == (field, code)

    def test_without_consent_nothing_is_taken_in_but_may_be_read(self) -> None:
        withdrawn = phone(a_patient())
        assert send(withdrawn, "PUT", "preferences", {"liked": ["yoga"]}).status_code == 403
        assert withdrawn.get("/api/v1/preferences").json()["liked"] == []


class TestProposals:
    @pytest.mark.parametrize(("accept", "state", "version"), [(True, "accepted", 2), (False, "declined", 1)])
    def test_a_yes_changes_the_programme_and_a_no_does_not(
        self, patient: Patient, clinician: Client, accept: bool, state: str, version: int
    ) -> None:
        row = a_proposal(patient)
        here = f"patients/{patient.pk}/proposals"
        answer = send(clinician, "POST", f"{here}/{row.pk}/decide", {"accept": accept, "reason": "seen today"})
        assert (answer.status_code, answer.json()["state"]) == (200, state), answer.content
        assert Prescription.objects.get(ends_on=None).version == version
        again = send(clinician, "POST", f"{here}/{row.pk}/decide", {"accept": True})
        assert (again.status_code, again.json()["errors"][0]["code"]) == (422, "not_waiting")
        assert [each["state"] for each in clinician.get(f"/api/v1/{here}").json()["results"]] == [state]

    def test_a_step_up_that_the_gate_blocks_meanwhile_is_not_taken(self, patient: Patient, clinician: Client) -> None:
        row = a_proposal(patient)
        from tests.exercises.test_prescribing import a_flag

        a_flag(patient, "CES-1")
        answer = send(clinician, "POST", f"patients/{patient.pk}/proposals/{row.pk}/decide", {"accept": True})
        assert answer.json()["errors"][0]["code"] == "blocked"
        row.refresh_from_db()
        assert row.state == "waiting"


def test_adherence_is_told_by_day_week_modality_and_as_a_whole(patient: Patient, clinician: Client) -> None:
    programme = a_programme(patient)
    store(patient, session(programme, exercises=[{"exercise": "cat-cow"}]))
    (report,) = clinician.get(f"/api/v1/patients/{patient.pk}/adherence").json()["results"]
    assert report["days"][0] == {"day": f"{NOW:%Y-%m-%d}", "state": "partly-done", "share": 0.5}
    assert report["by_modality"] == {"aerobic": 0.0, "yoga": 1.0}
    assert report["weeks"][0]["load"] == 30
    assert report["due"] >= report["done"] == 1


def test_who_shows_the_newest_programme_reads_that_alone(patient: Patient, django_assert_num_queries: Any) -> None:
    old = a_programme(patient, WALK, now=NOW - timedelta(days=30))
    new = a_programme(patient)
    store(patient, session(old, exercises=[{"exercise": "baseline-walk"}]), session(new, note="my words"))
    both = reports(patient.pk, NOW.date())
    assert [each.programme for each in both] == [new.programme, old.programme]
    with django_assert_num_queries(3):
        assert reports(patient.pk, NOW.date(), newest=1) == both[:1]
