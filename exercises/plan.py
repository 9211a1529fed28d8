"""What a prescription holds: exercises with doses, when, with what goals, and what may change by itself."""

from __future__ import annotations

from datetime import time
from typing import Annotated, Literal

from msgspec import Meta

from exercises.dose import Dose
from exercises.entry import Strict, Text

Weekday = Annotated[int, Meta(ge=1, le=7)]  # ISO: Monday is 1

# Quota: the dose grows by the calendar, whatever the pain up to 5. Pain-contingent: it follows the symptoms, for the
# first two weeks after a flare or surgery.
type Mode = Literal["quota", "pain-contingent"]


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
