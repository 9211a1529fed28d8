"""What was done of what was due: states of due days, adherence by day, week and programme, and training load.

Everything works on flat columns for many programmes at once; `docs/adherence.md` has the definitions with examples.
Days are ordinals of the patient's local calendar (`date.toordinal`), weeks run from Monday to Sunday. A programme is a
number from 0 that the caller gives it; one person may have several.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from exercises.dose import Dose, Intervals, Minutes, Sets, Steps

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

# A session counts as done from this share of its dose on; below it is partly done. Own default, for a clinician to
# ratify.
DONE_FROM = 0.8
# A week whose load is more than this above the mean of the four before it is flagged (clinical reference, section 5).
LOAD_JUMP = 0.30
_DAYS = 1 << 22  # more than any ordinal


class State(IntEnum):
    """What became of a due session. A paused day is neither done nor missed."""

    PAUSED = 0
    NOT_STARTED = 1
    IN_PROGRESS = 2
    DONE = 3
    PARTLY_DONE = 4
    DECLINED = 5
    MISSED = 6


SETTLED = (State.DONE, State.PARTLY_DONE, State.DECLINED, State.MISSED)  # these have a value


@dataclass(frozen=True, slots=True)
class Periods:
    """Stretches of days, both ends included. For prescriptions `weekdays` has bit 0 set for Monday … 6 for Sunday."""

    programme: Ints
    first: Ints
    last: Ints
    weekdays: Ints

    @classmethod
    def of(cls, rows: Iterable[tuple[int, int, int, int]]) -> Periods:
        return cls(*_columns(rows, 4))


@dataclass(frozen=True, slots=True)
class Sessions:
    """What was logged: `share` of the prescribed dose from 0 to 1, whether it is still going on, or was declined."""

    programme: Ints
    day: Ints
    share: Floats
    open: Flags
    declined: Flags

    @classmethod
    def of(cls, rows: Iterable[tuple[int, int, float, bool, bool]]) -> Sessions:
        programme, day, share, going_on, declined = zip(*rows, strict=True) if (rows := list(rows)) else ([],) * 5
        return cls(
            np.array(programme, np.int64),
            np.array(day, np.int64),
            np.array(share, np.float64),
            np.array(going_on, np.bool_),
            np.array(declined, np.bool_),
        )


@dataclass(frozen=True, slots=True)
class Days:
    """The due days, sorted by programme and day, with what became of each; `share` is 0 where nothing was done."""

    programme: Ints
    day: Ints
    state: Ints
    share: Floats


@dataclass(frozen=True, slots=True)
class Weeks:
    """Per programme and week: sessions due and done (at least partly), and the mean share of the dose due."""

    programme: Ints
    monday: Ints
    due: Ints
    done: Ints
    dose: Floats


def settle(prescribed: Periods, pauses: Periods, sessions: Sessions, from_day: int, today: Ints) -> Days:
    """What became of each session due from `from_day` to the end of the week of today.

    Programmes are numbered from 0, and `today[programme]` is the day that it is now where its patient is.

    A session belongs to the due day on which it was done. One that was done on another day of the same week makes up
    for the first due day of that week, up to today, for which nothing was done: what is still to come is not done yet.
    Several on one day add up, to at most the whole.
    `from_day` should be a Monday.
    """
    programme, day, weekdays = _expand(prescribed, from_day, today)
    is_due = (weekdays >> (day - 1) % 7) & 1 == 1
    due = np.unique(programme[is_due] * _DAYS + day[is_due])
    due_day, now = due % _DAYS, today[due // _DAYS]
    paused_programme, paused_day, _ = _expand(pauses, from_day, today)
    paused = np.isin(due, paused_programme * _DAYS + paused_day)

    key = sessions.programme * _DAYS + sessions.day
    logged, position = np.unique(key, return_inverse=True)
    share = np.minimum(np.bincount(position, sessions.share, len(logged)), 1.0)
    going_on = np.bincount(position, sessions.open, len(logged)) > 0
    declined = np.bincount(position, sessions.declined, len(logged)) > 0

    found = np.searchsorted(logged, due)
    same_day = np.zeros(len(due), np.bool_)
    within = found < len(logged)
    same_day[within] = logged[found[within]] == due[within]
    same_day &= ~paused
    of_day = found[same_day]

    due_share = np.zeros(len(due))
    due_share[same_day] = share[of_day]
    said_no = np.zeros(len(due), np.bool_)
    said_no[same_day] = declined[of_day]
    open_now = np.zeros(len(due), np.bool_)
    open_now[same_day] = going_on[of_day] & (due_day >= now)[same_day]

    spare = share > 0
    spare[of_day] = False
    empty = (due_share == 0) & ~paused & ~open_now & (due_day <= now)
    moved, filled = _pair(logged[spare], due[empty])
    due_share[np.flatnonzero(empty)[filled]] = share[np.flatnonzero(spare)[moved]]

    state = np.select(
        [paused, open_now, due_share >= DONE_FROM, due_share > 0, said_no, due_day >= now],
        [State.PAUSED, State.IN_PROGRESS, State.DONE, State.PARTLY_DONE, State.DECLINED, State.NOT_STARTED],
        State.MISSED,
    ).astype(np.int64)
    return Days(due // _DAYS, due_day, state, due_share)


def weeks(days: Days) -> Weeks:
    """Adherence by week. Paused days and days that are still to come are not due."""
    settled = np.isin(days.state, SETTLED)
    key, position = np.unique(days.programme[settled] * _DAYS + monday(days.day[settled]), return_inverse=True)
    done = np.isin(days.state[settled], (State.DONE, State.PARTLY_DONE))
    due = np.bincount(position, minlength=len(key))
    return Weeks(
        key // _DAYS,
        key % _DAYS,
        due.astype(np.int64),
        np.bincount(position, done, len(key)).astype(np.int64),
        np.bincount(position, days.share[settled], len(key)) / np.maximum(due, 1),
    )


@dataclass(frozen=True, slots=True)
class Overall:
    """One programme as a whole: sessions due and done, mean share of the dose, and runs of due days, pauses left out.

    `streak` counts back from the last settled day; `longest_gap` is the longest run of due days with nothing done.
    """

    due: int
    done: int
    dose: float | None
    streak: int
    longest_streak: int
    longest_gap: int


def overall(days: Days, programme: int) -> Overall:
    mine = (days.programme == programme) & np.isin(days.state, SETTLED)
    done = np.isin(days.state[mine], (State.DONE, State.PARTLY_DONE))
    return Overall(
        due=int(mine.sum()),
        done=int(done.sum()),
        dose=float(days.share[mine].mean()) if mine.any() else None,
        streak=int(len(done) - 1 - np.flatnonzero(~done)[-1]) if (~done).any() else len(done),
        longest_streak=_longest_run(done),
        longest_gap=_longest_run(~done),
    )


def load_jump(this_week: float, four_before: list[float]) -> float | None:
    """By how much a week's load (RPE × minutes) exceeds the mean of the four weeks before: 0.3 is 30 % more.

    None without four weeks to compare with, or without any load in them.
    """
    if len(four_before) != 4 or not any(four_before):
        return None
    return this_week / (sum(four_before) / 4) - 1


def volume(dose: Dose) -> float:
    """How much one session of this dose is, in units that only compare with the same kind of dose."""
    match dose:
        case Sets():
            once = dose.reps or dose.seconds or dose.breaths or 0
            return dose.sets * once * (2 if dose.each_side else 1)
        case Intervals():
            return dose.rounds * dose.work_seconds
        case Minutes():
            return dose.minutes * dose.bouts
        case Steps():
            return dose.steps or 0


def met_minutes(met: float, minutes: float) -> float:
    """Metabolic equivalents × minutes; the weights are those of the IPAQ (walking 3.3, moderate 4.0, vigorous 8.0)."""
    return met * minutes


def _columns(rows: Iterable[tuple[int, ...]], width: int) -> list[Ints]:
    return list(np.array(list(rows), np.int64).reshape(-1, width).T)


def monday[T: (int, Ints)](day: T) -> T:
    return day - (day - 1) % 7  # ordinal 1 was a Monday


def _expand(periods: Periods, from_day: int, today: Ints) -> tuple[Ints, Ints, Ints]:
    """One row for each day of each period from `from_day` to the end of this week: programme, day, weekdays."""
    first = np.maximum(periods.first, from_day)
    last = np.minimum(periods.last, monday(today[periods.programme]) + 6)
    length = np.maximum(last - first + 1, 0)
    offset = np.arange(length.sum()) - np.repeat(np.cumsum(length) - length, length)
    return (
        np.repeat(periods.programme, length),
        np.repeat(first, length) + offset,
        np.repeat(periods.weekdays, length),
    )


def _pair(sessions: Ints, due: Ints) -> tuple[Ints, Ints]:
    """Positions of sessions and of due days that go together: the n-th of a programme's week with the n-th."""
    session_rank, due_rank = _rank_in_week(sessions), _rank_in_week(due)
    _, one, other = np.intersect1d(session_rank, due_rank, assume_unique=True, return_indices=True)
    return one.astype(np.int64), other.astype(np.int64)


def _rank_in_week(key: Ints) -> Ints:
    """A number for (programme, week, n-th of that week) of sorted keys."""
    week = key // _DAYS * _DAYS + monday(key % _DAYS)
    start = np.searchsorted(week, week, side="left")
    return week + (np.arange(len(key)) - start)  # a week has seven days, so ranks stay below the next Monday


def _longest_run(flags: Flags) -> int:
    edges = np.flatnonzero(np.diff(np.concatenate(([False], flags, [False])).astype(np.int8)))
    return int((edges[1::2] - edges[::2]).max()) if len(edges) else 0
