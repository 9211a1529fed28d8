"""A schedule's slots, in real zones, against references that are slow and obvious."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from backend.reminders.slots import (
    Burst,
    Days,
    Due,
    Points,
    Rule,
    RuleError,
    Span,
    Weeks,
    Window,
    Zones,
    add_months,
    asked_days,
    due,
    read_rule,
)

DAY = timedelta(days=1)
YEAR = Span(date(2026, 1, 1), date(2026, 12, 31))
EPOCH = datetime(2020, 1, 1, tzinfo=UTC)
ZONES = [
    "Europe/Zurich",
    "America/Los_Angeles",
    "America/New_York",
    "America/St_Johns",
    "Asia/Tokyo",
    "Asia/Kathmandu",
    "Australia/Lord_Howe",  # half an hour of daylight saving
    "Pacific/Chatham",
    "Pacific/Kiritimati",  # UTC+14
    "Pacific/Pago_Pago",  # UTC-11
    "Africa/Casablanca",  # daylight saving all year but Ramadan
    "America/Santiago",  # skips midnight
]
MORNING = Window(time(7), time(12))


def in_zone(name: str) -> Zones:
    return [(EPOCH, ZoneInfo(name))]


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


def slots(rule: Rule, zones: Zones, first: str, last: str, pauses: Sequence[Span] = ()) -> list[Due]:
    return due(rule, date(2025, 1, 1), zones, pauses, Span(date.fromisoformat(first), date.fromisoformat(last)))


def watched(walls: list[datetime], zones: Zones, step: timedelta) -> list[datetime]:
    """The obvious reference: watch the patient's clock, and note when it first shows each time or later."""
    found = []
    now = datetime(2025, 12, 30, tzinfo=UTC)
    segment = 0
    latest = walls[0] - DAY
    for wall in walls:
        while latest < wall:
            now += step
            while segment + 1 < len(zones) and zones[segment + 1][0] <= now:
                segment += 1
            latest = max(latest, now.astimezone(zones[segment][1]).replace(tzinfo=None))
        found.append(now)
    return found


@pytest.mark.parametrize("zone", ZONES)
def test_a_year_of_slots_opens_when_a_watched_clock_first_shows_the_time(zone: str) -> None:
    windows = tuple(Window(time(h, m), time(h, m + 15)) for h, m in [(0, 10), (1, 40), (2, 30), (3, 5), (21, 0)])
    computed = due(Rule(windows), date(2025, 1, 1), in_zone(zone), [], YEAR)
    walls = [datetime.combine(YEAR.first + i * DAY, w.opens) for i in range(365) for w in windows]
    assert [slot.opens_at for slot in computed] == watched(walls, in_zone(zone), timedelta(minutes=1))


