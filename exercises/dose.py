"""How much of an exercise: four kinds of dose, as numbers."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta

Count = Annotated[int, Meta(ge=1, le=100)]
Seconds = Annotated[int, Meta(ge=0, le=3600)]
Rpe = Annotated[int, Meta(ge=0, le=10)]
Percent = Annotated[int, Meta(ge=1, le=100)]


class _Dose(
    msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, tag_field="kind", omit_defaults=True
):
    sessions_per_week: Annotated[int, Meta(ge=1, le=7)]


class Sets(_Dose, frozen=True, kw_only=True, tag="sets"):
    """Sets of repetitions, of seconds or of breaths; exactly one of the three is given."""

    sets: Annotated[int, Meta(ge=1, le=20)]
    reps: Count | None = None
    seconds: Annotated[int, Meta(ge=1, le=600)] | None = None
    breaths: Count | None = None
    each_side: bool = False
    hold_seconds: Annotated[int, Meta(ge=1, le=120)] | None = None  # within each repetition
    lowering_seconds: Annotated[int, Meta(ge=1, le=30)] | None = None  # the slow part of eccentric work
    rest_seconds: Seconds = 0

    def __post_init__(self) -> None:
        if sum(value is not None for value in (self.reps, self.seconds, self.breaths)) != 1:
            raise ValueError("a dose in sets has either reps, seconds or breaths")


class Intervals(_Dose, frozen=True, kw_only=True, tag="intervals"):
    """Hard and easy in turn. Heart rate as percent of the maximum; RPE 0–10 leads where heart rate is no guide."""

    work_seconds: Annotated[int, Meta(ge=5, le=600)]
    rest_seconds: Annotated[int, Meta(ge=5, le=600)]
    rounds: Annotated[int, Meta(ge=1, le=30)]
    work_rpe: tuple[Rpe, Rpe]
    rest_rpe: tuple[Rpe, Rpe]
    work_heart_rate: tuple[Percent, Percent] | None = None
    warm_up_minutes: Annotated[int, Meta(ge=0, le=30)] = 5
    cool_down_minutes: Annotated[int, Meta(ge=0, le=30)] = 5


class Minutes(_Dose, frozen=True, kw_only=True, tag="minutes"):
    """Steady work or practice: `bouts` times `minutes`."""

    minutes: Annotated[int, Meta(ge=1, le=180)]
    bouts: Annotated[int, Meta(ge=1, le=10)] = 1
    heart_rate: tuple[Percent, Percent] | None = None  # percent of the maximum


class Steps(_Dose, frozen=True, kw_only=True, tag="steps"):
    """A daily goal of steps: the mean of the person's own baseline week, and so many more.

    The catalogue leaves `steps` open; a prescription must name it.
    """

    steps: Annotated[int, Meta(ge=100, le=40_000)] | None = None
    over_baseline: Annotated[int, Meta(ge=0, le=1000)]


type Dose = Sets | Intervals | Minutes | Steps

# What of a dose a step up or down may change, one at a time.
NUMBERS = frozenset(
    {
        *("sets", "reps", "seconds", "breaths", "hold_seconds", "lowering_seconds", "rest_seconds"),
        *("work_seconds", "rounds", "minutes", "bouts", "steps"),
    }
)


def changeable(dose: Dose) -> frozenset[str]:
    """The numbers of this dose that a step up or down can change."""
    given = {name for name in NUMBERS & set(dose.__struct_fields__) if getattr(dose, name) is not None}
    return frozenset(given | {"steps"} if isinstance(dose, Steps) else given)


def heart_rate_maximum(age: int) -> float:
    """Beats a minute: 208 − 0.7 × age (Tanaka 2001). No guide for who takes a beta-blocker."""
    return 208 - 0.7 * age
