"""How much of a prescribed session was done: as a share of its dose, by modality, and in MET-minutes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from exercises.adherence import met_minutes, volume
from exercises.dose import Dose, Intervals, Minutes, Sets, Steps
from exercises.entry import Exercise
from exercises.items import DoneItem
from exercises.plan import Item, Plan


def share_of(item: Item, done: DoneItem | None, session_minutes: float | None = None) -> float:
    """The share of one exercise's dose that was done, 0 to 1. More than prescribed counts as all of it.

    What the patient left out was as prescribed, unless they said that they didn't complete it; then only what they
    counted is counted. `session_minutes` stand in for a timed exercise that says no minutes of its own.
    """
    if done is None:
        return 0
    amount = _amount(item.dose, done, session_minutes)
    if amount is None:
        return 0 if done.completed is False else 1
    prescribed = volume(item.dose)
    return min(1.0, amount / prescribed) if prescribed else 1.0


def _amount(dose: Dose, done: DoneItem, session_minutes: float | None) -> float | None:
    """What was counted, in the units of `volume`; None where nothing was."""
    match dose:
        case Sets():
            given = next((value for value in (done.reps, done.seconds, done.breaths) if value is not None), None)
            if given is None and done.sets is None:
                return None
            prescribed = dose.reps or dose.seconds or dose.breaths or 0
            once = prescribed if given is None else min(given, prescribed)
            sets = dose.sets if done.sets is None else min(done.sets, dose.sets)
            return sets * once * (2 if dose.each_side else 1)
        case Intervals():
            if done.rounds is None and done.work_seconds is None:
                return None
            rounds = dose.rounds if done.rounds is None else done.rounds
            return rounds * (dose.work_seconds if done.work_seconds is None else done.work_seconds)
        case Minutes():
            minutes = session_minutes if done.minutes is None else done.minutes
            if minutes is None and done.bouts is None:
                return None
            if done.minutes is None and done.bouts is None:
                return minutes
            return (dose.minutes if minutes is None else minutes) * (dose.bouts if done.bouts is None else done.bouts)
        case Steps():
            return done.steps


def session_share(plan: Plan, done: Iterable[DoneItem], session_minutes: float | None) -> float:
    """The share of the session's dose: the mean over its exercises, each at most whole."""
    by_slug = {each.exercise: each for each in done}
    alone = session_minutes if len(plan.items) == 1 else None
    return sum(share_of(item, by_slug.get(item.exercise), alone) for item in plan.items) / len(plan.items)


def share_by_modality(
    plan: Plan, exercises: Mapping[str, Exercise], done: Iterable[DoneItem], session_minutes: float | None
) -> dict[str, float]:
    """The same, for each modality of the session."""
    by_slug = {each.exercise: each for each in done}
    alone = session_minutes if len(plan.items) == 1 else None
    shares: dict[str, list[float]] = {}
    for item in plan.items:
        share = share_of(item, by_slug.get(item.exercise), alone)
        shares.setdefault(exercises[item.exercise].modality, []).append(share)
    return {modality: sum(each) / len(each) for modality, each in shares.items()}


def session_met_minutes(
    plan: Plan, exercises: Mapping[str, Exercise], done: Sequence[DoneItem], session_minutes: float | None
) -> float:
    """MET-minutes of the exercises that have a MET value; hard intervals count their work, not their rests."""
    alone = session_minutes if len(plan.items) == 1 else None
    items = {item.exercise: item for item in plan.items}
    total = 0.0
    for each in done:
        item, exercise = items.get(each.exercise), exercises.get(each.exercise)
        if item is None or exercise is None or exercise.met is None:
            continue
        total += met_minutes(exercise.met, _minutes(item, each, alone))
    return round(total, 1)


def _minutes(item: Item, done: DoneItem, session_minutes: float | None) -> float:
    amount = _amount(item.dose, done, session_minutes)
    if amount is None:
        amount = 0 if done.completed is False else volume(item.dose)
    match item.dose:
        case Intervals():
            return amount / 60
        case Minutes():
            return amount
        case _:
            return done.minutes or 0
