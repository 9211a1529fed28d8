"""What else happens beside exercise, as structures: so that trends can be read against it. Nothing here says why.

Parameters of brain stimulation are those of the clinical reference, section 8 (after the checklist of Chipchase 2012);
their ranges only keep out what is no such treatment.
"""

from __future__ import annotations

from datetime import date, time, timedelta
from typing import Annotated, Literal

import msgspec
import numpy as np
from msgspec import Meta

from outcomes.slopes import slopes

type Severity = Annotated[int, Meta(ge=0, le=3)]
type Side = Literal["left", "right", "midline", "both"]
type Target = Literal["M1-hand", "M1-back", "DLPFC", "mPFC", "SMA", "other"]
type Words = Annotated[str, Meta(max_length=500)]
type Percent = Annotated[float, Meta(ge=1, le=150)]
type Seconds = Annotated[float, Meta(ge=0, le=7200)]
type Count = Annotated[int, Meta(ge=1, le=100_000)]
type Minutes = Annotated[float, Meta(gt=0, le=240)]
type SquareCm = Annotated[float, Meta(gt=0, le=200)]
type Pain = Annotated[int, Meta(ge=0, le=10)]


class _Strict(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, omit_defaults=True):
    pass


class _Kind(_Strict, frozen=True, kw_only=True, tag_field="kind"):
    pass


class BrainStimulation(_Kind, frozen=True, kw_only=True, tag="brain-stimulation"):
    """A course. `screened` says that metal, seizure, pregnancy and threshold-lowering drugs were asked about."""

    modality: Literal["rTMS", "iTBS", "cTBS", "tDCS", "HD-tDCS", "tACS"]
    indication: Words = ""
    target: Target
    side: Side
    targeting: Literal["10-20", "hotspot", "neuronavigation", "other"]
    coordinates: Words = ""
    planned_sessions: Annotated[int, Meta(ge=1, le=200)]
    schedule: Words = ""
    sham: Literal["active", "sham", "blinded"] = "active"
    protocol: Words = ""
    device: Words = ""
    consent: bool
    screened: bool


class Education(_Kind, frozen=True, kw_only=True, tag="pain-neuroscience-education"):
    topic: Words
    minutes: Minutes | None = None
    format: Literal["single", "group", "reading", "video"] = "single"
    r_npq: Annotated[int, Meta(ge=0, le=12)] | None = None  # right answers of twelve, revised questionnaire


class Psychotherapy(_Kind, frozen=True, kw_only=True, tag="cbt"):
    session_number: Annotated[int, Meta(ge=1, le=200)] | None = None
    homework: Words = ""


class ManualTherapy(_Kind, frozen=True, kw_only=True, tag="manual-therapy"):
    technique: Words
    region: Words
    grade: Words = ""


class MotorImagery(_Kind, frozen=True, kw_only=True, tag="motor-imagery"):
    stage: Literal["laterality", "imagery", "mirror"]
    minutes: Minutes
    accuracy_percent: Annotated[float, Meta(ge=0, le=100)] | None = None
    reaction_seconds: Seconds | None = None


class Injection(_Kind, frozen=True, kw_only=True, tag="injection"):
    substance: Words
    site: Words


class DrugChange(_Kind, frozen=True, kw_only=True, tag="drug-change"):
    drug: Words
    group: Literal["opioid", "nsaid", "antidepressant", "anticonvulsant", "other"]
    change: Literal["started", "raised", "lowered", "stopped"]
    dose: Words = ""


class Surgery(_Kind, frozen=True, kw_only=True, tag="surgery"):
    procedure: Words
    level: Words = ""


class WorkStatus(_Kind, frozen=True, kw_only=True, tag="work-status"):
    status: Literal["working", "adapted", "sick-leave", "not-working", "retired"]
    percent: Annotated[int, Meta(ge=0, le=100)] | None = None


class LifeEvent(_Kind, frozen=True, kw_only=True, tag="life-event"):
    what: Words


type Details = (
    BrainStimulation
    | Education
    | Psychotherapy
    | ManualTherapy
    | MotorImagery
    | Injection
    | DrugChange
    | Surgery
    | WorkStatus
    | LifeEvent
)


class _Magnetic(_Kind, frozen=True, kw_only=True):
    """What trains of magnetic pulses have in common, single pulses or bursts."""

    frequency_hz: float
    intensity_percent: Percent
    of: Literal["RMT", "AMT"]
    stimulator_percent: Annotated[float, Meta(ge=1, le=100)] | None = None
    threshold_method: Words = ""
    threshold_on: date | None = None
    pulses: Count
    trains: Annotated[int, Meta(ge=1, le=1000)]
    train_seconds: Seconds
    between_trains_seconds: Seconds = 0
    coil: Words = ""
    coil_orientation: Words = ""
    minutes: Minutes


class Rtms(_Magnetic, frozen=True, kw_only=True, tag="rTMS"):
    """One session of repetitive magnetic stimulation, in trains of single pulses."""

    frequency_hz: Annotated[float, Meta(ge=0.1, le=100)]


class ThetaBurst(_Magnetic, frozen=True, kw_only=True, tag="theta-burst"):
    """One session of theta bursts: few fast pulses, so many times a second. Continuous ones are one long train."""

    frequency_hz: Annotated[float, Meta(ge=20, le=100)]  # within a burst
    pulses_in_burst: Annotated[int, Meta(ge=2, le=10)]
    burst_frequency_hz: Annotated[float, Meta(ge=1, le=20)]


