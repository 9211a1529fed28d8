"""What time alone brings, each hour for those whose day has just turned."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from backend.people.models import Patient, PatientRev
from exercises.models import Proposal
from exercises.nightly import turn_the_day
from exercises.tasks import turn_exercise_days
from outcomes.models import Score, TrendDue
from tests.exercises.programmes import NOW, a_programme, session, store
from tests.exercises.test_intake import values
from tests.factories import a_patient

pytestmark = pytest.mark.django_db
# Friday, half past four in Zurich.
FRIDAY = datetime(2026, 11, 6, 3, 30, tzinfo=UTC)


@pytest.fixture
def patient() -> Patient:
    return a_patient()


def test_a_due_day_without_a_session_is_missed_when_the_day_has_turned(patient: Patient) -> None:
    a_programme(patient, now=NOW)
    assert turn_the_day(FRIDAY - timedelta(hours=24)) == 1
    assert values(patient) == {date(2026, 11, 4): 0.0}
    assert TrendDue.objects.filter(patient=patient, measure__code="adherence.day").exists()


def test_a_session_that_comes_late_from_the_phone_puts_it_right(patient: Patient) -> None:
    programme = a_programme(patient)
    turn_the_day(FRIDAY)
    store(patient, session(programme))
    assert values(patient) == {date(2026, 11, 4): 100.0}
    turn_the_day(FRIDAY)
    assert values(patient) == {date(2026, 11, 4): 100.0}


def test_only_those_whose_day_has_turned_are_looked_at(patient: Patient) -> None:
    a_programme(patient)
    traveller = a_patient(time_zone="Pacific/Auckland")
    a_programme(traveller)
    assert turn_the_day(FRIDAY) == 1
    assert not values(traveller)


def test_running_again_changes_nothing(patient: Patient) -> None:
    a_programme(patient, now=NOW - timedelta(days=7))
    turn_the_day(FRIDAY)
    before = list(Score.objects.values_list("local_day", "value", "live"))
    TrendDue.objects.all().delete()
    turn_the_day(FRIDAY)
    assert list(Score.objects.values_list("local_day", "value", "live")) == before
    assert not TrendDue.objects.exists()


def test_a_week_on_quota_brings_a_step_that_waits(patient: Patient) -> None:
    programme = a_programme(patient, mode="quota", now=NOW - timedelta(days=9))
    for day in ("2026-10-26", "2026-10-28", "2026-10-30"):
        store(patient, session(programme, started_at=f"{day}T08:00:00+01:00"))
    turn_the_day(FRIDAY)
    row = Proposal.objects.get()
    assert (row.rule, row.action, row.state) == ("quota", "step-up", "waiting")


def test_many_patients_settle_in_as_many_statements_as_one(django_assert_num_queries: Any) -> None:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    from exercises.nightly import settle_days

    patients = [a_patient() for _ in range(6)]
    for each in patients:
        a_programme(each)
    with CaptureQueriesContext(connection) as one:
        settle_days((patients[0].pk,), FRIDAY)
    with django_assert_num_queries(len(one)):
        settle_days(tuple(each.pk for each in patients[1:]), FRIDAY)
    assert all(values(each) == {date(2026, 11, 4): 0.0} for each in patients)


def test_the_task_runs_on_the_worker_s_clock(patient: Patient) -> None:
    a_programme(patient)
    turn_exercise_days.run()
    assert PatientRev.objects.get(patient=patient).rev >= 1
