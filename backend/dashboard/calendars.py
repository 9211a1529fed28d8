"""A month of due days and what became of each, as a table with words: colour is only added to them."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, timedelta

from backend.dashboard.wording import DAY_STATES
from backend.people.models import Patient
from exercises.reporting import kept


@dataclass
class Cell:
    """A day. `states` are those of the programmes due on it; `minutes` were trained, due or not."""

    day: date
    within: bool
    today: bool
    states: list[str] = field(default_factory=list)
    minutes: float | None = None


@dataclass
class Month:
    first: date
    before: date
    after: date | None
    weeks: list[list[Cell]]
    due: int
    done: int
    states: list[str]
    """Those of its days, in the order of DAY_STATES: where there is room for marks alone, they are explained."""


def month_of(text: str, today: date) -> date:
    """The first day of the month that is named, such as 2026-11; of this one where none is, or none that ever was."""
    try:
        named = date.fromisoformat(f"{text}-01")
    except ValueError:
        return today.replace(day=1)
    return named if date(2000, 1, 1) <= named <= today else today.replace(day=1)


def months_around(patient: Patient, first: date, today: date) -> Month:
    """The month in whole weeks; three statements, whatever lies before it."""
    following = (first + timedelta(days=31)).replace(day=1)
    monday = first - timedelta(days=first.weekday())
    length = (following - monday).days
    length += -length % 7
    days = [monday + timedelta(days=n) for n in range(length)]
    due, trained = kept(patient.pk, monday, days[-1], today)
    states: dict[date, list[str]] = {}
    for each in due:
        states.setdefault(each.day, []).append(each.state)
    cells = [Cell(day, first <= day < following, day == today, states.get(day, []), trained.get(day)) for day in days]
    within = [state for cell in cells if cell.within for state in cell.states]
    done = sum(state in ("done", "partly-done") for state in within)
    settled = done + sum(state in ("declined", "missed") for state in within)
    return Month(
        first,
        (first - timedelta(days=1)).replace(day=1),
        following if following <= today else None,
        [cells[n : n + 7] for n in range(0, len(cells), 7)],
        settled,
        done,
        [state for state in DAY_STATES if any(state in cell.states for cell in cells)],
    )
