"""One exercise a step easier or harder: one variable of its dose, or another entry of the catalogue.

Pure functions on plain values; which step is due is for `exercises.progression` to say.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import msgspec

from exercises.dose import NUMBERS, Dose, changeable
from exercises.entry import Change, Exercise
from exercises.plan import Limits

LADDER = "ladder"  # the variable of a step in graded exposure
DELOAD = (0.30, 0.50)  # how much volume a flare takes away
QUOTA_STEP = (0.10, 0.20)  # a week


@dataclass(frozen=True, slots=True)
class Item:
    """One exercise as it is prescribed now. `eased_from` is the dose before a flare took some of it away."""

    exercise: Exercise
    dose: Dose
    last_step: date
    eased_from: Dose | None = None


@dataclass(frozen=True, slots=True)
class Step:
    """One exercise changed in one variable. `to` is the entry that takes its place, else None.

    On the ladder of fear (`variable` is LADDER) `exercise` and `to` are the tasks, `before` and `after` their places.
    """

    exercise: str
    variable: str
    before: float | None = None
    after: float | None = None
    to: str | None = None
    dose: Dose | None = None


def _with(item: Item, variable: str, value: int) -> Step:
    before = getattr(item.dose, variable)
    dose = msgspec.structs.replace(item.dose, **{variable: value})
    return Step(item.exercise.slug, variable, before, value, dose=dose)


# Of what makes the volume of a session, in the order in which it is changed first.
_VOLUME = ("sets", "rounds", "bouts", "minutes", "work_seconds", "reps", "seconds", "breaths", "steps")


def lighten(item: Item, limits: Limits) -> Step | None:
    """The exercise at 30 to 50 % less volume, by one variable; None where it is too small to be divided so.

    Where the limits allow less than half, a step within them is preferred if there is one.
    """
    least, most = DELOAD
    within = min(most, limits.step_back / 100)
    for allowed in dict.fromkeys((max(within, least), most)):
        for variable in _VOLUME:
            now = getattr(item.dose, variable, None)
            if not now:
                continue
            middle = round(now * (1 - (least + allowed) / 2))
            for value in sorted(range(1, now), key=lambda value: abs(value - middle)):
                if least - 1e-9 <= 1 - value / now <= allowed + 1e-9:
                    return _with(item, variable, value)
    return None


def raised(item: Item) -> Step | None:
    """The exercise at 10 to 20 % more, by one variable; None where no whole number is that near.

    Not past the limit that the catalogue names for that variable.
    """
    least, most = QUOTA_STEP
    for variable in _VOLUME:
        now = getattr(item.dose, variable, None)
        if not now:
            continue
        step = item.exercise.progression
        ceiling = step.limit if step.variable == variable and step.limit else float("inf")
        for value in range(int(now * (1 + most) + 1e-9), now, -1):
            if value / now - 1 >= least - 1e-9 and value <= ceiling:
                return _with(item, variable, value)
    return None


def easier(item: Item) -> Step | None:
    """One step back along the catalogue; None at the easiest."""
    change = item.exercise.regression
    return _along(item, change, up=change.variable == "rest_seconds")


def harder(item: Item) -> Step:
    """One step on along the catalogue; at the limit of a number it stays where it is."""
    change = item.exercise.progression
    return _along(item, change, up=True) or Step(item.exercise.slug, change.variable or "exercise")


def _along(item: Item, change: Change, *, up: bool) -> Step | None:
    if change.to is not None:
        return Step(item.exercise.slug, "exercise", to=change.to)
    assert change.variable is not None  # noqa: S101  the catalogue's check has seen to it
    if change.variable not in NUMBERS & changeable(item.dose) or change.by is None or change.limit is None:
        return Step(item.exercise.slug, change.variable)
    before = getattr(item.dose, change.variable)
    if before is None:
        return None
    after = min(before + change.by, change.limit) if up else max(before - change.by, change.limit)
    if (after > before) != up or after == before:
        return None
    return _with(item, change.variable, int(after))


def back_to(item: Item) -> Step | None:
    for variable in _VOLUME:
        before, after = getattr(item.dose, variable, None), getattr(item.eased_from, variable, None)
        if before and after and after > before:
            return _with(item, variable, after)
    return None
