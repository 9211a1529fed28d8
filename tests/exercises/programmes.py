"""Home programmes and what phones say of them, small and made for tests."""

from __future__ import annotations

import io
from datetime import UTC, datetime
from typing import Any

import msgspec
from django.db import transaction
from PIL import Image
from uuid_utils.compat import uuid7

from backend.people.models import Clinic, Origin, Patient
from backend.people.writes import Door, next_revisions
from backend.rest.verdicts import Verdict
from exercises.dose import Minutes, Sets
from exercises.intake import store_sessions
from exercises.items import Draft, NotTodayItem, SessionItem, examine_session
from exercises.library import library
from exercises.loading import row_of
from exercises.media import prepare
from exercises.models import Condition, Exercise, ExerciseMedia, Prescription, Proposal, Treatment
from exercises.plan import Item, Plan
from exercises.prescribing import prescribe
from exercises.uploads import hang

# A Wednesday, 10:00 in Zurich.
NOW = datetime(2026, 11, 4, 9, 0, tzinfo=UTC)
DOOR = Door(origin="phone", received_at=NOW)

CAT_COW = Item(exercise="cat-cow", dose=Sets(sets=2, breaths=8, sessions_per_week=3))
BIRD_DOG = Item(exercise="bird-dog", dose=Sets(sets=3, reps=6, each_side=True, hold_seconds=5, sessions_per_week=3))
WALK = Item(exercise="baseline-walk", dose=Minutes(minutes=10, sessions_per_week=3))


def a_plan(*items: Item, **fields: Any) -> Plan:
    return Plan(**{"title": "Test programme", "items": items or (CAT_COW, WALK), "weekdays": (1, 3, 5)} | fields)


def a_programme(patient: Patient, *items: Item, now: datetime = NOW, **fields: Any) -> Prescription:
    return prescribe(patient, a_plan(*items, **fields), by=None, now=now, origin=Origin.SIMULATED)


def session(prescription: Prescription | None, **fields: Any) -> dict[str, Any]:
    """A session of ten minutes on the morning of NOW's day, done as prescribed."""
    items = prescription.plan["items"] if prescription else []
    return {
        "type": "session",
        "id": str(uuid7()),
        "prescription": prescription and str(prescription.pk),
        "started_at": "2026-11-04T08:00:00+01:00",
        "time_zone": "Europe/Zurich",
        "minutes": 10,
        "rpe": 3,
        "pain_before": 3,
        "pain_during": 3,
        "pain_after": 2,
        "exercises": [{"exercise": item["exercise"]} for item in items],
    } | fields


def store(patient: Patient, *sent: dict[str, Any], door: Door = DOOR) -> list[Verdict]:
    """Sessions taken in as a phone's push does it."""
    verdicts: list[Verdict | None] = []
    drafts: list[Draft] = []
    for each in sent:
        item = msgspec.convert(each, SessionItem | NotTodayItem)
        examined = examine_session(item, patient.pk, patient.clinic_id, door.received_at)
        if isinstance(examined, Draft):
            drafts.append(examined)
            verdicts.append(None)
        else:
            verdicts.append(Verdict(id=item.id, status="rejected", errors=examined))
    with transaction.atomic():
        stored = iter(store_sessions(drafts, door, next_revisions([patient.pk])))
    return [verdict or next(stored) for verdict in verdicts]


def a_condition(patient: Patient, code: str = "osteoporosis") -> Condition:
    return Condition.objects.create(clinic=patient.clinic, patient=patient, code=code)


def a_proposal(patient: Patient) -> Proposal:
    """One that waits, of a step up in the bird dog."""
    about = a_programme(patient, BIRD_DOG)
    dose = {"kind": "sets", "sets": 3, "reps": 7, "each_side": True, "hold_seconds": 5, "sessions_per_week": 3}
    return Proposal.objects.create(
        id=uuid7(),
        clinic=patient.clinic,
        patient=patient,
        rev=about.rev,
        programme=about.programme,
        prescription=about,
        rule="2-for-2",
        rule_version="1",
        action="step-up",
        state=Proposal.State.WAITING,
        inputs=[],
        steps=[{"exercise": "bird-dog", "variable": "reps", "before": 6, "after": 7, "to": None, "dose": dose}],
        digest=uuid7().bytes,
        words="Well done.",
        words_for_clinician="2-for-2.",
        made_at=NOW,
    )


def a_course(patient: Patient) -> Treatment:
    """Of rTMS, begun on NOW's day."""
    return Treatment.objects.create(
        id=uuid7(),
        clinic=patient.clinic,
        patient=patient,
        kind="brain-stimulation",
        starts_on=NOW.date(),
        details={
            "kind": "brain-stimulation",
            "modality": "rTMS",
            "target": "M1-hand",
            "side": "left",
            "targeting": "hotspot",
            "planned_sessions": 13,
            "consent": True,
            "screened": True,
        },
    )


def a_picture(clinic: Clinic, slug: str = "cat-cow") -> ExerciseMedia:
    """A small grey picture that this clinic hangs on the cat-cow."""
    written = io.BytesIO()
    Image.new("RGB", (40, 30), "grey").save(written, "PNG")
    prepared = prepare(io.BytesIO(written.getvalue()), len(written.getvalue()))
    said = {"licence": "CC0-1.0", "author": "Test author", "alternative_text": "Nothing but grey."}
    return hang(clinic.pk, slug, prepared, **said, by=None, now=NOW)


def an_own_exercise(clinic: Clinic) -> Exercise:
    """The cat-cow under another name, this clinic's own."""
    row = row_of(msgspec.structs.replace(library().exercises["cat-cow"], slug="own-cat-cow"), clinic.pk)
    row.save()
    return row
