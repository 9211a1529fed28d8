"""What a clinic decides: who is asked for what, by which rule, and when no longer."""

from __future__ import annotations

from datetime import date, datetime

from django.db import transaction
from django.db.models import F
from uuid_utils.compat import uuid7

from backend.people.models import Origin, Patient, User
from backend.people.rota import missing
from backend.reminders.models import Schedule
from backend.reminders.planning import plan
from backend.reminders.slots import Rule

NAMED = {"hours": "its opening hours", "rota": "anybody on call", "fallback": "who is told when nobody answers"}


class ScheduleError(ValueError):
    """A schedule that can't be made. `code` is for programs and stable; the message is for the clinician."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


def set_schedule(
    patient: Patient,
    asks: Schedule.Asks,
    code: str,
    rule: Rule,
    now: datetime,
    *,
    anchor_on: date | None = None,
    by: User | None = None,
) -> Schedule:
    """Ask `patient` for something by `rule`, or change the rule of what they are asked; its slots stand at once.

    Raises ScheduleError: `no_rota` for PHQ-9 where the clinic lacks hours, a rota or a fallback, `anchor_on` for a rule
    that counts from a date that is not given, or is given one that it doesn't count from.
    """
    if asks == Schedule.Asks.INSTRUMENT and code == "phq-9" and (lacks := missing(patient.clinic)):
        raise ScheduleError(
            "no_rota",
            "Somebody must read the answer to item 9 of phq-9 promptly, and the clinic has not named: "
            f"{', '.join(NAMED[name] for name in lacks)}. Name them, or use phq-8, which leaves item 9 out.",
        )
    if (rule.anchor in ("surgery", "date")) != (anchor_on is not None):
        raise ScheduleError("anchor_on", f"A rule that counts from {rule.anchor}: anchor_on must say from which day.")
    with transaction.atomic():
        schedule, made = Schedule.objects.select_for_update().get_or_create(
            patient=patient,
            asks=asks,
            code=code,
            active=True,
            defaults={
                "id": uuid7(),
                "clinic_id": patient.clinic_id,
                "rule": rule.to_json(),
                "anchor_on": anchor_on,
                "origin": Origin.SIMULATED if patient.origin == Origin.SIMULATED else Origin.CLINIC,
                "created_by": by,
            },
        )
        if not made:
            Schedule.objects.filter(pk=schedule.pk).update(
                rule=rule.to_json(), anchor_on=anchor_on, version=F("version") + 1
            )
        plan([patient.pk], now)
        schedule.refresh_from_db()
    return schedule


def end_schedule(schedule: Schedule, now: datetime) -> None:
    """Ask for it no more. What was answered stays; what stands open is withdrawn."""
    with transaction.atomic():
        Schedule.objects.filter(pk=schedule.pk).update(active=False)
        plan([schedule.patient_id], now)
