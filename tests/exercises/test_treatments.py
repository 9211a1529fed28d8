"""Other treatments: one validated structure a kind, marks on trends, and no claim of cause."""

from __future__ import annotations

import json
from datetime import date, timedelta
from typing import Any

import msgspec
import pytest
from django.test import Client
from django.utils import timezone

from backend.people.models import Patient
from exercises.models import Pause, Proposal
from exercises.treatment_api import EXAMPLE, EXAMPLE_GIVEN
from exercises.treatments import NOT_WHY, PARAMETERS, Given, Parameters, Tdcs, before_and_after
from outcomes.loading import measure_ids
from outcomes.models import Alert, Score
from tests.exercises.programmes import BIRD_DOG, NOW, a_condition, a_course, a_programme
from tests.factories import a_clinician, a_patient
from tests.signin import browser

DAY = date(2026, 11, 4)
TDCS = {
    "kind": "tDCS",
    "milliampere": 2,
    "minutes": 20,
    "anode": "C3",
    "anode_cm2": 35,
    "cathode": "Fp2",
    "cathode_cm2": 35,
}


def test_current_density_follows_from_current_and_size() -> None:
    parameters = msgspec.convert(TDCS, Parameters)
    assert isinstance(parameters, Tdcs)
    assert parameters.density == pytest.approx(0.0571, abs=1e-4)


@pytest.mark.parametrize(
    "wrong",
    [
        {"milliampere": 20},
        {"milliampere": 0},
        {"minutes": 600},
        {"kind": "ECT"},
        {"volts": 9},
    ],
)
def test_what_is_no_such_treatment_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(TDCS | wrong, Parameters)


MAGNETIC = {"intensity_percent": 80, "of": "AMT", "pulses": 600, "trains": 20, "train_seconds": 2, "minutes": 4}
BURSTS = MAGNETIC | {"kind": "theta-burst", "frequency_hz": 50, "pulses_in_burst": 3, "burst_frequency_hz": 5}
SMALL = {"milliampere": 2, "minutes": 20, "centre": "Fpz", "returns": "AF3 AF4 F3 Fz F4", "electrode_cm2": 3.14}
HD = SMALL | {"kind": "HD-tDCS", "polarity": "anodal"}
TACS = {"kind": "tACS", "milliampere": 1, "frequency_hz": 10, "minutes": 20, "sites": "C3, C4"}
SESSIONS = {
    "rTMS": MAGNETIC | {"kind": "rTMS", "frequency_hz": 10},
    "iTBS": BURSTS,
    "cTBS": BURSTS,
    "tDCS": TDCS,
    "HD-tDCS": HD,
    "tACS": TACS,
}


@pytest.mark.parametrize("modality", SESSIONS)
def test_each_modality_has_its_own_structure_and_lets_nothing_of_it_out(modality: str) -> None:
    sent = SESSIONS[modality]
    assert isinstance(msgspec.convert(sent, Parameters), PARAMETERS[modality])
    needed = {field.name for field in msgspec.structs.fields(PARAMETERS[modality]) if field.required}
    assert needed == sent.keys() - {"kind"}
    for name in needed:
        with pytest.raises(msgspec.ValidationError, match=name):
            msgspec.convert({key: value for key, value in sent.items() if key != name}, Parameters)


def test_pain_of_a_session_is_0_to_10() -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(EXAMPLE_GIVEN | {"pain_before": 11}, Given)


