"""Alerts and their rules over the API."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from backend.people.models import Patient
from outcomes.models import Alert, ClinicRule
from tests.backend.dashboard import builders
from tests.factories import a_clinician, a_patient, a_team, an_admin
from tests.signin import browser

pytestmark = pytest.mark.django_db


@pytest.fixture
def patient() -> Patient:
    return a_patient()


@pytest.fixture
def client(patient: Patient) -> Client:
    return browser(a_clinician(patient.care_team))


def act(client: Client, alert: Alert, kind: str, note: str = "") -> Any:
    return client.post(f"/api/v1/alerts/{alert.pk}/events", {"kind": kind, "note": note}, "application/json")


def test_an_alert_is_taken_through_its_states(client: Client, patient: Patient) -> None:
    alert = builders.alert(patient)
    for kind, note in [("acknowledged", ""), ("no-answer", ""), ("contacted", ""), ("resolved", "Went to hospital.")]:
        answer = act(client, alert, kind, note)
        assert answer.status_code == 200, answer.content
    assert answer.json()["state"] == "resolved"
    assert answer.json()["steps"] == []
    read = client.get(f"/api/v1/alerts/{alert.pk}").json()
    by_whom = int(client.session["_auth_user_id"])
    assert [(event["kind"], event["by"]) for event in read["events"]] == [
        ("raised", None),
        ("acknowledged", by_whom),
        ("no-answer", by_whom),
        ("contacted", by_whom),
        ("resolved", by_whom),
    ]


@pytest.mark.parametrize(
    ("kind", "severity", "status", "field", "code"),
    [
        ("resolved", 3, 400, "note", "note-missing"),
        ("resolved", 4, 409, "kind", "contact-first"),
        ("forgotten", 3, 400, "kind", "invalid_choice"),
    ],
)
def test_a_step_that_can_not_be_taken_says_why(
    client: Client, patient: Patient, kind: str, severity: int, status: int, field: str, code: str
) -> None:
    alert = builders.alert(patient)
    Alert.objects.update(severity=severity)
    answer = act(client, alert, kind)
    assert answer.status_code == status
    assert answer["Content-Type"] == "application/problem+json"
    assert [(error["field"], error["code"]) for error in answer.json()["errors"]] == [(field, code)]


def test_of_two_colleagues_the_second_is_told_that_the_first_was_quicker(client: Client, patient: Patient) -> None:
    alert = builders.alert(patient)
    act(client, alert, "acknowledged")
    answer = act(browser(an_admin(patient.clinic)), alert, "acknowledged")
    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (409, "not-possible")


def test_the_list_holds_what_is_not_closed_page_by_page(client: Client, patient: Patient) -> None:
    waiting = [builders.alert(a_patient(patient.care_team)).pk for _ in range(3)]
    closed = builders.alert(patient)
    Alert.objects.filter(pk=closed.pk).update(state="resolved")
    builders.alert(a_patient(a_team(patient.clinic)))
    first = client.get("/api/v1/alerts?limit=2").json()
    second = client.get(first["next"]).json()
    assert [each["id"] for each in first["results"] + second["results"]] == waiting[::-1]
    assert second["next"] is None
    assert [each["id"] for each in client.get("/api/v1/alerts?state=resolved").json()["results"]] == [closed.pk]
    assert client.get(f"/api/v1/alerts?patient={patient.pk}").json()["results"] == []
    assert client.get("/api/v1/alerts?state=lost").json()["errors"][0]["field"] == "state"


def test_an_admin_sets_a_clinics_numbers_within_bounds(client: Client, patient: Patient) -> None:
    admin = browser(an_admin(patient.clinic))
    address = f"/api/v1/clinics/{patient.clinic_id}/alert-rules"

    def put(numbers: object, rule: str = "DEP-1") -> Any:
        return admin.put(f"{address}/{rule}", {"thresholds": numbers}, "application/json")

    assert put({"at_least": 18}).json()["thresholds"]["at_least"]["value"] == 18
    listed = {each["code"]: each for each in client.get(address).json()["results"]}
    bound = listed["DEP-1"]["thresholds"]["at_least"]
    assert (bound["value"], bound["default"], bound["least"], bound["most"]) == (18, 20, 15, 20)
    refused = put({"at_least": 25, "limits": 1})
    assert refused.status_code == 400
    assert [(error["field"], error["code"]) for error in refused.json()["errors"]] == [
        ("thresholds.at_least", "out_of_range"),
        ("thresholds.limits", "unknown_threshold"),
    ]
    assert ClinicRule.objects.get().thresholds == {"at_least": 18}
    assert put({}, "DEP-9").status_code == 404


def test_a_clinic_says_its_hours_and_what_is_still_missing(patient: Patient) -> None:
    admin = browser(an_admin(patient.clinic))
    address = f"/api/v1/clinics/{patient.clinic_id}/hours"
    assert admin.get(address).json()["missing"] == ["hours", "rota", "fallback"]
    sent = {
        "hours": [{"weekday": 0, "opens": "08:00:00", "closes": "12:00:00"}],
        "holidays": [{"day": "2026-12-25", "name": ""}],
        "fallback_email": "reception@example.org",
    }
    answer = admin.put(address, sent, "application/json")
    assert answer.json() == {**sent, "missing": ["rota"]}
    sent["hours"] = [{"weekday": 0, "opens": "12:00:00", "closes": "08:00:00"}]
    answer = admin.put(address, sent, "application/json")
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (400, "hours.0.closes")
