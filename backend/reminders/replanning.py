"""What in a patient's life moves their slots.

People and exercises don't know of reminders, so reminders listen: a phone enrols, a consent is given or withdrawn,
somebody travels, or is discharged and taken back: the next tick plans anew. A programme is planned at once: who paused
it is not reminded of it.
"""

from collections.abc import Collection
from datetime import datetime
from typing import Any

from django.db.models.signals import post_save
from django.dispatch import receiver

from backend.people.models import Consent, Patient, ZoneHistory
from backend.reminders.models import Schedule
from backend.reminders.planning import plan
from backend.reminders.programmes import ask_for_sessions
from exercises.models import Prescription
from exercises.prescribing import programme_changed


@receiver(post_save, sender=Consent)
@receiver(post_save, sender=ZoneHistory)
def plan_at_once(instance: Consent | ZoneHistory, **_: Any) -> None:
    Schedule.objects.filter(patient_id=instance.patient_id, active=True).update(planned_until=None)


@receiver(post_save, sender=Patient)
def plan_for_the_status(instance: Patient, update_fields: Collection[str] | None, **_: Any) -> None:
    if update_fields is not None and "status" in update_fields:
        Schedule.objects.filter(patient=instance, active=True).update(planned_until=None)


@receiver(programme_changed)
def follow_programme(programme: Prescription, now: datetime, **_: Any) -> None:
    ask_for_sessions(programme, now)
    plan([programme.patient_id], now)
