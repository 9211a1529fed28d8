"""Open alerts of a patient who moves to another clinic become that clinic's: none is left where nobody may see it.

What is raised while they move is set right by the database: see the migration `alert_where_the_patient_is`.
"""

from datetime import datetime
from typing import Any

from django.dispatch import receiver

from backend.people.models import Clinic, Patient
from backend.people.transferring import moved
from outcomes.models import Alert, AlertEvent


@receiver(moved)
def hand_alerts_over(patient: Patient, clinic: Clinic, now: datetime, **_: Any) -> None:
    """Nobody there has taken them on, and its chain is told from the first place on. What had a clock keeps it."""
    unresolved = Alert.objects.filter(patient=patient).exclude(state=Alert.State.RESOLVED)
    unresolved.update(clinic_id=patient.clinic_id)
    at_work = list(unresolved.exclude(state=Alert.State.REVIEW))
    Alert.objects.filter(pk__in=[alert.pk for alert in at_work]).update(state=Alert.State.OPEN, position=0)
    Alert.objects.filter(pk__in=[alert.pk for alert in at_work], due_at__isnull=False).update(tell_at=now)
    AlertEvent.objects.bulk_create(
        AlertEvent(
            clinic_id=patient.clinic_id,
            patient=patient,
            alert=alert,
            kind=AlertEvent.Kind.REPEATED,
            at=now,
            note=f"came with the patient from {clinic.name}",
        )
        for alert in at_work
    )