quarter = timedelta(minutes=15)
quarters = st.integers(0, 95).map(lambda q: time(q // 4, q % 4 * 15))
moves = st.lists(st.integers(0, 4 * 24 * 365), max_size=6, unique=True).map(sorted)


@settings(deadline=None, max_examples=30)
@given(times=st.lists(quarters, min_size=1, max_size=3, unique=True), when=moves, data=st.data())
def test_a_traveller_has_each_slot_of_each_day_once(times: list[time], when: list[int], data: st.DataObject) -> None:
    zones = [(EPOCH, ZoneInfo(data.draw(st.sampled_from(ZONES))))]
    zones += [
        (datetime(2026, 1, 1, tzinfo=UTC) + w * quarter, ZoneInfo(data.draw(st.sampled_from(ZONES)))) for w in when
    ]
    windows = tuple(Window(t, (datetime.combine(date.min, t) + timedelta(minutes=1)).time()) for t in sorted(times))
    computed = due(Rule(windows), date(2025, 1, 1), zones, [], YEAR)
    walls = [datetime.combine(YEAR.first + i * DAY, w.opens) for i in range(365) for w in windows]
    assert [(slot.local_date, slot.n) for slot in computed] == [
        (YEAR.first + i * DAY, n) for i in range(365) for n in range(len(windows))
    ]
    assert [slot.opens_at for slot in computed] == watched(walls, zones, quarter)
    assert all(slot.opens_at < slot.closes_at for slot in computed)


def test_a_slot_in_the_lost_hour_opens_once_at_the_next_valid_minute() -> None:
    night = Rule((Window(time(2, 30), time(4)),))
    (slot,) = slots(night, in_zone("Europe/Zurich"), "2026-03-29", "2026-03-29")
    assert slot.opens_at == at("2026-03-29T03:00:00+02:00")
    assert slot.closes_at == at("2026-03-29T04:30:00+02:00")  # An hour and a half, as on other days.


def test_a_slot_in_the_doubled_hour_opens_once_the_first_time() -> None:
    night = Rule((Window(time(2, 30), time(4)),))
    (slot,) = slots(night, in_zone("Europe/Zurich"), "2026-10-25", "2026-10-25")
    assert slot.opens_at == at("2026-10-25T02:30:00+02:00")


def test_who_lands_within_a_doubled_hour_is_asked_in_it() -> None:
    zones = [*in_zone("America/New_York"), (at("2026-10-25T02:10:00+01:00"), ZoneInfo("Europe/Zurich"))]
    (slot,) = slots(Rule((Window(time(2, 30), time(4)),)), zones, "2026-10-25", "2026-10-25")
    assert slot.opens_at == at("2026-10-25T02:30:00+01:00")


def test_from_tokyo_to_san_francisco_no_day_is_asked_twice_and_none_is_left_out() -> None:
    zones = [*in_zone("Asia/Tokyo"), (at("2026-05-10T10:00:00-07:00"), ZoneInfo("America/Los_Angeles"))]
    found = slots(Rule((MORNING,)), zones, "2026-05-09", "2026-05-12")
    assert [slot.opens_at for slot in found] == [
        at("2026-05-09T07:00:00+09:00"),
        at("2026-05-10T07:00:00+09:00"),  # Answered in Tokyo; the second 10 May, in America, asks nothing.
        at("2026-05-11T07:00:00-07:00"),
        at("2026-05-12T07:00:00-07:00"),
    ]


def test_back_from_san_francisco_to_tokyo_the_day_that_the_flight_swallowed_is_asked_on_landing() -> None:
    landing = at("2026-05-21T16:00:00+09:00")
    zones = [*in_zone("America/Los_Angeles"), (landing, ZoneInfo("Asia/Tokyo"))]
    found = slots(Rule((MORNING,)), zones, "2026-05-20", "2026-05-22")
    assert [slot.opens_at for slot in found] == [
        at("2026-05-20T07:00:00-07:00"),
        landing,
        at("2026-05-22T07:00:00+09:00"),
    ]
    assert found[1].closes_at == landing + timedelta(hours=5)  # And the window keeps its length.


def test_a_window_past_midnight_belongs_to_the_evening_it_opens_on() -> None:
    (slot,) = slots(
        Rule((Window(time(20), time(4), days=1),), grace_hours=10), in_zone("Asia/Tokyo"), "2026-02-28", "2026-02-28"
    )
    assert slot.local_date == date(2026, 2, 28)
    assert slot.closes_at == at("2026-03-01T04:00:00+09:00")
    assert slot.missed_at == at("2026-03-01T14:00:00+09:00")


patterns = st.one_of(
    st.builds(Days, every=st.integers(1, 40)),
    st.builds(Weeks, every=st.integers(1, 8), on=st.lists(st.integers(1, 7), max_size=4, unique=True).map(tuple)),
)
bursts = st.none() | st.builds(Burst, days=st.integers(1, 28), months=st.integers(1, 6))
near = st.dates(date(2024, 1, 1), date(2026, 12, 31))


@settings(deadline=None)
@given(
    pattern=patterns,
    burst=bursts,
    anchor=near,
    start=near,
    from_day=st.integers(-30, 60),
    length=st.none() | st.integers(0, 400),
)
@example(Weeks(1, ()), Burst(14, 3), date(2024, 11, 30), date(2025, 1, 1), 0, None)
def test_days_are_those_that_one_gets_by_counting(
    pattern: Days | Weeks, burst: Burst | None, anchor: date, start: date, from_day: int, length: int | None
) -> None:
    rule = Rule(
        (Window(time(9), time(9, 30)),),
        pattern=pattern,
        burst=burst,
        from_day=from_day,
        to_day=None if length is None else from_day + length,
    )
    days = Span(start, start + 200 * DAY)
    first = anchor + from_day * DAY
    counted = set()
    for k in range(40):
        origin = first if burst is None else add_months(first, k * burst.months)
        for i in range(burst.days if burst else 1500):
            day = origin + i * DAY
            if isinstance(pattern, Days):
                hit = i in range(0, 1500, pattern.every)
            else:
                hit = i // 7 in range(0, 300, pattern.every)
                hit = hit and day.isoweekday() in (pattern.on or {origin.isoweekday()})
            if hit and days.first <= day <= days.last and (length is None or day <= first + length * DAY):
                counted.add(day)
        if burst is None:
            break
    assert list(asked_days(rule, anchor, days)) == sorted(counted)


def test_time_points_count_calendar_months_and_a_short_month_gives_its_last_day() -> None:
    rule = Rule((Window(time(8), time(20), days=13),), pattern=Points(days=(0,), months=(1, 6, 12)))
    assert list(asked_days(rule, date(2026, 1, 31), Span(date(2026, 1, 1), date(2028, 1, 1)))) == [
        date(2026, 1, 31),
        date(2026, 2, 28),
        date(2026, 7, 31),
        date(2027, 1, 31),
    ]


def test_a_one_off_is_asked_once() -> None:
    rule = Rule((MORNING,), pattern=Points(days=(3,)))
    assert list(asked_days(rule, date(2026, 1, 1), YEAR)) == [date(2026, 1, 4)]


def test_a_day_in_a_pause_is_kept_and_marked() -> None:
    holiday = [Span(date(2026, 7, 2), date(2026, 7, 3))]
    found = slots(Rule((MORNING,)), in_zone("Asia/Tokyo"), "2026-07-01", "2026-07-04", holiday)
    assert [slot.paused for slot in found] == [False, True, True, False]


def test_a_window_of_two_weeks_outlasts_a_short_pause() -> None:
    fortnight = Rule((Window(time(8), time(20), days=13),), pattern=Points(days=(0,)))
    days = Span(date(2026, 7, 1), date(2026, 7, 1))
    short, long = Span(date(2026, 7, 1), date(2026, 7, 10)), Span(date(2026, 7, 1), date(2026, 7, 20))
    zones = in_zone("Europe/Zurich")
    assert not due(fortnight, date(2026, 7, 1), zones, [short], days)[0].paused
    assert due(fortnight, date(2026, 7, 1), zones, [long], days)[0].paused


def test_a_rule_survives_the_way_through_json() -> None:
    rule = Rule((MORNING, Window(time(20), time(4), 1)), pattern=Weeks(2, (1, 4)), burst=Burst(14, 3), to_day=90)
    assert read_rule(rule.to_json()) == rule


@pytest.mark.parametrize(
    ("data", "named"),
    [
        ({"windows": []}, "windows: name at least one"),
        ({"anchor": "prescription"}, "a prescription itself says"),
        ({"windows": [{"opens": "25:00:00", "closes": "12:00:00"}]}, "$.windows[0].opens"),
        ({"windows": [{"opens": "20:00:00", "closes": "04:00:00"}]}, "past midnight, say days: 1"),
        ({"windows": [{"opens": "20:00:00+02:00", "closes": "21:00:00"}]}, "$.windows[0].opens"),
        ({"windows": [{"opens": "07:00:00", "closes": "08:00:00", "days": 1}]}, "don't overlap"),
        (
            {"windows": [{"opens": "07:00:00", "closes": "12:00:00"}, {"opens": "11:00:00", "closes": "13:00:00"}]},
            "don't overlap",
        ),
        ({"pattern": {"type": "days", "every": 0}}, "$.pattern.every"),
        ({"pattern": {"type": "weeks", "on": [8]}}, "$.pattern.on"),
        ({"pattern": {"type": "points"}}, "at least one time point"),
        ({"pattern": {"type": "moons"}}, "$.pattern"),
        ({"burst": {"days": 60, "months": 1}}, "ends before the next"),
        ({"pattern": {"type": "points", "days": [1]}, "burst": {"days": 5, "months": 1}}, "bursts"),
        ({"anchor": "birth"}, "$.anchor"),
        ({"from_day": 3, "to_day": 1}, "to_day is before"),
        ({"remind": {"nudges": 6}}, "$.remind.nudges"),
        ({"gracehours": 3}, "gracehours"),
        ([], "object"),
    ],
)
def test_a_rule_that_cannot_be_is_refused_with_the_fields_name(data: Any, named: str) -> None:
    if isinstance(data, dict):
        data = {"windows": [{"opens": "07:00:00", "closes": "12:00:00"}], **data}
    with pytest.raises(RuleError) as refused:
        read_rule(data)
    assert named in str(refused.value)
