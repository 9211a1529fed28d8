"""When to say something to one patient, and when rather not. Pure; what is decided here is written by `ticking`.

The numbers are the product's own defaults, for a clinic to ratify.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta

from backend.reminders.slots import DAY, Remind, SlotKey, Span, Zones, clock_at, instant_of

# Reminders that fall due this close together make one message.
BUNDLED_WITHIN = timedelta(minutes=15)

# Days since the patient was last heard of: from then on only a first reminder, and only every so many days; 0: none.
# Who is silent is for the clinic to call, not for the phone to push.
GENTLE = ((7, 3), (21, 7), (60, 0))


@dataclass(frozen=True)
class Wishes:
    """How a patient wants to be reminded."""

    remind: bool = True
    quiet_from: time = time(21)
    quiet_to: time = time(7)
    weekly_cap: int = 21  # messages in seven days, at most
    tell_week: bool = True
    tell_seen: bool = False


@dataclass
class OpenSlot:
    """An open slot. `nudge` is the number of its next reminder, due at `remind_at`, if there is one more."""

    key: SlotKey
    closes_at: datetime
    remind: Remind
    remind_at: datetime | None
    nudge: int


@dataclass
class Saying:
    """One message: which reminder of which slots. With a `why_not` it is not sent, only counted."""

    slots: list[tuple[SlotKey, int]]
    planned_at: datetime
    expires_at: datetime
    why_not: str = ""


@dataclass
class Listener:
    """The patient, as far as saying something to them goes.

    `last_heard` is the local day of their last answer, or of the last schedule that was made for them. `said` counts
    the messages of the last seven days.
    """

    zones: Zones
    wishes: Wishes
    last_heard: date
    said: int
    pauses: Sequence[Span] = field(default_factory=list)


def first_reminder(slot: OpenSlot, opens_at: datetime, listener: Listener) -> datetime | None:
    """When to remind first; None if never."""
    if not listener.wishes.remind:
        return None
    at = not_before(opens_at + timedelta(minutes=slot.remind.after), listener)
    return at if at < slot.closes_at else None


def not_before(at: datetime, listener: Listener) -> datetime:
    """`at`, or the end of the quiet hours and pauses that it falls into."""
    while True:
        wall = clock_at(at, listener.zones)
        if pause := next((p for p in listener.pauses if p.first <= wall.date() <= p.last), None):
            later = datetime.combine(pause.last + DAY, listener.wishes.quiet_to)
        elif _quiet(wall.time(), listener.wishes):
            later = datetime.combine(wall.date(), listener.wishes.quiet_to)
            later += DAY * (later <= wall)
        else:
            return at
        at = instant_of(later, listener.zones)


def news(wanted: bool, now: datetime, listener: Listener) -> Saying | None:
    """How to say now, or in the morning, what is no reminder; None where the patient doesn't want to hear it."""
    if not wanted or not listener.wishes.remind or listener.said >= listener.wishes.weekly_cap:
        return None
    at = not_before(now, listener)
    return Saying([], at, min(_next_quiet(at, listener), at + timedelta(hours=12)))


def say(slots: Sequence[OpenSlot], now: datetime, listener: Listener) -> list[Saying]:
    """What to say now about a patient's open slots; sets when each of them is to be spoken of next.

    At most one message goes out, however many slots are due and however many nudges an outage swallowed. What comes
    too late, or is more than the patient wants to hear, is not said but counted.
    """
    sayings: list[Saying] = []
    due = [slot for slot in slots if slot.remind_at is not None and slot.remind_at <= now]

    def leave(left: list[OpenSlot], why_not: str) -> None:
        if left:
            sayings.append(Saying([(slot.key, slot.nudge) for slot in left], now, now, why_not))
        for slot in left:
            slot.nudge += 1
            slot.remind_at = None
            due.remove(slot)

    leave([slot for slot in due if slot.closes_at <= now], "the window had closed")
    if (later := not_before(now, listener)) > now:
        leave([slot for slot in due if slot.closes_at <= later], "quiet until the window closes")
        for slot in due:
            slot.remind_at = later
        return sayings
    planned_at = min((slot.remind_at for slot in due if slot.remind_at), default=now)
    if swallowed := [(slot.key, nudge) for slot in due for nudge in _pass_over(slot, now, listener)]:
        sayings.append(Saying(swallowed, now, now, "a later one was due already"))
    if listener.said >= listener.wishes.weekly_cap:
        leave(list(due), "as many as wanted in a week")
    leave([slot for slot in due if not _welcome(slot, now, listener)], "not heard of for long")
    if due:
        soon = [s for s in slots if s.remind_at and now < s.remind_at <= now + BUNDLED_WITHIN]
        together = [*due, *(slot for slot in soon if _welcome(slot, now, listener))]
        last = min(max(slot.closes_at for slot in together), _next_quiet(now, listener))
        sayings.append(Saying([(slot.key, slot.nudge) for slot in together], planned_at, last))
        for slot in together:
            _advance(slot, listener)
    return sayings


def _quiet(at: time, wishes: Wishes) -> bool:
    if wishes.quiet_from <= wishes.quiet_to:
        return wishes.quiet_from <= at < wishes.quiet_to
    return at >= wishes.quiet_from or at < wishes.quiet_to


def _next_quiet(now: datetime, listener: Listener) -> datetime:
    wall, wishes = clock_at(now, listener.zones), listener.wishes
    if wishes.quiet_from == wishes.quiet_to:
        return datetime.max.replace(tzinfo=UTC)
    night = datetime.combine(wall.date(), wishes.quiet_from)
    return instant_of(night + DAY * (night <= wall), listener.zones)


def _welcome(slot: OpenSlot, now: datetime, listener: Listener) -> bool:
    silent = (clock_at(now, listener.zones).date() - listener.last_heard).days
    every = next((every for since, every in reversed(GENTLE) if silent >= since), None)
    return every is None or (every > 0 and slot.nudge == 0 and silent % every == 0)


def _pass_over(slot: OpenSlot, now: datetime, listener: Listener) -> list[int]:
    """Leave out the nudges after which another is due already; return their numbers."""
    passed = []
    while (then := _next(slot, listener)) is not None and then <= now:
        passed.append(slot.nudge)
        _advance(slot, listener)
    return passed


def _advance(slot: OpenSlot, listener: Listener) -> None:
    slot.remind_at = _next(slot, listener)
    slot.nudge += 1


def _next(slot: OpenSlot, listener: Listener) -> datetime | None:
    if slot.remind_at is None or slot.nudge >= slot.remind.nudges:
        return None
    then = not_before(slot.remind_at + timedelta(minutes=slot.remind.every), listener)
    return then if then < slot.closes_at else None