class Tdcs(_Kind, frozen=True, kw_only=True, tag="tDCS"):
    """One session of direct-current stimulation. The current density follows from current and size."""

    milliampere: Annotated[float, Meta(gt=0, le=4)]
    minutes: Annotated[float, Meta(gt=0, le=60)]
    ramp_up_seconds: Seconds = 30
    ramp_down_seconds: Seconds = 30
    anode: Words
    anode_cm2: SquareCm
    cathode: Words
    cathode_cm2: SquareCm
    montage: Words = ""
    impedance_kohm: Annotated[float, Meta(ge=0, le=100)] | None = None
    electrolyte: Literal["saline", "gel", "paste", "other"] = "saline"
    exercise_during: bool = False
    exercise_offset_minutes: Annotated[float, Meta(ge=-240, le=240)] | None = None
    place: Literal["clinic", "home"] = "clinic"

    @property
    def density(self) -> float:
        """Milliampere per square centimetre under the anode."""
        return self.milliampere / self.anode_cm2


class HdTdcs(_Kind, frozen=True, kw_only=True, tag="HD-tDCS"):
    """One session of direct current by small electrodes: one in the centre, its returns around it."""

    milliampere: Annotated[float, Meta(gt=0, le=4)]
    minutes: Annotated[float, Meta(gt=0, le=60)]
    ramp_up_seconds: Seconds = 30
    ramp_down_seconds: Seconds = 30
    centre: Words
    polarity: Literal["anodal", "cathodal"]
    returns: Words
    electrode_cm2: SquareCm
    impedance_kohm: Annotated[float, Meta(ge=0, le=100)] | None = None
    electrolyte: Literal["saline", "gel", "paste", "other"] = "gel"
    exercise_during: bool = False
    exercise_offset_minutes: Annotated[float, Meta(ge=-240, le=240)] | None = None
    place: Literal["clinic", "home"] = "clinic"

    @property
    def density(self) -> float:
        """Milliampere per square centimetre under the electrode in the centre."""
        return self.milliampere / self.electrode_cm2


class Tacs(_Kind, frozen=True, kw_only=True, tag="tACS"):
    """One session of alternating-current stimulation."""

    milliampere: Annotated[float, Meta(gt=0, le=4)]
    frequency_hz: Annotated[float, Meta(ge=0.1, le=200)]
    minutes: Annotated[float, Meta(gt=0, le=60)]
    sites: Words


type Parameters = Rtms | ThetaBurst | Tdcs | HdTdcs | Tacs

# Which structure a course's sessions have.
PARAMETERS: dict[str, type[Rtms | ThetaBurst | Tdcs | HdTdcs | Tacs]] = {
    "rTMS": Rtms,
    "iTBS": ThetaBurst,
    "cTBS": ThetaBurst,
    "tDCS": Tdcs,
    "HD-tDCS": HdTdcs,
    "tACS": Tacs,
}


class GivenEvent(_Strict, frozen=True, kw_only=True):
    """An adverse event of a session: how bad, and how likely it comes from the treatment."""

    kind: Literal["headache", "scalp-pain", "tingling", "burn", "syncope", "seizure", "mood-switch", "hearing", "other"]
    severity: Severity
    relatedness: Literal["unrelated", "possible", "probable", "certain"] = "possible"


class Given(_Strict, frozen=True, kw_only=True):
    """One session of a course, given or broken off."""

    day: date
    starts_at: time | None = None  # by the clinic's clock
    ends_at: time | None = None
    parameters: Parameters
    completed: bool
    aborted_because: Words = ""
    operator: Words = ""
    pain_before: Pain | None = None
    pain_after: Pain | None = None
    blinding_guess: Literal["active", "sham", "unsure"] | None = None
    medication_or_sleep_changed: Words = ""
    events: Annotated[tuple[GivenEvent, ...], Meta(max_length=20)] = ()


NOT_WHY = "This does not say why: other things changed as well, and high values tend to fall by themselves."
AROUND = timedelta(days=84)
FEWEST, SHORTEST = 5, timedelta(days=14)  # as for every slope: see outcomes.trends


class Slope(msgspec.Struct):
    """A slope a week with its 95 % interval; null where there are fewer than 5 values over 14 days."""

    n: int
    per_week: float | None
    low: float | None
    high: float | None


class BeforeAndAfter(msgspec.Struct):
    """The slopes of one measure in the twelve weeks before and after a day, side by side."""

    measure: str
    day: date
    before: Slope
    after: Slope
    note: str = NOT_WHY


def before_and_after(measure: str, day: date, values: list[tuple[date, float]]) -> BeforeAndAfter:
    """`values` are one a day, in order. The day itself counts as after."""
    before = [(at, value) for at, value in values if day - AROUND <= at < day]
    after = [(at, value) for at, value in values if day <= at <= day + AROUND]
    return BeforeAndAfter(measure, day, _slope(before), _slope(after))


def _slope(values: list[tuple[date, float]]) -> Slope:
    if len(values) < FEWEST or values[-1][0] - values[0][0] < SHORTEST:
        return Slope(len(values), None, None, None)
    days = np.array([[at.toordinal() for at, _ in values]], np.int64)
    found = slopes(days, np.array([[value for _, value in values]], np.float64))
    per_week, low, high = (round(7 * float(each[0]), 4) for each in (found.slope, found.low, found.high))
    return Slope(len(values), per_week, low, high)
