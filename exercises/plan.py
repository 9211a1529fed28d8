"""What a prescription holds: exercises with doses, when, with what goals, and what may change by itself."""

from __future__ import annotations

from datetime import time
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from exercises.dose import Dose
from exercises.entry import Strict, Text

Weekday = Annotated[int, Meta(ge=1, le=7)]  # ISO: Monday is 1

# Quota: the dose grows by the calendar, whatever the pain up to 5. Pain-contingent: it follows the symptoms, for the
# first two weeks after a flare or surgery.
type Mode = Literal["quota", "pain-contingent"]


MIDDLE = 45  # of 100: where a ladder of fear is begun


class Item(Strict, frozen=True, kw_only=True):
    """One exercise at one dose. `note` is the clinician's own word to the patient.

    `form` says whether it is to be done as the catalogue describes it, or in its easier or harder form.
    """

    exercise: Annotated[str, Meta(min_length=1, max_length=64)]
    dose: Dose
    form: Literal["usual", "easier", "harder"] = "usual"
    note: Annotated[str, Meta(max_length=500)] = ""


class Phase(Strict, frozen=True, kw_only=True):
    """A stretch of the programme and what it is for."""

    name: Text
    goal: Text
    weeks: Annotated[int, Meta(ge=1, le=52)]


class Rung(Strict, frozen=True, kw_only=True):
    """A task that the patient is afraid of, in their words, and how much: 0 not at all, 100 as much as can be."""

    task: Annotated[str, Meta(min_length=1, max_length=200)]
    fear: Annotated[int, Meta(ge=0, le=100)]


class Exposure(Strict, frozen=True, kw_only=True):
    """Graded exposure: feared tasks from the least to the most feared, and the one that is practised now.

    Where `at` is not said it begins in the middle, with the task nearest to 45 of 100 (clinical reference, section 5:
    start at 40–50).
    """

    ladder: Annotated[tuple[Rung, ...], Meta(min_length=1, max_length=20)]
    at: Annotated[int, Meta(ge=0)] | None = None

    def __post_init__(self) -> None:
        fears = [rung.fear for rung in self.ladder]
        if fears != sorted(fears):
            raise ValueError("the ladder leads from the least to the most feared task")
        if len({rung.task for rung in self.ladder}) < len(self.ladder):
            raise ValueError("each task stands on the ladder once")
        if self.at is None:
            begin = min(range(len(fears)), key=lambda place: abs(fears[place] - MIDDLE))
            msgspec.structs.force_setattr(self, "at", begin)
        elif self.at >= len(self.ladder):
            raise ValueError("the ladder has no such rung")

    @property
    def rung(self) -> Rung:
        return self.ladder[self.at or 0]

    @property
    def above(self) -> Rung | None:
        """The next more feared task; None at the top."""
        return next(iter(self.ladder[(self.at or 0) + 1 :]), None)


class Limits(Strict, frozen=True, kw_only=True):
    """How far the dose may move by itself: the clinician's signature under these is the confirmation.

    `step_back` is how many percent of its volume an exercise may lose in one step, at most half. A step up waits for
    the clinician unless `step_up` says otherwise.
    """

    step_back: Annotated[int, Meta(ge=0, le=50)] = 50
    step_up: bool = False


class Plan(Strict, frozen=True, kw_only=True):
    """A home programme as it is in force on a day."""

    title: Annotated[str, Meta(min_length=1, max_length=200)]
    items: Annotated[tuple[Item, ...], Meta(min_length=1, max_length=30)]
    weekdays: Annotated[tuple[Weekday, ...], Meta(min_length=1, max_length=7)]
    opens: time = time(8)  # the patient's local clock: from when to when a session is asked for
    closes: time = time(21)
    mode: Mode = "pain-contingent"
    limits: Limits = Limits()
    phases: Annotated[tuple[Phase, ...], Meta(max_length=10)] = ()
    exposure: Exposure | None = None

    def __post_init__(self) -> None:
        if tuple(sorted(set(self.weekdays))) != self.weekdays:
            raise ValueError("weekdays stand in order, each once")
        if len({item.exercise for item in self.items}) < len(self.items):
            raise ValueError("each exercise stands in a programme once")
        if self.opens.tzinfo or self.closes.tzinfo or self.opens >= self.closes:
            raise ValueError("the window opens before it closes, by the local clock")

    @property
    def weekday_bits(self) -> int:
        return sum(1 << day - 1 for day in self.weekdays)
