"""How a clinic is doing."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone
from uuid_utils.compat import uuid7

from backend.dashboard.figures import Figures, Period, figures
from backend.people.models import CareTeam, Clinic, Patient
from backend.reminders.models import Schedule, Slot
from outcomes.models import AlertEvent
from tests.backend.dashboard import builders
from tests.exercises.programmes import a_programme
from tests.factories import a_clinic, a_clinician, a_patient, a_team
from tests.signin import browser

pytestmark = pytest.mark.django_db

TODAY = date(2026, 6, 17)  # a Wednesday
LAST = date(2026, 6, 14)  # the Sunday before
PHQ_8 = "Patient Health Questionnaire, 8 items (PHQ-8)"


@pytest.fixture
def team() -> CareTeam:
    return a_team()


def people(team: CareTeam, count: int, **fields: Any) -> list[Patient]:
    return [a_patient(team, user=None, **fields) for _ in range(count)]


def counted(clinic: Clinic) -> Figures:
    return figures(clinic, TODAY)


def asked(patient: Patient, code: str, states: list[str], last: date = LAST) -> None:
    at = datetime(2026, 1, 1, tzinfo=UTC)
    schedule = Schedule.objects.create(
        id=uuid7(),
        clinic=patient.clinic,
        patient=patient,
        asks="instrument",
        code=code,
        rule={},
        origin="clinic",
        created_at=at,
    )
    for n, state in enumerate(states):
        answered = state in ("completed", "late")
        Slot.objects.create(
            patient=patient,
            schedule=schedule,
            clinic=patient.clinic,
            rev=1,
            local_date=last - timedelta(days=n),
            n=0,
            state=state,
            opens_at=at,
            closes_at=at + timedelta(hours=1),
            missed_at=at + timedelta(hours=2),
            completed_by=uuid7() if answered else None,
            completed_at=at if answered else None,
        )


def test_twelve_whole_weeks_end_with_the_last_sunday() -> None:
    assert Period.before(TODAY) == Period(date(2026, 3, 23), LAST)
    assert Period.before(LAST).last == date(2026, 6, 7)
    assert Period.before(LAST + timedelta(days=1)).last == LAST


def test_answered_of_due_counts_what_is_over_and_leaves_out_pauses(team: CareTeam) -> None:
    for patient in people(team, 5):
        asked(patient, "phq-8", ["completed", "late", "missed", "declined", "paused", "withdrawn", "upcoming"])
    (row,) = counted(team.clinic).answered
    assert (row.title, row.due, row.answered, row.percent) == (
        "Patient Health Questionnaire, 8 items (PHQ-8)",
        20,
        10,
        50,
    )


def test_of_four_people_nothing_is_said(team: CareTeam) -> None:
    for patient in people(team, 4):
        asked(patient, "phq-8", ["completed"] * 50)
    (row,) = counted(team.clinic).answered
    assert (row.due, row.answered, row.percent) == (None, None, None)


def test_adherence_is_the_mean_over_patients_in_each_of_their_modalities(team: CareTeam) -> None:
    for share in (0, 25, 50, 75, 100):
        patient = a_patient(team)
        a_programme(patient, now=datetime(2026, 4, 1, 9, tzinfo=UTC))
        builders.scores(patient, "adherence.day", [share] * 10, LAST)
    rows = counted(team.clinic).adherence
    assert rows
    assert {(row.people, row.percent) for row in rows} == {(5, 50)}


def test_responders_are_better_by_either_threshold_in_the_measures_own_direction(team: CareTeam) -> None:
    for change in [-8.0] * 7 + [-5.0] * 6 + [0.0] * 5 + [9.0] * 2:
        (patient,) = people(team, 1)
        builders.trend(patient, "tsk-11.total", change=change, baseline=30.0, last_day=LAST)
    (row,) = counted(team.clinic).responders
    assert (row.people, row.mcid, row.mdc95) == (20, 13, 7)


def test_who_only_reached_the_smaller_threshold_can_not_be_found_by_subtraction(team: CareTeam) -> None:
    for change in [-8.0] * 7 + [-5.0] * 2 + [0.0] * 6:
        (patient,) = people(team, 1)
        builders.trend(patient, "tsk-11.total", change=change, baseline=30.0, last_day=LAST)
    (row,) = counted(team.clinic).responders
    assert (row.people, row.mcid, row.mdc95) == (15, 9, None)


def test_dropouts_are_silent_for_four_weeks_of_those_who_began_before(team: CareTeam) -> None:
    began = LAST - timedelta(days=100)
    for silent, patient in enumerate(people(team, 12, programme_started_on=began)):
        builders.summary(patient, last_entry_day=LAST - timedelta(days=60 if silent < 5 else 1))
    people(team, 5, programme_started_on=LAST - timedelta(days=3))
    people(team, 5, programme_started_on=began, status=Patient.Status.DISCHARGED)
    found = counted(team.clinic).dropouts
    assert (found.people, found.silent) == (12, 5)


def test_time_to_acknowledge_runs_to_the_first_thing_that_a_colleague_did(team: CareTeam) -> None:
    somebody = a_clinician(team)
    opened = datetime(2026, 6, 1, 9, tzinfo=UTC)
    for minutes in (10, 20, 30, 40, 90):
        (patient,) = people(team, 1)
        alert = builders.alert(patient, opened_at=opened, due_at=opened + timedelta(hours=1), state="acknowledged")
        for later in (minutes, minutes + 500):
            AlertEvent.objects.create(
                clinic=team.clinic,
                patient=patient,
                alert=alert,
                kind="acknowledged",
                at=opened + timedelta(minutes=later),
                user=somebody,
            )
        builders.alert(patient, "DEP-1", opened_at=opened, severity=3)
    (row,) = counted(team.clinic).acknowledged
    assert (row.severity, row.alerts, row.median, row.slowest_tenth, row.in_time) == (4, 5, 30, None, 80)


def test_another_clinics_people_are_not_among_ours(team: CareTeam) -> None:
    for patient in people(a_team(), 8):
        asked(patient, "phq-8", ["completed"])
        builders.trend(patient, "tsk-11.total", change=-8.0, baseline=30.0, last_day=LAST)
    found = counted(team.clinic)
    assert (found.answered, found.responders, found.dropouts.people) == ([], [], None)


def test_the_page_costs_the_same_for_nobody_and_for_many(django_assert_num_queries: Any) -> None:
    clinic = a_clinic()
    team = a_team(clinic)
    client = browser(a_clinician(team))
    address = f"/clinics/{clinic.pk}/clinic/doing/"
    client.get(address)
    for _ in range(2):
        # session, user, memberships; five figures; alerts waiting
        with django_assert_num_queries(9):
            said = client.get(address).content.decode()
        for patient in people(team, 6):
            asked(patient, "phq-8", ["completed", "missed"])
            builders.trend(patient, "tsk-11.total", change=-8.0, baseline=30.0, last_day=timezone.localdate())
    assert "No number stands here that is about fewer than five people" in said
