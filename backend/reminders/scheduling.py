"""What a clinic decides: who is asked for what, by which rule, and when no longer."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from contextlib import suppress
from datetime import date, datetime, timedelta
from functools import cache
from pathlib import Path

import msgspec
from django.db import transaction
from django.db.models import F
from django.dispatch import receiver
from uuid_utils.compat import uuid7

from backend.people import audit
from backend.people.models import Clinic, Origin, Patient, User
from backend.people.writes import next_revisions
from backend.reminders.models import Schedule
from backend.reminders.planning import plan
from backend.reminders.reaching import nobody_is_told, unattended
from backend.reminders.slots import Rule, read_rule
from backend.rest.problems import in_words
from outcomes import library, packs
from outcomes.instrument import Instrument

PLANS = Path(__file__).parent / "plans"

COUNTED_FROM = ("surgery", "date")
"""Anchors that each schedule is told by itself."""

FURTHEST = timedelta(days=30 * 366)
"""How far from today a schedule may count from."""

NAMED = {
    "hours": "its opening hours",
    "rota": "anybody on call",
    "fallback": "who is told when nobody answers",
    "rota_unreached": "anybody on call whom a message reaches",
    "fallback_unreached": "an address that takes mail for when nobody answers",
}


NO_TEXT = "no_text"


class ScheduleError(ValueError):
    """A schedule that can't be made. `code` is for programs and stable; the message is for the clinician.

    `field` is what of the request is wrong; `instead` the instrument that is offered in its place, if there is one.
    """

    def __init__(self, code: str, message: str, *, field: str = "code", instead: str | None = None) -> None:
        super().__init__(in_words(message))
        self.code = code
        self.field = field
        self.instead = instead


def check_assignable(patient: Patient, code: str) -> None:
    """Raises ScheduleError where this instrument can't go to this patient's phone.

    `unknown_instrument`; `not_for_patients`: a clinician fills it in; `no_text`: neither the product nor the clinic has
    one in a language of the patient's or the clinic's; `no_rota`: an answer of it must be read promptly, and the clinic
    lacks hours, a rota or a fallback, or nothing reaches those whom it has named.
    """
    try:
        instrument = library.get(code)
    except library.UnknownInstrumentError as error:
        raise ScheduleError("unknown_instrument", str(error)) from None
    lacks = unattended(patient.clinic) if instrument.safety_item else []
    there = list(packs.texts_of(patient.clinic_id, instrument))
    if refusal := why_not(instrument, there, languages_of(patient), lacks):
        raise refusal


def refusals(clinic: Clinic) -> dict[str, ScheduleError]:
    """By code, why an instrument can't go to the phones of this clinic; what isn't named can.

    A fixed number of statements.
    """
    there, lacks = packs.languages_of(clinic.pk), unattended(clinic)
    found = {each.code: why_not(each, there[each.code], clinic.languages or ["en"], lacks) for each in library.newest()}
    return {code: refused for code, refused in found.items() if refused}


def check_named(clinic: Clinic, instrument: Instrument) -> None:
    """Raises ScheduleError (`no_rota`) where nobody of the clinic would read promptly what this asks."""
    lacks = unattended(clinic) if instrument.safety_item else []
    if refusal := _unattended(instrument, lacks):
        raise refusal


def languages_of(patient: Patient) -> list[str]:
    """In which a phone may show this patient something, the preferred one first."""
    return [patient.language, *(patient.clinic.languages or ["en"])]


def why_not(
    instrument: Instrument, there: Collection[str], languages: Sequence[str], lacks: Sequence[str]
) -> ScheduleError | None:
    """Why this instrument can't be asked in any of `languages`; `there` are those that it has text in.

    `lacks` is what the clinic has not named of its rota.
    """
    code = instrument.code
    if instrument.respondent != "patient":
        return ScheduleError("not_for_patients", in_words("%(code)s is filled in by a clinician.", code=code))
    if not there:
        return ScheduleError(
            NO_TEXT,
            in_words(
                "%(code)s has no text that a phone could show: the clinic must load one that it may use first.",
                code=code,
            ),
        )
    if not set(languages) & set(there):
        spoken = ", ".join(dict.fromkeys(languages))
        return ScheduleError(
            NO_TEXT,
            in_words(
                "%(code)s has text in %(there)s, none in %(spoken)s.",
                code=code,
                there=", ".join(sorted(there)),
                spoken=spoken,
            ),
        )
    return _unattended(instrument, lacks)


def _unattended(instrument: Instrument, lacks: Sequence[str]) -> ScheduleError | None:
    if not instrument.safety_item or not lacks:
        return None
    code, item, instead = instrument.code, instrument.safety_item, instrument.unattended_alternative
    return ScheduleError(
        "no_rota",
        in_words(
            "Somebody must read the answer to item %(item)s of %(code)s promptly, and the clinic has not named: "
            "%(lacks)s. Name them, or use %(instead)s, which leaves item %(item)s out.",
            item=item,
            code=code,
            lacks=", ".join(in_words(NAMED[name]) for name in lacks),
            instead=instead,
        ),
        instead=instead,
    )


class Offer(msgspec.Struct, frozen=True):
    """An instrument that could be asked. `why_not` is why it can't be, `instead` what can in its place."""

    code: str
    title: str
    why_not: str | None = None
    detail: str = ""
    instead: str | None = None


