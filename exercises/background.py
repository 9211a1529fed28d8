"""What bears on a patient's programme, written down: conditions, clearances, likings. Each may be refused by field."""

from __future__ import annotations

from datetime import date, datetime

import msgspec
from django.db import transaction

from backend.people.models import Patient, User
from backend.people.writes import next_revisions
from backend.rest.problems import in_words
from exercises.entry import LANGUAGE
from exercises.library import library
from exercises.models import Clearance, Condition, Preferences
from exercises.prescribing import RefusedError, check_begun, today_of


class Likings(msgspec.Struct, forbid_unknown_fields=True):
    """Modalities that the patient likes and dislikes, and the equipment at home."""

    liked: list[str] = []
    disliked: list[str] = []
    equipment: list[str] = []


def enter_condition(
    patient: Patient, code: str, *, by: User, now: datetime, since: date | None = None, note: str = ""
) -> Condition:
    """Raises RefusedError, with the code `exists` where the patient has it already."""
    if code not in library().codes[LANGUAGE].conditions:
        raise RefusedError("code", "unknown_code", "See /exercise-codes for the conditions.")
    check_begun(today_of(patient, now), since=since)
    entered = {"clinic_id": patient.clinic_id, "since": since, "note": note, "entered_by": by, "entered_at": now}
    with transaction.atomic():
        next_revisions([patient.pk])
        row, new = Condition.objects.get_or_create(patient=patient, code=code, ended_on=None, defaults=entered)
    if not new:
        raise RefusedError("code", "exists", "The patient has this condition already.")
    return row


def end_condition(row: Condition, patient: Patient, now: datetime) -> None:
    """It stays on record and blocks nothing any more."""
    if row.ended_on is None:
        row.ended_on = today_of(patient, now)
        row.save(update_fields=["ended_on"])


def enter_clearance(
    patient: Patient,
    *,
    screen: str,
    cleared_by: str,
    cleared_on: date,
    valid_until: date,
    by: User,
    now: datetime,
) -> Clearance:
    if valid_until < cleared_on:
        raise RefusedError("valid_until", "before_start", "It ends before it begins.")
    check_begun(today_of(patient, now), cleared_on=cleared_on)
    with transaction.atomic():
        next_revisions([patient.pk])
        return Clearance.objects.create(
            clinic_id=patient.clinic_id,
            patient=patient,
            screen=screen,
            cleared_by=cleared_by,
            cleared_on=cleared_on,
            valid_until=valid_until,
            entered_by=by,
            entered_at=now,
        )


def likings(patient_id: int) -> Likings:
    row = Preferences.objects.filter(patient=patient_id).first()
    return Likings(row.liked, row.disliked, row.equipment) if row else Likings()


def write_likings(patient_id: int, clinic_id: int, asked: Likings, now: datetime) -> None:
    """Refuses codes that are none, and a modality that is both liked and disliked."""
    codes = library().codes[LANGUAGE]
    for name, known in (("liked", codes.modalities), ("disliked", codes.modalities), ("equipment", codes.equipment)):
        for position, code in enumerate(getattr(asked, name)):
            if code not in known:
                raise RefusedError(
                    f"{name}.{position}", "unknown_code", in_words("One of: %(known)s.", known=", ".join(known))
                )
    if set(asked.liked) & set(asked.disliked):
        raise RefusedError("disliked", "contradiction", "A modality is either liked or disliked.")
    with transaction.atomic():
        rev = next_revisions([patient_id])[patient_id]
        Preferences.objects.update_or_create(
            patient_id=patient_id,
            defaults={"clinic_id": clinic_id, "rev": rev, "updated_at": now, **msgspec.structs.asdict(asked)},
        )
