"""Other treatments and their sessions, written down; and the slopes of a measure before and after one began."""

from __future__ import annotations

from datetime import date, datetime
from statistics import median

import msgspec
from django.db import transaction
from uuid_utils.compat import uuid7

from backend.people.models import Patient, User
from backend.people.writes import Door, next_revisions
from backend.rest.problems import in_words
from exercises.advancing import advance
from exercises.alarms import AE_1, SERIOUS
from exercises.models import Treatment, TreatmentSession
from exercises.prescribing import RefusedError, check_begun, check_near
from exercises.treatments import AROUND, PARAMETERS, BeforeAndAfter, BrainStimulation, Details, Given, before_and_after
from outcomes.alerts import Finding, raise_for
from outcomes.models import Score


def enter_treatment(
    patient: Patient,
    details: Details,
    *,
    starts_on: date,
    by: User,
    now: datetime,
    ends_on: date | None = None,
    note: str = "",
) -> Treatment:
    """Raises RefusedError, as all of these do."""
    check_near(now.date(), starts_on=starts_on, ends_on=ends_on)
    _in_order(starts_on, ends_on)
    stored = msgspec.to_builtins(details)
    with transaction.atomic():
        next_revisions([patient.pk])
        return Treatment.objects.create(
            id=uuid7(),
            clinic_id=patient.clinic_id,
            patient=patient,
            kind=stored["kind"],
            starts_on=starts_on,
            ends_on=ends_on,
            details=stored,
            note=note,
            entered_by=by,
            entered_at=now,
        )


def change_treatment(
    row: Treatment, details: Details, *, starts_on: date, ends_on: date | None, note: str, now: datetime
) -> None:
    """Put right what was entered; the kind stays, and no session may come to lie before the first day."""
    check_near(now.date(), starts_on=starts_on, ends_on=ends_on)
    _in_order(starts_on, ends_on)
    stored = msgspec.to_builtins(details)
    if stored["kind"] != row.kind:
        raise RefusedError("kind", "other_kind", "The kind stays: end this one and enter another.")
    if stored.get("modality") != row.details.get("modality") and row.sessions.exists():
        raise RefusedError("modality", "has_sessions", "Sessions of the other modality are entered already.")
    if row.sessions.filter(day__lt=starts_on).exists():
        raise RefusedError("starts_on", "has_sessions", "A session was given before this day.")
    row.details, row.starts_on, row.ends_on, row.note = stored, starts_on, ends_on, note
    row.save(update_fields=["details", "starts_on", "ends_on", "note"])


def end_treatment(row: Treatment, ends_on: date, now: datetime) -> None:
    check_near(now.date(), ends_on=ends_on)
    _in_order(row.starts_on, ends_on)
    row.ends_on = ends_on
    row.save(update_fields=["ends_on"])


def _in_order(starts_on: date, ends_on: date | None) -> None:
    if ends_on and ends_on < starts_on:
        raise RefusedError("ends_on", "before_start", "It ends before it begins.")


def enter_session(row: Treatment, patient: Patient, given: Given, *, by: User, now: datetime) -> TreatmentSession:
    """One session of a course of brain stimulation. A serious adverse event raises its alarm."""
    details = msgspec.convert(row.details, Details)
    if not isinstance(details, BrainStimulation):
        raise RefusedError("id", "no_sessions", "Only a course of brain stimulation has sessions.")
    if not isinstance(given.parameters, PARAMETERS[details.modality]):
        raise RefusedError(
            "parameters.kind", "other_modality", in_words("The course is %(modality)s.", modality=details.modality)
        )
    check_near(now.date(), day=given.day)
    check_begun(now.date(), day=given.day)
    if given.day < row.starts_on:
        raise RefusedError("day", "before_start", "This is before the course began.")
    if given.starts_at and given.ends_at and given.ends_at <= given.starts_at:
        raise RefusedError("ends_at", "before_start", "It ends before it begins.")
    if not given.completed and not given.aborted_because.strip():
        raise RefusedError("aborted_because", "required", "Say why it was broken off.")
    with transaction.atomic():
        next_revisions([patient.pk])
        session = TreatmentSession.objects.create(
            id=uuid7(),
            clinic_id=patient.clinic_id,
            patient=patient,
            treatment=row,
            day=given.day,
            given=msgspec.to_builtins(given),
            entered_by=by,
            entered_at=now,
        )
        if any(event.kind in SERIOUS for event in given.events):
            door = Door(origin="clinic", received_at=now, user_id=by.pk)
            raise_for([Finding(patient.pk, patient.clinic_id, session.pk, now, [AE_1])], door)
            advance(patient.pk, now)
    return session


def slopes_around(patient: Patient, measures: list[str], day: date) -> list[BeforeAndAfter]:
    """The slopes of these measures in the twelve weeks before and after a day; one statement. It never says why."""
    scores = Score.objects.filter(
        patient=patient, measure__code__in=measures, live=True, local_day__range=(day - AROUND, day + AROUND)
    )
    by_day: dict[str, dict[date, list[float]]] = {}
    for code, at, value in scores.order_by("local_day", "at").values_list("measure__code", "local_day", "value"):
        by_day.setdefault(code, {}).setdefault(at, []).append(value)
    return [
        before_and_after(code, day, [(at, median(values)) for at, values in by_day.get(code, {}).items()])
        for code in measures
    ]
