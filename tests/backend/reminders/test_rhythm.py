"""When something is said, and when rather not."""

from datetime import date, datetime, time, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest

from backend.reminders.rhythm import Listener, OpenSlot, Wishes, first_reminder, not_before, say
from backend.reminders.slots import Remind, SlotKey, Span
from tests.backend.reminders.given import at

ZURICH = [(at("2020-01-01T00:00:00Z"), ZoneInfo("Europe/Zurich"))]
NOON = at("2026-03-02T12:00:00+01:00")
HOUR = timedelta(hours=1)


def a_listener(
    last_heard: date = date(2026, 3, 1), said: int = 0, pauses: tuple[Span, ...] = (), **wishes: object
) -> Listener:
    return Listener(ZURICH, Wishes(**wishes), last_heard, said, pauses)  # type: ignore[arg-type]


def a_slot(
    remind_at: datetime | None = NOON,
    closes_at: datetime = NOON + 8 * HOUR,
    nudges: int = 2,
    nudge: int = 0,
    n: int = 0,
) -> OpenSlot:
    return OpenSlot(
        SlotKey(UUID(int=0), date(2026, 3, 2), n), closes_at, Remind(0, nudges, every=120), remind_at, nudge
    )


def test_a_reminder_is_said_and_the_next_is_two_hours_later() -> None:
    slot = a_slot()
    (saying,) = say([slot], NOON, a_listener())
    assert (saying.slots, saying.why_not) == ([(slot.key, 0)], "")
    assert (slot.nudge, slot.remind_at) == (1, NOON + 2 * HOUR)


def test_after_the_last_nudge_nothing_more_is_said() -> None:
    slot = a_slot(nudge=2)
    assert len(say([slot], NOON, a_listener())) == 1
    assert slot.remind_at is None


def test_no_nudge_comes_after_the_window() -> None:
    slot = a_slot(closes_at=NOON + 2 * HOUR)
    say([slot], NOON, a_listener())
    assert slot.remind_at is None


def test_what_is_due_within_a_quarter_of_an_hour_goes_along() -> None:
    slots = [
        a_slot(),
        a_slot(NOON + timedelta(minutes=15), n=1),
        a_slot(NOON + timedelta(minutes=16), n=2),
    ]
    (saying,) = say(slots, NOON, a_listener())
    assert [key.n for key, _ in saying.slots] == [0, 1]


def test_an_outage_leaves_one_message_and_counts_the_others() -> None:
    slot = a_slot()
    swallowed, said = say([slot], NOON + 3 * HOUR, a_listener())
    assert (swallowed.slots, swallowed.why_not != "") == ([(slot.key, 0)], True)
    assert (said.slots, said.why_not) == ([(slot.key, 1)], "")
    assert slot.remind_at == NOON + 4 * HOUR


def test_an_outage_into_the_night_is_never_made_up_at_night() -> None:
    slot = a_slot(closes_at=NOON + 24 * HOUR)
    assert say([slot], at("2026-03-02T23:00:00+01:00"), a_listener()) == []
    assert slot.remind_at == at("2026-03-03T07:00:00+01:00")
    closing = a_slot(closes_at=at("2026-03-03T04:00:00+01:00"))
    (saying,) = say([closing], at("2026-03-02T23:00:00+01:00"), a_listener())
    assert saying.why_not
    assert closing.remind_at is None


def test_what_could_not_be_sent_by_the_evening_is_not_sent_at_night() -> None:
    (saying,) = say([a_slot(closes_at=NOON + 24 * HOUR)], NOON, a_listener())
    assert saying.expires_at == at("2026-03-02T21:00:00+01:00")


def test_a_closed_window_is_not_reminded_of() -> None:
    slot = a_slot(closes_at=NOON)
    (saying,) = say([slot], NOON, a_listener())
    assert saying.why_not


@pytest.mark.parametrize(
    ("asked", "given"),
    [
        ("2026-03-02T20:59:00+01:00", "2026-03-02T20:59:00+01:00"),
        ("2026-03-02T21:00:00+01:00", "2026-03-03T07:00:00+01:00"),
        ("2026-03-03T06:59:00+01:00", "2026-03-03T07:00:00+01:00"),
        ("2026-03-03T07:00:00+01:00", "2026-03-03T07:00:00+01:00"),
        ("2026-03-28T23:00:00+01:00", "2026-03-29T07:00:00+02:00"),  # the night that is an hour shorter
    ],
)
def test_quiet_hours_put_off_to_the_morning(asked: str, given: str) -> None:
    assert not_before(at(asked), a_listener()) == at(given)


def test_quiet_hours_of_the_day_and_none() -> None:
    siesta = a_listener(quiet_from=time(12), quiet_to=time(15))
    assert not_before(NOON, siesta) == NOON + 3 * HOUR
    assert not_before(NOON - HOUR, siesta) == NOON - HOUR
    none = a_listener(quiet_from=time(0), quiet_to=time(0))
    assert not_before(NOON - 12 * HOUR, none) == NOON - 12 * HOUR
    (saying,) = say([a_slot(closes_at=NOON + 30 * HOUR)], NOON, none)
    assert saying.expires_at == NOON + 30 * HOUR


def test_a_holiday_puts_off_to_the_morning_after() -> None:
    holiday = (Span(date(2026, 3, 2), date(2026, 3, 5)),)
    assert not_before(NOON, a_listener(pauses=holiday)) == at("2026-03-06T07:00:00+01:00")


def test_no_more_is_said_in_a_week_than_is_wanted() -> None:
    (saying,) = say([a_slot()], NOON, a_listener(said=5, weekly_cap=5))
    assert saying.why_not
    (saying,) = say([a_slot()], NOON, a_listener(said=4, weekly_cap=5))
    assert not saying.why_not


def test_who_wants_no_reminders_gets_none() -> None:
    assert first_reminder(a_slot(), NOON, a_listener(remind=False)) is None
    assert first_reminder(a_slot(), NOON, a_listener()) == NOON


def test_who_stopped_answering_hears_less_and_less_and_then_nothing() -> None:
    heard = []
    for silent in range(100):
        last_heard = date(2026, 3, 2) - timedelta(days=silent)
        if any(not saying.why_not for saying in say([a_slot()], NOON, a_listener(last_heard))):
            heard.append(silent)
    assert heard == [0, 1, 2, 3, 4, 5, 6, 9, 12, 15, 18, 21, 28, 35, 42, 49, 56]


def test_who_stopped_answering_is_not_nudged() -> None:
    assert say([a_slot(nudge=1)], NOON, a_listener(date(2026, 2, 21)))[0].why_not
