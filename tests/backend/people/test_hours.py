"""How long something may wait by a clinic's hours."""

from __future__ import annotations

from datetime import date, datetime, time
from zoneinfo import ZoneInfo

import pytest
from django.db import IntegrityError, transaction

from backend.people.hours import Hours, hours_of
from backend.people.models import Holiday, OpeningHours
from tests.factories import a_clinic

ZURICH = ZoneInfo("Europe/Zurich")
WEEKDAYS = tuple((weekday, time(8), time(17)) for weekday in range(5))
CLINIC = Hours("Europe/Zurich", WEEKDAYS, frozenset({date(2026, 11, 25)}))  # a Wednesday


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZURICH)


@pytest.mark.parametrize(
    ("instant", "is_open", "opens"),
    [
        ("2026-11-23 07:59", False, "2026-11-23 08:00"),
        ("2026-11-23 08:00", True, "2026-11-23 08:00"),
        ("2026-11-23 17:00", False, "2026-11-24 08:00"),
        ("2026-11-24 17:30", False, "2026-11-26 08:00"),
        ("2026-11-27 18:00", False, "2026-11-30 08:00"),
    ],
)
def test_nights_weekends_and_holidays_are_closed(instant: str, is_open: bool, opens: str) -> None:
    assert CLINIC.is_open(at(instant)) is is_open
    assert CLINIC.next_opening(at(instant)) == at(opens)


@pytest.mark.parametrize(
    ("instant", "days", "due"),
    [
        ("2026-11-23 10:00", 1, "2026-11-24 10:00"),
        ("2026-11-24 10:00", 1, "2026-11-26 10:00"),
        ("2026-11-27 16:00", 1, "2026-11-30 16:00"),
        ("2026-11-28 16:00", 1, "2026-12-01 08:00"),
        ("2026-11-23 10:00", 5, "2026-12-01 10:00"),
        ("2026-11-23 10:00", 0, "2026-11-23 17:00"),
        ("2026-11-28 10:00", 0, "2026-11-30 17:00"),
    ],
)
def test_working_days_are_counted_from_the_next_opening(instant: str, days: int, due: str) -> None:
    assert CLINIC.after_working_days(at(instant), days) == at(due)


def test_the_same_time_of_a_shorter_day_is_its_close() -> None:
    clinic = Hours("Europe/Zurich", ((0, time(8), time(17)), (1, time(8), time(12))))
    assert clinic.after_working_days(at("2026-11-23 15:00"), 1) == at("2026-11-24 12:00")


def test_a_working_day_over_the_change_of_the_clock_keeps_the_wall_clock() -> None:
    assert CLINIC.after_working_days(at("2026-10-23 10:00"), 1) == at("2026-10-26 10:00")


def test_hours_until_midnight_end_with_the_day() -> None:
    clinic = Hours("Europe/Zurich", ((0, time(18), time(0)),))
    assert clinic.is_open(at("2026-11-23 23:59"))
    assert not clinic.is_open(at("2026-11-24 00:00"))


def test_a_clinic_without_hours_is_always_open() -> None:
    clinic = Hours("Europe/Zurich")
    assert clinic.is_open(at("2026-11-22 03:00"))
    assert clinic.after_working_days(at("2026-11-22 03:00"), 1) == at("2026-11-23 03:00")
    assert clinic.after_working_days(at("2026-11-22 03:00"), 0) == at("2026-11-23 00:00")


def test_a_clinic_whose_holidays_never_end_does_not_stop_its_clocks() -> None:
    closed = frozenset(date.fromordinal(date(2026, 11, 1).toordinal() + day) for day in range(200))
    clinic = Hours("Europe/Zurich", WEEKDAYS, closed)
    for days in (0, 1):
        assert clinic.after_working_days(at("2026-11-23 10:00"), days) == at("2026-11-24 10:00")


@pytest.mark.django_db
def test_the_hours_of_many_clinics_take_one_statement(django_assert_num_queries: object) -> None:
    clinics = [a_clinic(), a_clinic(time_zone="Asia/Tokyo")]
    OpeningHours.objects.create(clinic=clinics[0], weekday=0, opens=time(8), closes=time(17))
    Holiday.objects.create(clinic=clinics[0], day=date(2026, 12, 25))
    with django_assert_num_queries(1):  # type: ignore[operator]
        found = hours_of(clinic.pk for clinic in clinics)
    assert found[clinics[0].pk] == Hours("Europe/Zurich", ((0, time(8), time(17)),), frozenset({date(2026, 12, 25)}))
    assert found[clinics[1].pk] == Hours("Asia/Tokyo")


@pytest.mark.django_db
def test_hours_that_end_before_they_begin_are_refused() -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        OpeningHours.objects.create(clinic=a_clinic(), weekday=0, opens=time(17), closes=time(8))