class OfferedAsk(Offer, frozen=True, kw_only=True):
    """… by this rule of a plan."""

    rule: Rule


class OfferedPlan(msgspec.Struct, frozen=True):
    """A plan and what of it could be asked. One that counts from a surgery or a date needs `anchor_on`."""

    name: str
    title: str
    needs_date: bool
    asks: list[OfferedAsk]


class Offers(msgspec.Struct, frozen=True):
    """What this patient could be asked, singly and by plans."""

    instruments: list[Offer]
    plans: list[OfferedPlan]


def offers(patient: Patient) -> Offers:
    """A fixed number of statements, however many instruments."""
    languages, lacks = languages_of(patient), unattended(patient.clinic)
    there = packs.languages_of(patient.clinic_id)
    singly = {
        each.code: _offer(each, why_not(each, there[each.code], languages, lacks))
        for each in library.newest()
        if each.respondent == "patient"
    }
    return Offers(
        sorted(singly.values(), key=lambda offer: offer.title),
        [
            OfferedPlan(
                name,
                plan.title,
                any(ask.rule.anchor in COUNTED_FROM for ask in plan.ask),
                [OfferedAsk(**msgspec.structs.asdict(singly[ask.code]), rule=ask.rule) for ask in plan.ask],
            )
            for name, plan in plans().items()
        ],
    )


