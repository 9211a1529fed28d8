"""What in a patient's life moves their slots: the next tick plans them anew.

People don't know of reminders, so reminders listen: a phone enrols, a consent is given or withdrawn, somebody travels.
"""

from typing import Any

from django.db.models.signals import post_save
from django.dispatch import receiver

from backend.people.models import Consent, ZoneHistory
from backend.reminders.models import Schedule


@receiver(post_save, sender=Consent)
@receiver(post_save, sender=ZoneHistory)
def plan_at_once(instance: Consent | ZoneHistory, **_: Any) -> None:
    Schedule.objects.filter(patient_id=instance.patient_id, active=True).update(planned_until=None)
