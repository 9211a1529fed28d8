"""Who stops answering hears less and less; the clinic hears of it."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from pytest_django import DjangoAssertNumQueries
from uuid_utils.compat import uuid7

from backend.people.models import Patient
from backend.reminders.agenda import agenda
from backend.reminders.dispatching import dispatch
from backend.reminders.models import Absence, Message
from backend.reminders.silence import look_for_the_silent
from outcomes.models import Alert
from tests.backend.reminders.given import a_diarist, a_patient, answer, at

pytestmark = pytest.mark.django_db

NOON = at("2026-03-02T12:00:00+01:00")
DAY = timedelta(days=1)


def live_until(now: datetime) -> None:
    """Every evening the clock is looked at when reminders are due."""
    evening = at("2026-03-02T19:00:00+01:00")
    while evening < now:
        dispatch(evening, 100)
        dispatch(evening + timedelta(hours=1), 100)
        evening += DAY
    dispatch(now, 100)


def raised(patient: Patient) -> list[str]:
    return list(Alert.objects.filter(patient=patient).values_list("rule", flat=True))


def test_reminders_grow_rare_then_the_clinic_is_told_then_they_end() -> None:
    patient = a_diarist(NOON)
    live_until(NOON + 70 * DAY)
    sent = sorted(Message.objects.filter(state="sent").values_list("planned_at", flat=True))
    a_week = [sum(NOON + n * DAY <= at < NOON + (n + 7) * DAY for at in sent) for n in range(0, 70, 7)]
    assert a_week[0] > a_week[1] > a_week[3] >= 1
    assert a_week[-1] == 0
    look_for_the_silent(NOON + 20 * DAY)
    assert raised(patient) == []
    look_for_the_silent(NOON + 30 * DAY)
    assert raised(patient) == ["MISS-2"]


def test_on_return_only_today_is_asked_for() -> None:
    patient = a_diarist(NOON)
    live_until(NOON + 30 * DAY)
    today = agenda(patient.pk, at("2026-04-01T18:30:00+02:00"), 1)
    assert [item.local_date.isoformat() for item in today if item.state == "open"] == ["2026-04-01"]


def test_who_answers_is_not_silent_and_who_answered_again_is_silent_no_more() -> None:
    patient = a_diarist(NOON)
    live_until(NOON + 28 * DAY)
    answer(patient, "2026-03-30T18:30:00+02:00")
    assert look_for_the_silent(at("2026-03-30T20:00:00+02:00")) == 0


def test_who_was_asked_nothing_or_is_away_is_not_silent() -> None:
    a_patient()
    away = a_diarist(NOON)
    live_until(NOON + 28 * DAY)
    now = NOON + 28 * DAY
    Absence.objects.create(
        id=uuid7(), clinic=away.clinic, patient=away, rev=0, first_day=now.date() - DAY, last_day=now.date() + DAY
    )
    assert look_for_the_silent(now) == 0


def test_whom_the_clinic_has_been_told_of_already_is_not_told_of_again() -> None:
    patient = a_diarist(NOON)
    live_until(NOON + 28 * DAY)
    Alert.objects.create(
        clinic=patient.clinic,
        patient=patient,
        rule="ADH-1",
        rule_version="1",
        severity=1,
        source=uuid7(),
        origin="clinic",
        authored_at=NOON,
        received_at=NOON,
        late=False,
        opened_at=NOON,
    )
    assert look_for_the_silent(NOON + 28 * DAY) == 0


def test_one_or_many_take_the_same_statements(django_assert_num_queries: DjangoAssertNumQueries) -> None:
    a_diarist(NOON)
    live_until(NOON + 28 * DAY)
    with django_assert_num_queries(9):  # two of them open and end the transaction
        assert look_for_the_silent(NOON + 28 * DAY) == 1
