"""A patient who moves to another clinic is asked on, as far as that clinic may ask."""

from datetime import datetime
from typing import Any

from django.dispatch import receiver

from backend.people.models import Patient
from backend.people.transferring import moved
from backend.reminders.models import Schedule
from backend.reminders.planning import plan
from backend.reminders.scheduling import ScheduleError, check_assignable


@receiver(moved)
def ask_as_the_clinic_may(patient: Patient, now: datetime, **_: Any) -> None:
    """End what the other clinic has no words for, or nobody to read promptly."""
    asked = Schedule.objects.filter(patient=patient, active=True)
    for schedule in asked.filter(asks=Schedule.Asks.INSTRUMENT):
        try:
            check_assignable(patient, schedule.code)
        except ScheduleError:
            Schedule.objects.filter(pk=schedule.pk).update(active=False)
    plan([patient.pk], now)
