"""A home programme is asked for on its own days, and follows what becomes of it."""

from datetime import time, timedelta
from uuid import uuid4

import pytest
from django.db import transaction

from backend.people.models import Patient
from backend.people.writes import Door, next_revisions
from backend.reminders.agenda import agenda
from backend.reminders.completing import Answer, Skip, complete, decline
from backend.reminders.dispatching import dispatch
from backend.reminders.models import Message, Schedule, Slot
from backend.reminders.planning import plan_ahead
from backend.reminders.scheduling import end_schedule
from exercises.models import Prescription
from exercises.prescribing import change, pause, resume, stop
from tests.backend.reminders.given import a_patient, at
from tests.exercises.programmes import a_plan, a_programme

pytestmark = pytest.mark.django_db

# A Monday; programmes here are for Mondays, Wednesdays and Fridays from eight to nine in the evening.
MONDAY = at("2026-03-02T12:00:00+01:00")
DAY = timedelta(days=1)


@pytest.fixture
def patient() -> Patient:
    return a_patient()


@pytest.fixture
def programme(patient: Patient) -> Prescription:
    return a_programme(patient, now=MONDAY)


def slots(patient: Patient, *states: str) -> list[str]:
    rows = Slot.objects.filter(patient=patient, state__in=states).order_by("local_date")
    return [row.local_date.isoformat()[5:] for row in rows]


def train(programme: Prescription, authored_at: str) -> None:
    moment = at(authored_at)
    session = Answer(
        programme.patient_id,
        Schedule.Asks.SESSION,
        str(programme.programme),
        moment,
        uuid4(),
        day=moment.date(),
    )
    with transaction.atomic():
        complete([session], Door("phone", moment), next_revisions([programme.patient_id]))


def test_a_programme_is_asked_for_on_its_days_within_its_hours(patient: Patient, programme: Prescription) -> None:
    assert slots(patient, "upcoming") == ["03-02", "03-04", "03-06", "03-09", "03-11", "03-13", "03-16"]
    first, *_ = agenda(patient.pk, MONDAY, 7)
    assert (first.asks, first.code) == ("session", str(programme.programme))
    assert (first.opens_at, first.closes_at) == (at("2026-03-02T08:00:00+01:00"), at("2026-03-02T21:00:00+01:00"))


def test_one_that_starts_later_is_asked_for_from_then_on(patient: Patient) -> None:
    change(
        a_programme(patient, now=MONDAY),
        a_plan(weekdays=(2,), opens=time(17), closes=time(20)),
        by=None,
        now=MONDAY,
        reason="",
        from_day=MONDAY.date() + 7 * DAY,
    )
    assert slots(patient, "upcoming") == ["03-02", "03-04", "03-06", "03-10"]
    assert Slot.objects.get(local_date="2026-03-10").opens_at == at("2026-03-10T17:00:00+01:00")


def test_it_is_said_once_and_not_after_the_session(
    patient: Patient, programme: Prescription, capsys: pytest.CaptureFixture[str]
) -> None:
    dispatch(MONDAY, 100)
    assert capsys.readouterr().out.count("reminder") == 1
    train(programme, "2026-03-02T13:00:00+01:00")
    for hour in range(24):
        dispatch(MONDAY + timedelta(hours=hour), 100)
    assert capsys.readouterr().out == ""
    assert slots(patient, "completed") == ["03-02"]


def test_who_trains_before_the_hours_is_not_asked_in_them(
    patient: Patient, programme: Prescription, capsys: pytest.CaptureFixture[str]
) -> None:
    train(programme, "2026-03-04T06:30:00+01:00")
    dispatch(at("2026-03-04T08:00:00+01:00"), 100)
    assert slots(patient, "completed") == ["03-04"]
    assert not Message.objects.filter(state="sent").exists()


def test_not_today_declines_the_day_and_a_session_after_all_completes_it(
    patient: Patient, programme: Prescription
) -> None:
    with transaction.atomic():
        skip = Skip(str(programme.programme), MONDAY.date(), "pain")
        decline([skip], patient.pk, next_revisions([patient.pk]))
    assert slots(patient, "declined") == ["03-02"]
    dispatch(MONDAY, 100)
    assert not Message.objects.exists()
    train(programme, "2026-03-02T20:00:00+01:00")
    assert slots(patient, "completed") == ["03-02"]


def test_a_pause_asks_nothing_and_resuming_asks_again(patient: Patient, programme: Prescription) -> None:
    pause(programme, by=None, now=MONDAY, reason="flare")
    assert not slots(patient, "upcoming", "open")
    resume(programme, now=MONDAY + 3 * DAY)
    assert slots(patient, "upcoming")[0] == "03-06"
    assert slots(patient, "paused") == ["03-02", "03-04"]


def test_a_pause_that_begins_while_a_session_is_asked_for_silences_it(
    patient: Patient, programme: Prescription
) -> None:
    dispatch(at("2026-03-04T08:00:00+01:00"), 100)
    pause(programme, by=None, now=at("2026-03-04T09:00:00+01:00"), reason="illness")
    dispatch(at("2026-03-04T16:00:00+01:00"), 100)
    assert Message.objects.filter(state="sent").count() == 1


def test_a_change_asks_by_the_new_days_and_not_again_for_what_was_done(
    patient: Patient, programme: Prescription, capsys: pytest.CaptureFixture[str]
) -> None:
    train(programme, "2026-03-02T09:00:00+01:00")
    change(programme, a_plan(weekdays=(1, 4), opens=time(14)), by=None, now=MONDAY, reason="shorter")
    assert slots(patient, "upcoming")[:3] == ["03-05", "03-09", "03-12"]
    assert slots(patient, "withdrawn")[:2] == ["03-04", "03-06"]
    dispatch(at("2026-03-02T14:00:00+01:00"), 100)
    assert capsys.readouterr().out == ""
    assert Schedule.objects.count() == 1


def test_a_stopped_programme_asks_no_more_and_is_planned_no_more(patient: Patient, programme: Prescription) -> None:
    stop(programme, now=MONDAY, reason="goal reached")
    assert not slots(patient, "upcoming", "open")
    plan_ahead(MONDAY + 8 * DAY, 100)
    assert not Schedule.objects.filter(active=True).exists()
    assert plan_ahead(MONDAY + 30 * DAY, 100) == 0


def test_one_that_ends_on_a_day_to_come_is_asked_for_up_to_then(patient: Patient, programme: Prescription) -> None:
    stop(programme, now=MONDAY, reason="goal near", last_day=MONDAY.date() + 4 * DAY)
    assert slots(patient, "upcoming") == ["03-02", "03-04", "03-06"]


def test_reminders_that_the_clinic_has_ended_stay_ended_when_the_programme_changes(
    patient: Patient, programme: Prescription
) -> None:
    end_schedule(Schedule.objects.get(), MONDAY)
    change(programme, a_plan(weekdays=(2,)), by=None, now=MONDAY, reason="")
    assert not slots(patient, "upcoming", "open")
    assert not Schedule.objects.filter(active=True).exists()


def test_two_programmes_of_a_day_make_one_message(patient: Patient, capsys: pytest.CaptureFixture[str]) -> None:
    for _ in range(2):
        a_programme(patient, now=MONDAY)
    dispatch(at("2026-03-04T08:00:00+01:00"), 100)
    assert capsys.readouterr().out.count("reminder") == 1
