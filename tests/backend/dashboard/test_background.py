"""Conditions, clearances, likings and other treatments, entered and put right on the pages."""

from datetime import timedelta
from typing import get_args

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from backend.dashboard.field_words import LABELS
from backend.dashboard.struct_forms import struct_form
from backend.dashboard.treatments import KINDS, STRUCTS, title_of
from backend.people.models import Audit, Patient, User
from exercises.background import likings
from exercises.models import Clearance, Condition, Treatment, TreatmentSession
from exercises.treatments import Parameters
from outcomes.models import Alert
from tests.backend.dashboard import builders
from tests.backend.dashboard.builders import TODAY
from tests.exercises.programmes import NOW, a_condition, a_course

pytestmark = pytest.mark.django_db


@pytest.fixture
def patient() -> Patient:
    return builders.patient(builders.team(builders.clinic()))


@pytest.fixture
def colleague(patient: Patient, client: Client) -> User:
    user = builders.colleague(patient.clinic, patient.care_team)
    builders.sign_in(client, user)
    return user


def post(client: Client, patient: Patient, path: str, **data: object) -> str:
    sent = {name.replace("__", "-"): value for name, value in data.items()}
    return str(client.post(f"/patients/{patient.pk}/{path}", sent, secure=True, follow=True).content.decode())


def test_a_condition_is_entered_once_and_is_over_one_day(client: Client, patient: Patient, colleague: User) -> None:
    entered = {"do": "condition", "condition__code": "osteoporosis", "condition__note": "DXA 2025"}
    assert "Osteoporosis or a past fragility fracture" in post(client, patient, "background/", **entered)
    row = Condition.objects.get()
    assert (row.note, row.entered_by) == ("DXA 2025", colleague)
    assert "has this condition already" in post(client, patient, "background/", **entered)
    assert "Select a valid choice" in post(client, patient, "background/", do="condition", condition__code="nonsense")
    assert "over since" in post(client, patient, f"background/conditions/{row.pk}/over")
    assert Audit.objects.filter(patient=patient, action="ended condition", user=colleague).exists()


def test_a_clearance_says_who_and_until_when(client: Client, patient: Patient, colleague: User) -> None:
    given = {"clearance__screen": "PAR-Q+", "clearance__cleared_by": "nurse", "clearance__cleared_on": "2026-06-01"}
    text = post(client, patient, "background/", do="clearance", **given, clearance__valid_until="2026-05-01")
    assert "It ends before it begins." in text
    assert 'value="PAR-Q+"' in text
    post(client, patient, "background/", do="clearance", **given, clearance__valid_until="2027-06-01")
    assert Clearance.objects.get().screen == "PAR-Q+"


def test_what_is_liked_can_not_be_disliked_too(client: Client, patient: Patient, colleague: User) -> None:
    both = {"likings__liked": ["qigong", "yoga"], "likings__equipment": ["mat"]}
    assert "either liked or disliked" in post(
        client, patient, "background/", do="likings", **both, likings__disliked="yoga"
    )
    post(client, patient, "background/", do="likings", **both, likings__disliked="hiit")
    asked = likings(patient.pk)
    assert (asked.liked, asked.disliked, asked.equipment) == (["qigong", "yoga"], ["hiit"], ["mat"])


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_each_kind_of_treatment_has_its_form(client: Client, patient: Patient, colleague: User, kind: str) -> None:
    text = client.get(f"/patients/{patient.pk}/background/treatments/new/{kind}", secure=True).content.decode()
    for name in struct_form(STRUCTS[kind]).base_fields:
        assert f'name="details-{name}"' in text


def test_every_part_of_every_structure_has_a_label() -> None:
    structs = [*STRUCTS.values(), *get_args(Parameters.__value__)]
    assert {name for struct in structs for name in struct_form(struct).base_fields} <= set(LABELS)


def test_a_treatment_is_entered_put_right_and_ended(client: Client, patient: Patient, colleague: User) -> None:
    address = "background/treatments/new/drug-change"
    drug = {"details__drug": "duloxetine", "details__group": "antidepressant", "starts_on": "2026-06-01"}
    assert "This field is required." in post(client, patient, address, **drug)
    text = post(client, patient, address, **drug, details__change="started", ends_on="2026-05-01")
    assert "It ends before it begins." in text
    text = post(client, patient, address, **drug, details__change="started")
    row = Treatment.objects.get()
    assert title_of(row) == "Drug change: duloxetine"
    assert "does not say why" not in text  # nothing to compare
    fixed = drug | {"details__change": "raised", "details__dose": "60 mg", "ends_on": "2026-06-10", "note": "ok"}
    post(client, patient, f"background/treatments/{row.pk}/", do="change", **fixed)
    row.refresh_from_db()
    assert (row.details["change"], row.details["dose"], str(row.ends_on)) == ("raised", "60 mg", "2026-06-10")
    assert Audit.objects.filter(patient=patient, action="changed treatment").count() == 1


