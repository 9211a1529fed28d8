"""What made-up patients have and get beside exercise: conditions, likings, treatments. A model for nobody's care."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, datetime, timedelta

import msgspec
from uuid_utils.compat import uuid7

from backend.people.models import Patient, User
from backend.people.writes import next_revisions
from backend.sync.simulation import Person
from exercises.models import Condition, Preferences, Treatment, TreatmentSession
from exercises.treatments import (
    BrainStimulation,
    Details,
    DrugChange,
    Education,
    Given,
    GivenEvent,
    ManualTherapy,
    Rtms,
    WorkStatus,
)

CONDITIONS = (
    "hypertension",
    "knee-pain",
    "sitting-sensitive",
    "neck-pain",
)  # none of them forbids a template's exercise
COURSE = BrainStimulation(
    modality="rTMS",
    target="M1-hand",
    side="left",
    targeting="hotspot",
    planned_sessions=10,
    schedule="five days a week",
    consent=True,
    screened=True,
)
# Within what is typical for M1 (clinical reference, section 8).
PULSES = Rtms(
    frequency_hz=10,
    intensity_percent=80,
    of="RMT",
    pulses=2000,
    trains=20,
    train_seconds=10,
    between_trains_seconds=50,
    minutes=20,
)


def make_background(made: Sequence[tuple[Person, Patient]], by: User, now: datetime) -> None:
    """In a fixed number of statements, however many patients."""
    Condition.objects.bulk_create(
        Condition(
            clinic_id=patient.clinic_id,
            patient=patient,
            code=CONDITIONS[person.number // 3 % len(CONDITIONS)],
            since=person.first_day - timedelta(days=400),
            entered_by=by,
        )
        for person, patient in made
        if person.number % 3 == 0
    )
    revisions = next_revisions(patient.pk for _, patient in made)
    Preferences.objects.bulk_create(
        Preferences(
            patient=patient,
            clinic_id=patient.clinic_id,
            rev=revisions[patient.pk],
            liked=[("aerobic", "yoga", "qigong", "pilates")[person.number % 4]],
            disliked=["hiit"] if person.number % 5 == 0 else [],
            equipment=["mat", "chair"],
            updated_at=now,
        )
        for person, patient in made
        if person.number % 2
    )
    courses = []
    for person, patient in made:
        for first, last, treatment in _treatments(person):
            details = msgspec.to_builtins(treatment)
            row = Treatment(
                id=uuid7(),
                clinic_id=patient.clinic_id,
                patient=patient,
                kind=details["kind"],
                starts_on=_day(person, first),
                ends_on=_day(person, last) if last else None,
                details=details,
                note="Simulated.",
                entered_by=by,
            )
            courses.append((person, row))
    Treatment.objects.bulk_create(row for _, row in courses)
    TreatmentSession.objects.bulk_create(
        TreatmentSession(
            id=uuid7(),
            clinic_id=row.clinic_id,
            patient_id=row.patient_id,
            treatment=row,
            day=given.day,
            given=msgspec.to_builtins(given),
            entered_by=by,
        )
        for _, row in courses
        if row.kind == "brain-stimulation"
        for given in _given(row.starts_on)
    )


def _treatments(person: Person) -> Iterator[tuple[int, int | None, Details]]:
    """From day, to day (none: a mark) and what it was."""
    number = person.number
    if number % 7 == 1:
        yield 15, None, Education(topic="What pain is and what it is not", minutes=40, r_npq=7)
    if number % 10 == 5:
        yield 45, None, DrugChange(drug="an NSAID", group="nsaid", change="stopped")
    if number % 8 == 3:
        yield 20, 48, ManualTherapy(technique="mobilisation", region="lumbar")
    if number % 12 == 6:
        yield 18, 39, WorkStatus(status="sick-leave", percent=50)
    if number % 14 == 2:
        yield 42, 53, COURSE


def _given(first: date) -> Iterator[Given]:
    days = [first + timedelta(days=day) for day in range(12)]
    for number, day in enumerate([day for day in days if day.isoweekday() <= 5][: COURSE.planned_sessions]):
        yield Given(
            day=day,
            parameters=PULSES,
            completed=True,
            pain_before=5,
            pain_after=4 if number % 2 else 5,
            events=(GivenEvent(kind="headache", severity=1),) if number == 1 else (),
        )


def _day(person: Person, day: int) -> date:
    return person.first_day + timedelta(days=day)
