"""The end of a treatment, and taking somebody back. A record is neither closed nor shortened by it."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from backend.people import audit
from backend.people.enrolment import void_codes
from backend.people.models import Origin, Patient
from backend.people.writes import next_revision_here


@transaction.atomic
def discharge(patient: Patient, by: int, now: datetime) -> None:
    """From now on nobody is reminded and codes that are out are dead; what the phone still sends is taken in."""
    _set(patient, Patient.Status.DISCHARGED, by)
    void_codes(patient, now)


@transaction.atomic
def take_back(patient: Patient, by: int) -> None:
    """Active again, or invited if they have never enrolled. An imported patient has no account."""
    never_enrolled = patient.user_id is None and patient.origin == Origin.CLINIC
    _set(patient, Patient.Status.INVITED if never_enrolled else Patient.Status.ACTIVE, by)


def _set(patient: Patient, status: Patient.Status, by: int) -> None:
    next_revision_here(patient)
    patient.status = status
    patient.save(update_fields=["status"])  # saved, not updated: reminders listen
    audit.record("write profile", [patient.pk], by)
