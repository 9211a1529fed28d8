"""What is due and when: a schedule's slots as a pure set, computed from its rule, the zone history and the pauses.

A day is a day of the patient's own calendar. The slot of a day opens at the first instant at which the patient's
clock shows that day and time *or later*. This one sentence covers the hour that daylight saving skips (the next valid
minute), the hour it repeats (once) and the traveller, whose clock jumps: each day has its slots, each once.
"""

from __future__ import annotations

import calendar
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from itertools import pairwise
from typing import Annotated, Any, Literal
from uuid import UUID
from zoneinfo import ZoneInfo

import msgspec

DAY = timedelta(days=1)

Count = Annotated[int, msgspec.Meta(ge=1, le=366)]
Weekday = Annotated[int, msgspec.Meta(ge=1, le=7)]
Offset = Annotated[int, msgspec.Meta(ge=-366, le=3660)]
LocalTime = Annotated[time, msgspec.Meta(tz=False)]


class Window(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Local clock times between which the answer is asked for; it closes `days` local days after it opens."""

    opens: LocalTime
    closes: LocalTime
    days: Annotated[int, msgspec.Meta(ge=0, le=92)] = 0

    def __post_init__(self) -> None:
        if self.length <= timedelta(0):
            raise ValueError("a window closes after it opens; past midnight, say days: 1")

    @property
    def length(self) -> timedelta:
        """By the clock on the wall."""
        return datetime.combine(date.min, self.closes) + self.days * DAY - datetime.combine(date.min, self.opens)


class Days(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="days"):
    """Every n-th day, the first one included."""

    every: Count = 1


class Weeks(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="weeks"):
    """Every n-th block of seven days from the first day on, on these ISO weekdays (none: the first day's own)."""

    every: Count = 1
    on: tuple[Weekday, ...] = ()


class Points(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="points"):
    """Single time points, in days or calendar months after the anchor; one of them makes a one-off."""

    days: tuple[Offset, ...] = ()
    months: tuple[Annotated[int, msgspec.Meta(ge=0, le=240)], ...] = ()

    def __post_init__(self) -> None:
        if not self.days and not self.months:
            raise ValueError("name at least one time point, in days or in months")


class Burst(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The pattern holds for `days` days, and starts anew every `months` months."""

    days: Count
    months: Annotated[int, msgspec.Meta(ge=1, le=24)]

    def __post_init__(self) -> None:
        if self.days > 28 * self.months:
            raise ValueError("a burst ends before the next one starts")


class Remind(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The first reminder comes `after` minutes into the window, then up to `nudges` more, `every` minutes apart."""

    after: Annotated[int, msgspec.Meta(ge=0, le=20_160)] = 0
    nudges: Annotated[int, msgspec.Meta(ge=0, le=5)] = 1
    every: Annotated[int, msgspec.Meta(ge=15, le=20_160)] = 120


class Rule(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """When a schedule asks. Days are counted from the anchor's date plus `from_day`, up to and with `to_day`.

    Anchored in a prescription, a rule leaves days and windows to the programme's versions and says only how to remind.
    """

    windows: Annotated[tuple[Window, ...], msgspec.Meta(max_length=12)] = ()
    pattern: Days | Weeks | Points = Days()
    anchor: Literal["enrolment", "programme-start", "surgery", "date", "prescription"] = "enrolment"
    from_day: Offset = 0
    to_day: Offset | None = None
    burst: Burst | None = None
    grace_hours: Annotated[int, msgspec.Meta(ge=0, le=336)] = 48
    remind: Remind = Remind()

    def __post_init__(self) -> None:
        if self.anchor == "prescription":
            if (self.windows, self.pattern, self.from_day, self.to_day, self.burst) != ((), Days(), 0, None, None):
                raise ValueError("a prescription itself says on which days and between which hours")
            return
        if not self.windows:
            raise ValueError("windows: name at least one")
        if isinstance(self.pattern, Points) and self.burst:
            raise ValueError("time points don't come in bursts")
        if self.to_day is not None and self.to_day < self.from_day:
            raise ValueError("to_day is before from_day")
        starts = [datetime.combine(date.min, window.opens) for window in self.windows]
        ends = [start + window.length for start, window in zip(starts, self.windows, strict=True)]
        again = starts[0] + _shortest_gap(self) * DAY
        if any(end > start for end, start in zip(ends, [*starts[1:], again], strict=True)):
            raise ValueError("windows stand in order and don't overlap, this day's or the next one's")

    def to_json(self) -> Any:
        return msgspec.to_builtins(self)


class RuleError(ValueError):
    """A rule that can't be; the message names the field."""


def read_rule(data: object) -> Rule:
    """The rule in `data`, as decoded from JSON. Raises RuleError."""
    try:
        return msgspec.convert(data, Rule)
    except msgspec.ValidationError as error:
        raise RuleError(str(error)) from None


@dataclass(frozen=True, slots=True)
class SlotKey:
    """A slot of one patient, as the phone names it: `schedule:local date:n`."""

    schedule_id: UUID
    local_date: date
    n: int

    def __str__(self) -> str:
        return f"{self.schedule_id}:{self.local_date}:{self.n}"


def read_slot_key(text: str) -> SlotKey:
    """Raises ValueError where `text` names no slot that could be."""
    schedule_id, local_date, n = text.split(":")
    number = int(n)
    if str(number) != n or not 0 <= number < 32_768:
        raise ValueError("no such number of a slot")
    return SlotKey(UUID(schedule_id), date.fromisoformat(local_date), number)


@dataclass(frozen=True, slots=True)
class Span:
    """Local days, both ends included: a holiday, a hospital stay."""

    first: date
    last: date


@dataclass(frozen=True, slots=True, order=True)
class Due:
    """One slot: the `n`-th window of a local day.

    An answer authored from `opens_at` to before `closes_at` is the slot's; one that arrives after `missed_at` is late.
    """

    local_date: date
    n: int
    opens_at: datetime
    closes_at: datetime
    missed_at: datetime
    paused: bool


Zones = Sequence[tuple[datetime, ZoneInfo]]
"""Since when the patient is in which zone, in order; the first holds for the time before it too. At least one."""


def due(rule: Rule, anchor: date, zones: Zones, pauses: Iterable[Span], days: Span) -> list[Due]:
    """The slots of the local days in `days`, in order of their days."""
    pauses = list(pauses)
    return [
        _slot(rule, n, window, day, zones, pauses)
        for day in asked_days(rule, anchor, days)
        for n, window in enumerate(rule.windows)
    ]


def asked_days(rule: Rule, anchor: date, days: Span) -> Iterator[date]:
    """The local days in `days` on which the rule asks for something, in order."""
    first = anchor + rule.from_day * DAY
    last = days.last if rule.to_day is None else min(days.last, anchor + rule.to_day * DAY)
    if isinstance(rule.pattern, Points):
        points = {first + offset * DAY for offset in rule.pattern.days}
        points |= {add_months(anchor, months) + rule.from_day * DAY for months in rule.pattern.months}
        yield from sorted(day for day in points if days.first <= day <= last)
        return
    day = max(first, days.first)
    while day <= last:
        start = first if rule.burst is None else _burst_start(first, day, rule.burst)
        if start is not None and _recurs_on(rule.pattern, start, day):
            yield day
        day += DAY


def add_months(day: date, months: int) -> date:
    """The same day of a later month, or that month's last."""
    years, month = divmod(day.month - 1 + months, 12)
    year, month = day.year + years, month + 1
    return date(year, month, min(day.day, calendar.monthrange(year, month)[1]))


def clock_at(instant: datetime, zones: Zones) -> datetime:
    """What the patient's clock shows, without a zone."""
    zone = next((zone for since, zone in reversed(zones) if since <= instant), zones[0][1])
    return instant.astimezone(zone).replace(tzinfo=None)


def instant_of(wall: datetime, zones: Zones) -> datetime:
    """The first instant, in UTC, at which the patient's clock shows `wall` or later."""
    for i, (since, zone) in enumerate(zones):
        at = _first_in_zone(wall, zone, since if i else None)
        if i + 1 == len(zones) or at < zones[i + 1][0]:
            return at
    raise ValueError("no zone")


def _slot(rule: Rule, n: int, window: Window, day: date, zones: Zones, pauses: Sequence[Span]) -> Due:
    wall = datetime.combine(day, window.opens)
    opens_at = instant_of(wall, zones)
    closes_at = instant_of(datetime.combine(day + window.days * DAY, window.closes), zones)
    if clock_at(opens_at, zones) != wall:  # A window that the clock jumped into keeps its length.
        closes_at = max(closes_at, opens_at + window.length)
    covered = Span(day, day + window.length // DAY * DAY)
    paused = any(pause.first <= covered.first and covered.last <= pause.last for pause in pauses)
    return Due(day, n, opens_at, closes_at, closes_at + timedelta(hours=rule.grace_hours), paused)


def _first_in_zone(wall: datetime, zone: ZoneInfo, since: datetime | None) -> datetime:
    at = _first_on_clock(wall, zone)
    if since is None or at > since:
        return at
    if since.astimezone(zone).replace(tzinfo=None) >= wall:
        return since
    return wall.replace(tzinfo=zone, fold=1).astimezone(UTC)  # They came within the repeated hour.


@lru_cache(maxsize=65_536)  # Patients share zones and clock times.
def _first_on_clock(wall: datetime, zone: ZoneInfo) -> datetime:
    at = wall.replace(tzinfo=zone, fold=0).astimezone(UTC)
    if at.astimezone(zone).replace(tzinfo=None) == wall:
        return at
    before, after = wall.replace(tzinfo=zone, fold=1).astimezone(UTC), at
    while after - before > timedelta(seconds=1):  # The clock skips `wall`: look for the skip.
        middle = before + (after - before) // 2
        if middle.astimezone(zone).replace(tzinfo=None) < wall:
            before = middle
        else:
            after = middle
    return after.replace(microsecond=0)


def _burst_start(first: date, day: date, burst: Burst) -> date | None:
    months = (day.year - first.year) * 12 + day.month - first.month
    start = add_months(first, months - months % burst.months)
    if start > day:
        start = add_months(first, months - months % burst.months - burst.months)
    return start if first <= start and day < start + burst.days * DAY else None


def _recurs_on(pattern: Days | Weeks, start: date, day: date) -> bool:
    passed = (day - start).days
    if isinstance(pattern, Days):
        return passed % pattern.every == 0
    weekdays = pattern.on or (start.isoweekday(),)
    return passed // 7 % pattern.every == 0 and day.isoweekday() in weekdays


def _shortest_gap(rule: Rule) -> int:
    """Days between two days that the rule asks on, at the least."""
    pattern = rule.pattern
    if isinstance(pattern, Days):
        return pattern.every
    if isinstance(pattern, Weeks):
        on = sorted(set(pattern.on)) or [1]
        gaps = [b - a for a, b in pairwise(on)]
        # Where blocks of seven days start within the week is not known before the anchor is.
        return min([*gaps, 7 + on[0] - on[-1]]) if len(on) > 1 else 7 * pattern.every
    points = sorted({*pattern.days, *(28 * months for months in pattern.months)})
    return min((b - a for a, b in pairwise(points)), default=3660)
