"""What time alone brings: a due day without a session becomes missed, a week on quota becomes a step."""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import batched
from zoneinfo import ZoneInfo

from django.db import transaction
from django.db.models import Q

from backend.people.models import Patient
from backend.people.writes import next_revisions
from exercises.advancing import advance
from exercises.models import Prescription
from exercises.prescribing import today_of
from exercises.series import Span, refresh

# A worker that was away for so long makes it good with its next run.
REACHES_BACK = timedelta(days=8)
AT_A_TIME = 500


def turn_the_day(now: datetime) -> int:
    """Settle the days of every patient whose clock shows the hour after 04:00, and let the rules look at them.

    Meant to run once an hour. Gives how many patients it reached; running it again changes nothing.
    """
    zones = Patient.objects.order_by().values_list("time_zone", flat=True).distinct()
    turning = [zone for zone in zones if now.astimezone(ZoneInfo(zone)).hour == 4]
    since = (now - REACHES_BACK).date()
    running = Prescription.objects.filter(Q(ends_on=None) | Q(ends_on__gte=since), patient__time_zone__in=turning)
    patients = sorted(set(running.values_list("patient_id", flat=True)))
    for chunk in batched(patients, AT_A_TIME, strict=False):
        settle_days(chunk, now)
        for patient_id in chunk:
            with transaction.atomic():
                advance(patient_id, now)
    return len(patients)


def settle_days(patient_ids: tuple[int, ...], now: datetime) -> None:
    """Write the adherence of these patients' last days, also of those on which nothing was logged."""
    with transaction.atomic():
        next_revisions(patient_ids)
        spans = {}
        for patient in Patient.objects.filter(pk__in=patient_ids):
            today = today_of(patient, now)
            spans[patient.pk] = Span(today - REACHES_BACK, today, today)
        refresh(spans)
