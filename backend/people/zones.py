"""Where a patient is now, and where they were."""

from __future__ import annotations

from datetime import datetime
from functools import cache
from zoneinfo import available_timezones

from backend.people.models import Patient, ZoneHistory


@cache
def known_zones() -> frozenset[str]:
    """The IANA names; looking them up reads a directory."""
    return frozenset(available_timezones())


def move(patient: Patient, time_zone: str, now: datetime) -> None:
    """From `now` on they live by this zone; days before stay in the zone they were lived in."""
    last = patient.zones.order_by("since").last()
    if last is None and patient.time_zone != time_zone:
        # Until now nothing but the record's own zone was known.
        ZoneHistory.objects.create(
            clinic_id=patient.clinic_id, patient=patient, since=patient.created_at, time_zone=patient.time_zone
        )
    if last is None or last.time_zone != time_zone:
        ZoneHistory.objects.create(clinic_id=patient.clinic_id, patient=patient, since=now, time_zone=time_zone)
    if patient.time_zone != time_zone:
        patient.time_zone = time_zone
        patient.save(update_fields=["time_zone"])