def _offer(instrument: Instrument, error: ScheduleError | None) -> Offer:
    if error is None:
        return Offer(instrument.code, instrument.title)
    return Offer(instrument.code, instrument.title, error.code, str(error), error.instead)


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
    or is given one that it doesn't count from; `not_a_programme` for an instrument asked as a prescription says.
    """
    if asks == Schedule.Asks.INSTRUMENT:
        check_assignable(patient, code)
    _check_anchor(asks, rule, anchor_on, now.date())
    with transaction.atomic():
        next_revisions([patient.pk])  # as everywhere before the schedule's own row: or two could wait for each other
        schedule, made = Schedule.objects.select_for_update().get_or_create(
            patient=patient,
            asks=asks,
            code=code,
            active=True,
            because=None,
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
            return change_rule(schedule, rule, now, anchor_on=anchor_on)
        plan([patient.pk], now)
    schedule.refresh_from_db()
    return schedule


def ask_anew(
    patient: Patient, code: str, rule: Rule, now: datetime, *, anchor_on: date | None = None, by: User | None = None
) -> Schedule:
    """Ask for an instrument that is not asked for yet. Raises ScheduleError, else with `already_asked`."""
    asked = Schedule.Asks.INSTRUMENT
    if Schedule.objects.filter(patient=patient, asks=asked, code=code, active=True, because=None).exists():
        raise ScheduleError(
            "already_asked", in_words("%(code)s is asked for already: change that schedule, or end it.", code=code)
        )
    return set_schedule(patient, asked, code, rule, now, anchor_on=anchor_on, by=by)


def change_rule(schedule: Schedule, rule: Rule, now: datetime, *, anchor_on: date | None = None) -> Schedule:
    """Ask by another rule from now on. Raises ScheduleError, also where the schedule has ended (`ended`)."""
    asks = Schedule.Asks(schedule.asks)
    if asks == Schedule.Asks.INSTRUMENT:
        check_assignable(schedule.patient, schedule.code)
    _check_anchor(asks, rule, anchor_on, now.date())
    with transaction.atomic():
        next_revisions([schedule.patient_id])
        changed = Schedule.objects.filter(pk=schedule.pk, active=True).update(
            rule=rule.to_json(), anchor_on=anchor_on, version=F("version") + 1
        )
        if not changed:
            raise ScheduleError("ended", "This is asked for no more: make a new schedule.", field="id")
        plan([schedule.patient_id], now)
    schedule.refresh_from_db()
    return schedule


def _check_anchor(asks: Schedule.Asks, rule: Rule, anchor_on: date | None, today: date) -> None:
    wrong = ""
    if rule.anchor in COUNTED_FROM and anchor_on is None:
        wrong = in_words("Say from which day this counts (%(anchor)s).", anchor=rule.anchor)
    elif rule.anchor not in COUNTED_FROM and anchor_on is not None:
        wrong = in_words("This counts from %(anchor)s, not from a day of its own.", anchor=rule.anchor)
    elif anchor_on is not None and abs(anchor_on - today) > FURTHEST:
        wrong = in_words("This is more than thirty years away.")
    if wrong:
        raise ScheduleError("anchor_on", wrong, field="anchor_on")
    if rule.anchor == "prescription" and asks != Schedule.Asks.SESSION:
        message = in_words("Only the sessions of a programme are asked for as its prescription says.")
        raise ScheduleError("not_a_programme", message, field="rule.anchor")


def end_schedule(schedule: Schedule, now: datetime) -> None:
    """Ask for it no more. What was answered stays; what stands open is withdrawn."""
    with transaction.atomic():
        next_revisions([schedule.patient_id])
        Schedule.objects.filter(pk=schedule.pk).update(active=False)
        plan([schedule.patient_id], now)


@receiver(packs.words_gone)
def end_without_words(clinic_id: int, code: str, now: datetime, **_: object) -> None:
    """Ask nobody of a clinic any more for an instrument whose text it may no longer show."""
    asked = Schedule.objects.filter(clinic=clinic_id, asks=Schedule.Asks.INSTRUMENT, code=code, active=True)
    patients = list(asked.values_list("patient", flat=True))
    next_revisions(patients)
    asked.update(active=False)
    plan(patients, now)
    audit.record("end schedule", patients, None)


def ask_as_watched(now: datetime) -> int:
    """Where a clinic's hours, rota or fallback have lapsed, ask what needs none in place of what does; count these.

    However they lapsed: a chain emptied, a colleague gone, the last address refused. One refused address ends nothing
    as long as another takes the alert: too much would hang on one bounced mail. Killed between two patients, the next
    run goes on.
    """
    watched = {each.code: each.unattended_alternative for each in library.newest() if each.safety_item}
    asked = Schedule.objects.filter(active=True, asks=Schedule.Asks.INSTRUMENT, code__in=watched)
    lapsed = [clinic.pk for clinic in Clinic.objects.filter(pk__in=asked.values("clinic")) if nobody_is_told(clinic)]
    schedules = list(asked.filter(clinic__in=lapsed).select_related("patient__clinic"))
    for schedule in schedules:
        with transaction.atomic():
            end_schedule(schedule, now)
            if instead := watched[schedule.code]:
                # Unless it is asked already, and as somebody decided.
                with suppress(ScheduleError):
                    ask_anew(schedule.patient, instead, read_rule(schedule.rule), now, anchor_on=schedule.anchor_on)
            audit.record("end schedule", [schedule.patient_id], None)
    return len(schedules)


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
