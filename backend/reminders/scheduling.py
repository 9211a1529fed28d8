"""What a clinic decides: who is asked for what, by which rule, and when no longer."""

from __future__ import annotations

from datetime import date, datetime
from functools import cache
from pathlib import Path

import msgspec
from django.db import transaction
from django.db.models import F
from django.dispatch import receiver
from uuid_utils.compat import uuid7

from backend.people import audit
from backend.people.models import Origin, Patient, User
from backend.people.rota import missing
from backend.reminders.models import Schedule
from backend.reminders.planning import plan
from backend.reminders.slots import Rule
from outcomes import library, packs

PLANS = Path(__file__).parent / "plans"

NAMED = {"hours": "its opening hours", "rota": "anybody on call", "fallback": "who is told when nobody answers"}


class ScheduleError(ValueError):
    """A schedule that can't be made. `code` is for programs and stable; the message is for the clinician.

    `instead` is the instrument that is offered in its place, if there is one.
    """

    def __init__(self, code: str, message: str, instead: str | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.instead = instead


def check_assignable(patient: Patient, code: str) -> None:
    """Raises ScheduleError where this instrument can't go to this patient's phone.

    `unknown_instrument`; `not_for_patients`: a clinician fills it in; `no_text`: its licence keeps its text out of the
    product, and the clinic has loaded none; `no_rota`: an answer of it must be read promptly, and the clinic lacks
    hours, a rota or a fallback.
    """
    try:
        instrument = library.get(code)
    except library.UnknownInstrumentError as error:
        raise ScheduleError("unknown_instrument", str(error)) from None
    if instrument.respondent != "patient":
        raise ScheduleError("not_for_patients", f"{code} is filled in by a clinician.")
    if not packs.texts_of(patient.clinic_id, instrument):
        raise ScheduleError(
            "no_text", f"{code} has no text that a phone could show: the clinic must load one that it may use first."
        )
    if instrument.safety_item and (lacks := missing(patient.clinic)):
        item, instead = instrument.safety_item, instrument.unattended_alternative
        raise ScheduleError(
            "no_rota",
            f"Somebody must read the answer to item {item} of {code} promptly, and the clinic has not named: "
            f"{', '.join(NAMED[name] for name in lacks)}. Name them, or use {instead}, which leaves item {item} out.",
            instead,
        )


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

    Raises ScheduleError: as `check_assignable` does; `anchor_on` for a rule that counts from a date that is not given,
    or is given one that it doesn't count from.
    """
    if asks == Schedule.Asks.INSTRUMENT:
        check_assignable(patient, code)
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
                "created_at": now,
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


@receiver(packs.words_gone)
def end_without_words(clinic_id: int, code: str, now: datetime, **_: object) -> None:
    """Ask nobody of a clinic any more for an instrument whose text it may no longer show."""
    asked = Schedule.objects.filter(clinic=clinic_id, asks=Schedule.Asks.INSTRUMENT, code=code, active=True)
    patients = list(asked.values_list("patient", flat=True))
    asked.update(active=False)
    plan(patients, now)
    audit.record("end schedule", patients, None)


class PlannedAsk(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One instrument of a plan, and when it is asked."""

    code: str
    rule: Rule


class Plan(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A template of schedules, from a data file under `plans/`."""

    title: str
    ask: tuple[PlannedAsk, ...]


@cache
def plans() -> dict[str, Plan]:
    """By name. Their files say where their numbers come from."""
    return {file.stem: msgspec.toml.decode(file.read_bytes(), type=Plan) for file in sorted(PLANS.glob("*.toml"))}


def apply_plan(
    patient: Patient, name: str, now: datetime, *, anchor_on: date | None = None, by: User | None = None
) -> tuple[list[Schedule], list[ScheduleError]]:
    """Ask `patient` for all that a plan holds; return the schedules, and why some were left out.

    Where an instrument needs a rota that the clinic lacks, its alternative is asked instead. What is asked already is
    asked by the plan's rule from now on.
    """
    made, left_out = [], []
    with transaction.atomic():
        for ask in plans()[name].ask:
            code = ask.code
            try:
                check_assignable(patient, code)
            except ScheduleError as error:
                left_out.append(error)
                if error.instead is None:
                    continue
                code = error.instead
            made.append(
                set_schedule(patient, Schedule.Asks.INSTRUMENT, code, ask.rule, now, anchor_on=anchor_on, by=by)
            )
    return made, left_out
