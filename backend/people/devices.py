"""A patient's phones: linked by a code, revoked when lost."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import QuerySet

from backend.people import audit
from backend.people.models import Device, Patient
from backend.people.tokens import Tokens, end_sessions, start_session
from backend.rest.problems import Problem


def link(patient: Patient, device_id: UUID, name: str, now: datetime) -> tuple[Device, Tokens]:
    """Make this phone the patient's and sign it in. A phone that was theirs before is signed in anew."""
    assert patient.user is not None  # noqa: S101  enrolment has made the account
    known = Device.objects.select_for_update().filter(pk=device_id).first()
    if known is not None and known.patient_id != patient.pk:
        raise taken()
    if known is not None:
        end_sessions([known.session_key])
    key, tokens = start_session(patient.user)
    device = known or Device(id=device_id, clinic_id=patient.clinic_id, patient=patient)
    device.session_key, device.name, device.last_seen_at, device.revoked_at = key, name, now, None
    try:
        with transaction.atomic():
            device.save(force_insert=known is None)
    except IntegrityError as error:  # somebody took the id just now
        raise taken() from error
    return device, tokens


def taken() -> Problem:
    return Problem(400, "taken", "Make a new id for this phone: somebody else's has this one.", field="device.id")


def revoke(devices: QuerySet[Device], by: int, now: datetime) -> int:
    """Lock these phones out with their next request; their patients' records keep them. How many there were."""
    found = list(devices.filter(revoked_at=None).values_list("pk", "session_key", "patient_id"))
    Device.objects.filter(pk__in=[pk for pk, _, _ in found]).update(revoked_at=now)
    end_sessions([key for _, key, _ in found])
    if found:
        audit.record("revoke phone", sorted({patient for _, _, patient in found}), by, count=len(found))
    return len(found)
