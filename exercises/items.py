"""What a phone says of exercise sessions: decoded by type, then examined on plain values."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Annotated, Any, Literal
from uuid import UUID

import msgspec

from backend.rest.verdicts import FieldError
from outcomes.intake import FURTHEST_AHEAD, DateTime, digest_of, local_day, when_errors

Note = Annotated[str, msgspec.Meta(max_length=2000)]
type Reason = Literal["pain", "fear", "time", "forgot", "ill", "too-hard", "bored", "other"]
type EventKind = Literal[
    "syncope", "seizure", "chest-pain", "burn", "fall", "injury", "dizziness", "headache", "scalp-pain", "tingling",
    "mood-switch", "hearing", "other",
]  # fmt: skip

LONGEST = timedelta(days=1)
PLAUSIBLE_HEART_RATE = (30, 230)  # beats a minute; anything else is kept, marked, and used for nothing


class DoneItem(msgspec.Struct, omit_defaults=True):
    """What was done of one exercise: per set, and per side where it has sides. What is left out was as prescribed."""

    exercise: str
    completed: bool | None = None
    sets: int | None = None
    reps: int | None = None
    seconds: float | None = None
    breaths: int | None = None
    minutes: float | None = None
    bouts: int | None = None
    rounds: int | None = None
    work_seconds: float | None = None
    steps: int | None = None
    load_kg: float | None = None
    rpe: float | None = None
    too_hard: bool = False
    too_easy: bool = False


class ExposureItem(msgspec.Struct, omit_defaults=True):
    """One feared task faced. Fear is 0–100, before and after; pain is 0–10, `feared` as expected, `actual` as it was.

    `came_true` says whether what the patient feared would happen did happen.
    """

    task: Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
    fear_before: int | None = None
    fear_after: int | None = None
    feared: int | None = None
    actual: int | None = None
    came_true: bool | None = None


class SessionItem(msgspec.Struct, tag_field="type", tag="session", omit_defaults=True):
    """A session that was done, is going on (neither `minutes` nor `finished_at`), or was skipped with a reason.

    Pain and effort (RPE) are 0–10.
    """

    id: UUID
    time_zone: str
    prescription: UUID | None = None
    started_at: DateTime | None = None
    finished_at: DateTime | None = None
    authored_at: DateTime | None = None
    minutes: float | None = None
    rpe: int | None = None
    pain_before: int | None = None
    pain_during: int | None = None
    pain_after: int | None = None
    heart_rate: int | None = None
    exercises: list[DoneItem] = []
    exposures: list[ExposureItem] = []
    skipped: Reason | None = None
    note: Note = ""
    slot: str | None = None
    replaces: UUID | None = None


class NotTodayItem(msgspec.Struct, tag_field="type", tag="not-today", omit_defaults=True):
    """One tap: not today, and why. Kept as a session that was skipped."""

    id: UUID
    authored_at: DateTime
    time_zone: str
    reason: Reason = "other"
    prescription: UUID | None = None
    slot: str | None = None
    note: Note = ""


class FollowupItem(msgspec.Struct, tag_field="type", tag="session-followup", omit_defaults=True):
    """How it was on the day after a session."""

    id: UUID
    session: UUID
    authored_at: DateTime
    pain_next_day: int
    note: Note = ""


class SessionWithdrawalItem(msgspec.Struct, tag_field="type", tag="session-withdrawal", omit_defaults=True):
    """The patient takes a session back. It stays on record, marked, and counts no more."""

    id: UUID
    session: UUID
    authored_at: DateTime
    reason: Annotated[str, msgspec.Meta(max_length=500)] = ""


class AdverseEventItem(msgspec.Struct, tag_field="type", tag="adverse-event", omit_defaults=True):
    """Something bad that happened. `severity` is 0 none to 3 severe, as the patient sees it."""

    id: UUID
    kind: EventKind
    authored_at: DateTime
    session: UUID | None = None
    during: Literal["exercise", "brain-stimulation", "other"] = "exercise"
    severity: int | None = None
    note: Note = ""


class Draft(msgspec.Struct):
    """A session that has been examined and waits to be stored. `authored_at` is when it ended, or else began."""

    patient_id: int
    clinic_id: int
    item: SessionItem
    authored_at: datetime
    local_day: date
    minutes: float | None
    going_on: bool
    digest: bytes
    marks: list[str]
    programme: UUID | None = None  # known once it is stored


_TEN = (0, 10)
_RANGES: dict[str, tuple[float, float]] = {
    "minutes": (0, 1440),
    "rpe": _TEN,
    "pain_before": _TEN,
    "pain_during": _TEN,
    "pain_after": _TEN,
    "pain_next_day": _TEN,
    "feared": _TEN,
    "actual": _TEN,
    "fear_before": (0, 100),
    "fear_after": (0, 100),
    "severity": (0, 3),
    "sets": (0, 100),
    "reps": (0, 1000),
    "seconds": (0, 86_400),
    "breaths": (0, 1000),
    "bouts": (0, 100),
    "rounds": (0, 200),
    "work_seconds": (0, 86_400),
    "steps": (0, 200_000),
    "load_kg": (0, 1000),
    "heart_rate": (-(2**31), 2**31 - 1),
}


def out_of_range(item: msgspec.Struct, path: str = "") -> list[FieldError]:
    """The numbers of `item` that no session can have."""
    errors = []
    for name in item.__struct_fields__:
        value = getattr(item, name)
        if name in _RANGES and value is not None:
            low, high = _RANGES[name]
            if not low <= value <= high:
                errors.append(FieldError(f"{path}{name}", "out_of_range", f"This must be between {low} and {high}."))
    return errors


def examine_session(
    item: SessionItem | NotTodayItem, patient_id: int, clinic_id: int, received_at: datetime
) -> Draft | list[FieldError]:
    """Check a session on its own; what can only be told beside the prescription becomes a mark when it is stored."""
    if isinstance(item, NotTodayItem):
        digest, item = digest_of(item), as_skipped(item)
    else:
        digest = digest_of(item)
    errors = out_of_range(item)
    for position, done in enumerate(item.exercises):
        errors += out_of_range(done, f"exercises.{position}.")
    for position, faced in enumerate(item.exposures):
        errors += out_of_range(faced, f"exposures.{position}.")
    if item.replaces == item.id:
        errors.append(FieldError("replaces", "replaces_itself", "A session can't replace itself."))
    authored_at = item.finished_at or item.authored_at or item.started_at
    if authored_at is None:
        return [*errors, FieldError("started_at", "required", "Say when it was: started_at, or authored_at.")]
    errors += _when(item, authored_at, received_at)
    if errors:
        return errors
    minutes = item.minutes
    if minutes is None and item.finished_at and item.started_at:
        minutes = round((item.finished_at - item.started_at).total_seconds() / 60, 1)
    marks = []
    if item.heart_rate is not None and not PLAUSIBLE_HEART_RATE[0] <= item.heart_rate <= PLAUSIBLE_HEART_RATE[1]:
        marks.append("implausible-heart-rate")
    return Draft(
        patient_id=patient_id,
        clinic_id=clinic_id,
        item=item,
        authored_at=authored_at,
        local_day=local_day(item.started_at or authored_at, daily=True),
        minutes=minutes,
        going_on=item.skipped is None and minutes is None,
        digest=digest,
        marks=marks,
    )


def _when(item: SessionItem, authored_at: datetime, received_at: datetime) -> list[FieldError]:
    named = "finished_at" if item.finished_at else "authored_at" if item.authored_at else "started_at"
    errors = [
        FieldError(named if error.field == "authored_at" else error.field, error.code, error.detail)
        for error in when_errors(authored_at, item.time_zone, received_at)
    ]
    if item.started_at and named != "started_at":
        errors += [
            FieldError("started_at", error.code, error.detail)
            for error in when_errors(item.started_at, item.time_zone, received_at)
            if error.field == "authored_at"
        ]
    if item.started_at and item.finished_at:
        length = item.finished_at - item.started_at
        if length < timedelta(0):
            errors.append(FieldError("finished_at", "before_start", "This is before it started."))
        elif length > LONGEST:
            errors.append(FieldError("finished_at", "too_long", "No session lasts longer than a day."))
    return errors


def as_skipped(item: NotTodayItem) -> SessionItem:
    return SessionItem(
        id=item.id,
        time_zone=item.time_zone,
        prescription=item.prescription,
        authored_at=item.authored_at,
        skipped=item.reason,
        note=item.note,
        slot=item.slot,
    )


def examine_event(item: FollowupItem | AdverseEventItem, received_at: datetime) -> list[FieldError]:
    """What is wrong with a follow-up or an adverse event. An adverse event is never refused for being old."""
    errors = out_of_range(item)
    if item.authored_at > received_at + FURTHEST_AHEAD:
        errors.append(
            FieldError("authored_at", "in_the_future", "This is more than a day ahead of the server's clock.")
        )
    return errors


def content_of(item: SessionItem) -> dict[str, Any]:
    """The session as it was sent, to be kept beside its columns."""
    content: dict[str, Any] = msgspec.to_builtins(item)
    return content
