"""E-mail addresses that are refused for good: nothing goes there until their owner names another or confirms them."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime

import msgspec
from django.db import transaction
from django.db.models import F, Q
from django.db.models.functions import Lower

from backend.people.models import Patient
from backend.people.writes import hold
from backend.reminders.colleague_models import RefusedMail


class Refusal(msgspec.Struct, frozen=True):
    """Whose address it was: a colleague's, a patient's, or that of the clinic's fallback."""

    address: str
    why: str
    user_id: int | None = None
    patient_id: int | None = None
    clinic_id: int | None = None


def refuse(refusals: Sequence[Refusal], now: datetime) -> None:
    """Keep them; of a patient who was erased meanwhile nothing. One write for each: they are rare."""
    patients = {refusal.patient_id for refusal in refusals if refusal.patient_id}
    with transaction.atomic():
        clinics = dict(Patient.objects.filter(pk__in=hold(patients)).values_list("pk", "clinic")) if patients else {}
        for refusal in refusals:
            said = {"address": refusal.address, "refused_at": now, "why": refusal.why[:200]}
            if refusal.user_id:
                RefusedMail.objects.update_or_create(user_id=refusal.user_id, defaults=said)
            elif refusal.patient_id in clinics:
                said["clinic_id"] = clinics[refusal.patient_id]
                RefusedMail.objects.update_or_create(patient_id=refusal.patient_id, defaults=said)
            elif refusal.clinic_id:
                RefusedMail.objects.update_or_create(clinic_id=refusal.clinic_id, patient=None, defaults=said)


def of_users(user_ids: Collection[int]) -> dict[int, RefusedMail]:
    """Of those whose address it still is. One statement."""
    same = RefusedMail.objects.annotate(said=Lower("address")).filter(said=Lower("user__email"))
    return {row.user_id: row for row in same.filter(user__in=user_ids) if row.user_id}


def of_patients(patient_ids: Collection[int]) -> dict[int, RefusedMail]:
    """The same for patients."""
    same = RefusedMail.objects.annotate(said=Lower("address")).filter(said=Lower("patient__user__email"))
    return {row.patient_id: row for row in same.filter(patient__in=patient_ids) if row.patient_id}


def of_fallbacks(clinic_ids: Collection[int]) -> dict[int, RefusedMail]:
    """The same for clinics' fallbacks."""
    same = RefusedMail.objects.filter(patient=None, clinic__in=clinic_ids, address=F("clinic__fallback_email"))
    return {row.clinic_id: row for row in same if row.clinic_id}


def confirm(owner: Q) -> None:
    """The address is right, says its owner: it is tried again."""
    RefusedMail.objects.filter(owner).delete()
