"""When a clinic is open, and how long something may wait by its hours, on the clinic's wall clock."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import msgspec
from django.db import connection, transaction

from backend.people import changes
from backend.people.models import Clinic, ClinicChange, OpeningHours
from backend.rest.problems import Problem

DAY = timedelta(days=1)
WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
# A clinic that is closed for longer has holidays that nobody looked at: its clocks run on by the calendar.
LONGEST_CLOSED = 60


class Hours(msgspec.Struct, frozen=True):
    """A clinic's zone, its hours by weekday (0 is Monday; closing at 00:00 is midnight), and its holidays.

    A clinic that has named no hours is always open: nothing waits because of a setting that was forgotten.
    """

    time_zone: str
    weekly: tuple[tuple[int, time, time], ...] = ()
    holidays: frozenset[date] = frozenset()

    def is_open(self, at: datetime) -> bool:
        return any(opens <= at < closes for opens, closes in self._hours_of(self._local(at).date()))

    def next_opening(self, at: datetime) -> datetime:
        """`at` itself where the clinic is open."""
        first = self._local(at).date()
        for ahead in range(LONGEST_CLOSED):
            for opens, closes in self._hours_of(first + ahead * DAY):
                if at < closes:
                    return max(at, opens)
        return at

    def after_working_days(self, at: datetime, days: int) -> datetime:
        """When so many working days from `at` are over; 0 is the close of the hours that it falls in, or of the next.

        The same wall-clock time of the last of these days, held within its hours.
        """
        begin = self.next_opening(at)
        day = self._local(begin).date()
        hours = self._hours_of(day)
        if not hours:
            return at + max(days, 1) * DAY
        if days == 0:
            return hours[-1][1]
        left = days
        for ahead in range(1, days + LONGEST_CLOSED):
            if hours := self._hours_of(day + ahead * DAY):
                left -= 1
            if left == 0:
                same_time = self._instant(day + ahead * DAY, self._local(begin).time())
                return min(max(same_time, hours[0][0]), hours[-1][1])
        return begin + days * DAY

    def _hours_of(self, day: date) -> list[tuple[datetime, datetime]]:
        """The hours of one local day as instants, in order; none on a holiday."""
        if day in self.holidays:
            return []
        weekly = self.weekly or ((day.weekday(), time(0), time(0)),)
        return sorted(
            (self._instant(day, opens), self._instant(day + DAY if closes == time(0) else day, closes))
            for weekday, opens, closes in weekly
            if weekday == day.weekday()
        )

    def _local(self, at: datetime) -> datetime:
        return at.astimezone(ZoneInfo(self.time_zone))

    def _instant(self, day: date, clock: time) -> datetime:
        return datetime.combine(day, clock, ZoneInfo(self.time_zone)).astimezone(UTC)


def hours_of(clinic_ids: Iterable[int]) -> dict[int, Hours]:
    """The hours of these clinics. One statement, however many: every alert that is raised asks for them."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT id, json_build_object(
                'time_zone', time_zone,
                'weekly', coalesce((
                    SELECT json_agg(json_build_array(weekday, opens, closes) ORDER BY weekday, opens)
                    FROM people_openinghours WHERE clinic_id = clinic.id), '[]'),
                'holidays', coalesce((
                    SELECT json_agg(day) FROM people_holiday WHERE clinic_id = clinic.id), '[]'))::text
            FROM people_clinic AS clinic WHERE id = ANY(%s::bigint[])
            """,
            [list(clinic_ids)],
        )
        return {clinic: _hours.decode(hours) for clinic, hours in cursor}


_hours = msgspec.json.Decoder(Hours)

Span = tuple[int, time, time]
"""A weekday, when it opens and when it closes, as the database keeps it."""


@transaction.atomic
def set_hours(clinic: Clinic, spans: Sequence[Span], *, by: int | None = None) -> None:
    """Name a clinic's hours anew. Raises Problem, with the place in the list."""
    for position, (weekday, opens, closes) in enumerate(spans):
        if closes <= opens and closes != time(0):
            raise Problem(400, "order", "After it opens; 00:00 is midnight.", field=f"hours.{position}.closes")
        if any(weekday == day and opens == earlier for day, earlier, _ in spans[:position]):
            raise Problem(400, "repeated", "This is there twice.", field=f"hours.{position}")
    Clinic.objects.select_for_update(no_key=True).get(pk=clinic.pk)
    OpeningHours.objects.filter(clinic=clinic).delete()
    OpeningHours.objects.bulk_create(
        OpeningHours(clinic=clinic, weekday=weekday, opens=opens, closes=closes) for weekday, opens, closes in spans
    )
    said = ", ".join(f"{WEEKDAYS[weekday]} {opens:%H:%M}–{closes:%H:%M}" for weekday, opens, closes in sorted(spans))
    changes.record(clinic, by, ClinicChange.What.HOURS, said or "none")
