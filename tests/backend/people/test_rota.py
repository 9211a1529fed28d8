"""Who is on duty when."""

from __future__ import annotations

from datetime import date, datetime, time
from zoneinfo import ZoneInfo

import pytest

from backend.people.hours import Hours
from backend.people.rota import Duty

HOURS = Hours("Europe/Zurich", holidays=frozenset({date(2026, 11, 25)}))  # a Wednesday


def duty(days: str = "0123456", starts: int = 0, ends: int = 0, *, on_holidays: bool = True) -> Duty:
    weekdays = sum(1 << int(day) for day in days)
    return Duty(1, 1, "generated@example.org", "en", weekdays, time(starts), time(ends), on_holidays)


@pytest.mark.parametrize(
    ("on", "at", "is_on"),
    [
        (duty(), "2026-11-23 03:00", True),
        (duty("01234", 8, 17), "2026-11-23 08:00", True),
        (duty("01234", 8, 17), "2026-11-23 17:00", False),
        (duty("01234", 8, 17), "2026-11-28 10:00", False),
        (duty("0", 20, 8), "2026-11-23 19:59", False),
        (duty("0", 20, 8), "2026-11-23 20:00", True),
        (duty("0", 20, 8), "2026-11-24 07:59", True),
        (duty("0", 20, 8), "2026-11-24 20:00", False),
        (duty(on_holidays=False), "2026-11-25 10:00", False),
        (duty("2", 20, 8, on_holidays=True), "2026-11-25 21:00", True),
        (duty("1", 20, 8, on_holidays=False), "2026-11-25 07:00", True),  # it began the evening before
    ],
)
def test_a_duty_is_on_by_the_clinics_wall_clock(on: Duty, at: str, is_on: bool) -> None:
    assert on.is_on(datetime.fromisoformat(at).replace(tzinfo=ZoneInfo("Europe/Zurich")), HOURS) is is_on