RTMS = {
    "do": "session",
    "given__day": "2026-11-05",
    "given__completed": "on",
    "given__pain_before": "0",
    "parameters__frequency_hz": "10",
    "parameters__intensity_percent": "90",
    "parameters__of": "RMT",
    "parameters__pulses": "2000",
    "parameters__trains": "20",
    "parameters__train_seconds": "10",
    "parameters__between_trains_seconds": "50",
    "parameters__minutes": "20",
}


def test_a_session_holds_its_parameters_and_a_bad_event_raises_its_alarm(
    client: Client, patient: Patient, colleague: User
) -> None:
    row = a_course(patient)
    address = f"background/treatments/{row.pk}/"
    text = post(client, patient, address, **RTMS | {"parameters__pulses": "0", "given__pain_before": "11"})
    assert "greater than or equal to 1" in text
    assert "less than or equal to 10" in text
    assert "before the course began" in post(client, patient, address, **RTMS | {"given__day": "2026-11-01"})
    assert not TreatmentSession.objects.exists()
    event = {"event-0__kind": "syncope", "event-0__severity": "3", "event-0__relatedness": "probable"}
    assert "syncope (3, probable)" in post(client, patient, address, **RTMS | event)
    session = TreatmentSession.objects.get()
    assert session.given["parameters"]["frequency_hz"] == 10
    assert session.given["pain_before"] == 0
    assert Alert.objects.filter(patient=patient, rule="AE-1").count() == 1
    # A course with sessions begins no later than the first of them, and stays of its modality.
    change = {name.replace("details-", "details__"): value for name, value in COURSE.items()}
    assert "given before this day" in post(
        client, patient, address, do="change", **change | {"starts_on": "2026-11-06"}
    )
    assert "of the other modality" in post(
        client, patient, address, do="change", **change | {"details__modality": "tDCS"}
    )


COURSE = {
    "starts_on": str(NOW.date()),
    "details-modality": "rTMS",
    "details-target": "M1-hand",
    "details-side": "left",
    "details-targeting": "hotspot",
    "details-planned_sessions": "13",
    "details-sham": "active",
    "details-consent": "on",
    "details-screened": "on",
}


def test_slopes_stand_side_by_side_and_never_say_why(client: Client, patient: Patient, colleague: User) -> None:
    row = a_course(patient)
    days = {row.starts_on + timedelta(days=n): float(6 - (n > 0) * n / 14) for n in range(-40, 40, 2)}
    builders.scores(patient, "daily-diary.pain-average", days)
    text = client.get(f"/patients/{patient.pk}/background/treatments/{row.pk}/", secure=True).content.decode()
    assert "−0.50 (" in text
    assert "This does not say why" in text


def test_another_patients_treatment_is_not_found(client: Client, patient: Patient, colleague: User) -> None:
    theirs = builders.patient(patient.care_team)
    treatment, condition = a_course(theirs), a_condition(theirs)
    paths = (f"treatments/{treatment.pk}/", "treatments/new/nonsense")
    for path in paths:
        assert client.get(f"/patients/{patient.pk}/background/{path}", secure=True).status_code == 404
    over = f"/patients/{patient.pk}/background/conditions/{condition.pk}/over"
    assert client.post(over, secure=True).status_code == 404


def test_the_pages_cost_the_same_for_one_and_for_many(client: Client, patient: Patient, colleague: User) -> None:
    course = a_course(patient)

    def statements(path: str) -> int:
        with CaptureQueriesContext(connection) as captured:
            assert client.get(f"/patients/{patient.pk}/background/{path}", secure=True).status_code == 200
        return len(captured)

    paths = ["", f"treatments/{course.pk}/"]
    for path in paths:
        statements(path)
    few = [statements(path) for path in paths]
    for code in ("osteoporosis", "hypertension", "falls-risk"):
        a_condition(patient, code)
        a_course(patient)
    builders.scores(patient, "phq-9.total", [5] * 40, last=TODAY)
    assert [statements(path) for path in paths] == few
