"""A new baseline over the API: with a reason, beside those before it, for those who look after the patient."""

from datetime import date, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from backend.people.models import Audit, Patient
from outcomes.models import Baseline
from tests.backend.dashboard import builders
from tests.factories import a_clinician, a_patient
from tests.signin import browser

pytestmark = pytest.mark.django_db

TODAY = date(2026, 11, 22)
MEASURE = "daily-diary.pain-average"
WEEK = {
    "measure": MEASURE,
    "from_day": str(TODAY - timedelta(days=6)),
    "to_day": str(TODAY),
    "reason": "Starts anew after the injection.",
}


@pytest.fixture
def patient() -> Patient:
    one = a_patient()
    builders.scores(one, MEASURE, [5.0] * 10, last=TODAY)
    builders.trend(one, MEASURE, last_day=TODAY)
    return one


@pytest.fixture
def staff(patient: Patient) -> Client:
    return browser(a_clinician(patient.care_team))


def send(staff: Client, patient: Patient, **changes: object) -> Any:
    address = f"/api/v1/patients/{patient.pk}/baselines"
    return staff.post(address, WEEK | changes, content_type="application/json", secure=True)


def test_a_new_baseline_is_versioned_and_says_who_and_why(staff: Client, patient: Patient) -> None:
    for version in (1, 2):
        answer = send(staff, patient)
        assert answer.status_code == 201
        said = answer.json()
        assert (said["version"], said["value"], said["reason"]) == (version, 5, WEEK["reason"])
    listed = staff.get(f"/api/v1/patients/{patient.pk}/baselines", secure=True).json()["results"]
    assert [(each["measure"], each["version"]) for each in listed] == [(MEASURE, 1), (MEASURE, 2)]
    actions = Audit.objects.filter(patient=patient).values_list("action", flat=True)
    assert sorted(actions) == ["read baselines", "wrote baseline", "wrote baseline"]


@pytest.mark.parametrize(
    ("changes", "status", "field"),
    [
        ({"measure": "phq-9.total"}, 422, "measure"),
        ({"measure": "nope"}, 422, "measure"),
        ({"to_day": str(TODAY - timedelta(days=9))}, 422, "to_day"),
        ({"from_day": "2020-01-01", "to_day": "2020-02-01"}, 422, "from_day"),
        ({"from_day": "soon"}, 400, "from_day"),
        ({"reason": ""}, 400, "reason"),
        ({"reason": "  "}, 422, "reason"),
    ],
)
def test_what_is_wrong_is_named_by_its_field(
    staff: Client, patient: Patient, changes: dict[str, str], status: int, field: str
) -> None:
    answer = send(staff, patient, **changes)
    assert answer.status_code == status
    assert answer["content-type"] == "application/problem+json"
    assert answer.json()["errors"][0]["field"] == field
    assert not Baseline.objects.exists()


def test_the_number_of_statements_does_not_grow_with_the_baselines(staff: Client, patient: Patient) -> None:
    def statements() -> int:
        with CaptureQueriesContext(connection) as captured:
            staff.get(f"/api/v1/patients/{patient.pk}/baselines", secure=True)
        return len(captured)

    send(staff, patient)
    statements()
    few = statements()
    for _ in range(5):
        send(staff, patient)
    assert statements() == few
