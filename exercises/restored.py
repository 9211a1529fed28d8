"""What of this room comes back with the records of an export. Adherence is computed anew."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime
from typing import Any

import msgspec
from django.db.models import Model

from backend.people.models import Patient
from backend.people.restoring import Table, WrongError
from exercises.models import (
    AdverseEvent,
    Clearance,
    Condition,
    Pause,
    Preferences,
    Prescription,
    Proposal,
    Session,
    SessionFollowup,
    Treatment,
    TreatmentSession,
)
from exercises.plan import Plan
from exercises.prescribing import RefusedError, check_near, today_of
from exercises.series import refresh, spans_of

DAYS = ("starts_on", "ends_on", "from_day", "to_day", "local_day")


def _near(row: Any, now: datetime) -> None:
    """Within a lifetime: each day between is looked at."""
    days = {name: getattr(row, name, None) for name in DAYS}
    try:
        check_near(now.date(), **{name: day for name, day in days.items() if isinstance(day, date)})
    except RefusedError as error:
        raise WrongError(f"{error.field}: {error}") from None


def _planned(row: Prescription, now: datetime) -> None:
    try:
        msgspec.convert(row.plan, Plan)
    except msgspec.ValidationError as error:
        raise WrongError(f"plan: {error}") from None
    _near(row, now)


def refresh_adherence(new: Mapping[type[Model], Sequence[Any]], now: datetime) -> None:
    """Of the days that these rows bear on."""
    patients = {row.patient_id for rows in new.values() for row in rows}
    today = {patient.pk: today_of(patient, now) for patient in Patient.objects.filter(pk__in=patients)}
    days = [day for rows in new.values() for row in rows for day in _days(row, today[row.patient_id])]
    refresh(spans_of(days, today))


def _days(row: Model, today: date) -> Iterator[tuple[int, date]]:
    """The first and the last day whose adherence the row bears on."""
    match row:
        case Prescription():
            first, last = row.starts_on, row.ends_on or today
        case Pause():
            first, last = row.from_day, row.to_day or today
        case Session():
            first = last = row.local_day
        case _:
            return
    yield row.patient_id, first
    yield row.patient_id, max(first, min(last, today))


TABLES = (
    Table(Condition, key=("code", "since", "entered_at")),
    Table(Preferences, key=()),
    Table(Clearance, key=("screen", "cleared_on", "entered_at")),
    Table(Prescription, check=_planned),
    Table(Pause, check=_near),
    Table(Proposal, parent="prescription"),
    Table(Treatment, check=_near),
    Table(TreatmentSession, parent="treatment"),
    Table(Session, check=_near),
    Table(SessionFollowup),
    Table(AdverseEvent, check=_near),
)
