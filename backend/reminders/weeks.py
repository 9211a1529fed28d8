"""When a patient's week is looked back at: on the Monday after it, in the morning, by their own clock."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime, time, timedelta

from django.db import connection

from backend.reminders.slots import DAY, Zones, clock_at, instant_of

WEEK = timedelta(days=7)
LOOKED_BACK_AT = time(9)  # own default


def monday_of(now: datetime, zones: Zones) -> date:
    today = clock_at(now, zones).date()
    return today - today.weekday() * DAY


def expect(weeks: Iterable[tuple[int, int, date, Zones]]) -> None:
    """Look back at these weeks (patient, clinic, Monday, zones) when they are over. One statement, none for none.

    One that is expected already moves with the patient; one that has been looked back at stays.
    """
    rows = [
        (patient_id, clinic_id, monday, instant_of(datetime.combine(monday + WEEK, LOOKED_BACK_AT), zones))
        for patient_id, clinic_id, monday, zones in weeks
    ]
    if not rows:
        return
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO reminders_week AS week (patient_id, clinic_id, first_day, due_at, rev, words)
            SELECT *, 0, '{}' FROM unnest(%s::bigint[], %s::bigint[], %s::date[], %s::timestamptz[])
            ON CONFLICT (patient_id, first_day) DO UPDATE SET due_at = excluded.due_at
            WHERE week.made_at IS NULL AND week.due_at <> excluded.due_at
            """,
            [list(column) for column in zip(*rows, strict=True)],
        )