class TestBeforeAndAfter:
    FALLING = [(DAY + timedelta(days=n), 6.0 - n / 7) for n in range(-28, 29)]

    def test_slopes_are_side_by_side_and_say_not_why(self) -> None:
        kink = [(at, 6.0 if at < DAY else value) for at, value in self.FALLING]
        found = before_and_after("nrs-pain.total", DAY, kink)
        assert (found.before.per_week, found.after.per_week) == (0, -1)
        assert found.note == NOT_WHY

    def test_too_few_values_are_no_slope(self) -> None:
        found = before_and_after("nrs-pain.total", DAY, self.FALLING[26:])
        assert (found.before.n, found.before.per_week) == (2, None)
        four = before_and_after("nrs-pain.total", DAY, self.FALLING[28:32])
        assert four.after.per_week is None

    def test_only_twelve_weeks_on_either_side_count(self) -> None:
        old = [(DAY - timedelta(days=85), 99.0)]
        found = before_and_after("nrs-pain.total", DAY, old + self.FALLING)
        assert found.before.n == 28


@pytest.mark.django_db
class TestOverTheApi:
    @pytest.fixture
    def patient(self) -> Patient:
        return a_patient()

    @pytest.fixture
    def client(self, patient: Patient) -> Client:
        return browser(a_clinician(patient.care_team))

    def post(self, client: Client, address: str, body: Any) -> Any:
        return client.post(f"/api/v1/patients/{address}", json.dumps(body), content_type="application/json")

    @pytest.mark.parametrize(
        "details",
        [
            EXAMPLE["details"],
            {"kind": "pain-neuroscience-education", "topic": "what pain is"},
            {"kind": "cbt", "session_number": 3},
            {"kind": "manual-therapy", "technique": "mobilisation", "region": "lumbar"},
            {"kind": "motor-imagery", "stage": "laterality", "minutes": 10, "accuracy_percent": 82},
            {"kind": "injection", "substance": "steroid", "site": "L5 root"},
            {"kind": "drug-change", "drug": "an opioid", "group": "opioid", "change": "lowered"},
            {"kind": "surgery", "procedure": "microdiscectomy"},
            {"kind": "work-status", "status": "sick-leave", "percent": 50},
            {"kind": "life-event", "what": "moved house"},
        ],
        ids=lambda details: details["kind"],
    )
    def test_each_kind_is_a_band_or_a_mark(self, patient: Patient, client: Client, details: Any) -> None:
        made = self.post(client, f"{patient.pk}/treatments", {"starts_on": "2026-11-02", "details": details})
        assert made.status_code == 201, made.content
        (listed,) = client.get(f"/api/v1/patients/{patient.pk}/treatments").json()["results"]
        assert (listed["kind"], listed["ends_on"], listed["given"]) == (details["kind"], None, 0)

    def test_it_ends_after_it_began(self, patient: Patient, client: Client) -> None:
        here = f"{patient.pk}/treatments/{a_course(patient).pk}/end"
        assert self.post(client, here, {"ends_on": "2026-11-01"}).status_code == 422
        assert self.post(client, here, {"ends_on": "2026-11-20"}).json()["ends_on"] == "2026-11-20"

    def test_a_day_that_is_nowhere_near_is_refused(self, patient: Patient, client: Client) -> None:
        for field in ("starts_on", "ends_on"):
            sent = {"starts_on": "2026-11-02", "details": EXAMPLE["details"], field: "9999-12-31"}
            answer = self.post(client, f"{patient.pk}/treatments", sent)
            assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, field)

    def test_a_session_of_the_course_is_kept_with_its_parameters(self, patient: Patient, client: Client) -> None:
        here = f"{patient.pk}/treatments/{a_course(patient).pk}/sessions"
        assert self.post(client, here, EXAMPLE_GIVEN | {"day": "2026-11-05"}).status_code == 201
        (given,) = client.get(f"/api/v1/patients/{here}").json()["results"]
        assert given["given"]["parameters"]["pulses"] == 2000

    @pytest.mark.parametrize(
        ("body", "field", "code"),
        [
            ({"parameters": TDCS}, "parameters.kind", "other_modality"),
            ({"day": "2026-11-01"}, "day", "before_start"),
            ({"day": "2126-11-01"}, "day", "in_the_future"),
            ({"starts_at": "10:00:00", "ends_at": "09:40:00"}, "ends_at", "before_start"),
            ({"completed": False}, "aborted_because", "required"),
        ],
    )
    def test_a_session_that_does_not_fit_the_course_is_refused(
        self, patient: Patient, client: Client, body: Any, field: str, code: str
    ) -> None:
        sent = EXAMPLE_GIVEN | {"day": "2026-11-05"} | body
        (error,) = self.post(client, f"{patient.pk}/treatments/{a_course(patient).pk}/sessions", sent).json()["errors"]
        assert (error["field"], error["code"]) == (field, code)

    def test_the_current_density_is_told_with_the_session(self, patient: Patient, client: Client) -> None:
        course = a_course(patient)
        course.details |= {"modality": "tDCS"}
        course.save()
        sent = EXAMPLE_GIVEN | {"day": "2026-11-05", "starts_at": "09:40:00", "parameters": TDCS}
        answer = self.post(client, f"{patient.pk}/treatments/{course.pk}/sessions", sent)
        assert (answer.status_code, answer.json()["density"]) == (201, 0.0571)

    def test_a_seizure_raises_an_alarm_and_a_headache_none(self, patient: Patient, client: Client) -> None:
        here = f"{patient.pk}/treatments/{a_course(patient).pk}/sessions"
        for kind, raised in (("headache", 0), ("seizure", 1)):
            sent = EXAMPLE_GIVEN | {"day": "2026-11-05", "events": [{"kind": kind, "severity": 2}]}
            assert self.post(client, here, sent).status_code == 201
            assert Alert.objects.filter(rule="AE-1").count() == raised

    def test_a_seizure_rests_the_programme_at_once(self, patient: Patient, client: Client) -> None:
        a_programme(patient, BIRD_DOG, now=timezone.now() - timedelta(days=14))
        sent = EXAMPLE_GIVEN | {"day": "2026-11-05", "events": [{"kind": "seizure", "severity": 3}]}
        assert self.post(client, f"{patient.pk}/treatments/{a_course(patient).pk}/sessions", sent).status_code == 201
        assert Proposal.objects.get().action == "stop"
        assert Pause.objects.get().to_day is None

    def test_slopes_of_a_measure_around_its_beginning(self, patient: Patient, client: Client) -> None:
        course = a_course(patient)
        for n in range(20):
            Score.objects.create(
                patient=patient,
                clinic=patient.clinic,
                measure_id=measure_ids()["nrs-pain.total"],
                local_day=DAY + timedelta(days=n),
                source=course.pk,
                value=6 - n / 7,
                at=NOW,
            )
        found = client.get(f"/api/v1/patients/{patient.pk}/treatments/{course.pk}/slopes?measure=nrs-pain.total").json()
        assert (found["before"]["n"], found["after"]["per_week"]) == (0, -1)
        wrong = client.get(f"/api/v1/patients/{patient.pk}/treatments/{course.pk}/slopes?measure=mood-ring")
        assert wrong.json()["errors"][0]["code"] == "unknown_measure"

    def test_suggestions_rest_on_what_stands_in_the_record(self, patient: Patient, client: Client) -> None:
        patient.date_of_birth = date(1950, 1, 1)
        patient.save()
        a_condition(patient, "osteoporosis")
        found = client.get(f"/api/v1/patients/{patient.pk}/suggestions").json()
        assert found["templates"][0]["code"] == "older-or-frail"
        assert found["templates"][0]["reasons"][0]["basis"][0]["name"] == "age"

    def test_templates_can_be_read_and_prescribed(self, patient: Patient, client: Client) -> None:
        template = client.get("/api/v1/exercise-templates/yoga").json()
        made = self.post(client, f"{patient.pk}/prescriptions", {"plan": template["plan"], "template": "yoga"})
        assert made.status_code == 201, made.content
        assert client.get("/api/v1/exercise-templates/zumba").status_code == 404
        assert len(client.get("/api/v1/exercise-templates").json()["results"]) == 11
