"""A positive screen asks further: PHQ-2 of 3 or more asks once for PHQ-8 or PHQ-9, as the clinic has chosen."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

import msgspec
from django.db.models import Q
from uuid_utils.compat import uuid7

from backend.people.models import Clinic, Origin, Patient, User
from backend.people.writes import Door
from backend.reminders.models import FollowUpChoice, Schedule, Slot, SlotState
from backend.reminders.planning import plan
from backend.reminders.scheduling import ScheduleError, check_assignable, check_named
from backend.reminders.slots import Points, Remind, Rule, Window
from backend.rest.problems import in_words
from outcomes import library
from outcomes.instrument import FollowUp
from outcomes.intake import Draft
from outcomes.models import Response

# Open at once, for a week; said first on the next morning: who has just answered sees it in the app. Own default.
ONCE = Rule(
    (Window(time(0), time(20), days=6),),
    pattern=Points(days=(0,)),
    anchor="date",
    remind=Remind(after=33 * 60, nudges=1, every=2880),
)
# What the full questionnaires ask about (Kroenke 2001): an answer of these days tells it already, and a screen that is
# older says nothing of today.
RECALL = timedelta(days=14)
SOON = timedelta(days=7)  # what is due anyhow by then is not asked for twice


class ShownChoice(msgspec.Struct):
    """What is asked after a positive screen: `chosen` of `offered`; null: the first of them."""

    screen: str
    score: str
    at_least: float
    offered: list[str]
    chosen: str | None
    source: str


def choices(clinic: Clinic) -> list[ShownChoice]:
    """One statement."""
    chosen = dict(FollowUpChoice.objects.filter(clinic=clinic).values_list("screen", "code"))
    return [
        ShownChoice(each.code, rule.score, rule.from_, list(rule.offer), chosen.get(each.code), rule.source)
        for each in library.newest()
        for rule in each.follow_up
    ]


def choose(clinic: Clinic, screen: str, code: str, *, by: User, now: datetime) -> None:
    """Ask `code` after a positive `screen` from now on. Raises ScheduleError."""
    offered = next((each.offered for each in choices(clinic) if each.screen == screen), None)
    if offered is None:
        raise ScheduleError(
            "no_follow_up", in_words("%(code)s asks for nothing further.", code=screen[:64]), field="screen"
        )
    if code not in offered:
        raise ScheduleError(
            "not_offered", in_words("After %(code)s can come: %(codes)s.", code=screen, codes=", ".join(offered))
        )
    check_named(clinic, library.get(code))
    FollowUpChoice.objects.update_or_create(
        clinic=clinic, screen=screen, defaults={"code": code, "changed_by": by, "changed_at": now}
    )


def ask_further(drafts: Iterable[Draft], patient_id: int, door: Door) -> None:
    """Ask what these answers, newly stored, call for. No statement where no screen is positive.

    Runs in the caller's transaction, after `next_revisions` has locked the patient. What is imported asks nothing.
    """
    if door.origin == Origin.IMPORT:
        return
    positive = {
        draft.instrument.code: (draft, rule)
        for draft in sorted(drafts, key=lambda draft: draft.item.authored_at)
        for rule in draft.instrument.follow_up
        if _is_positive(draft, rule) and draft.item.authored_at > door.received_at - RECALL
    }
    if not positive:
        return
    patient = Patient.objects.select_related("clinic").get(pk=patient_id)
    made = [_ask(patient, draft, rule, door.received_at) for draft, rule in positive.values()]
    if any(made):
        plan([patient_id], door.received_at)


def _is_positive(draft: Draft, rule: FollowUp) -> bool:
    value = draft.scored.scores.get(rule.score)
    return value is not None and value >= rule.from_


def _ask(patient: Patient, draft: Draft, rule: FollowUp, now: datetime) -> bool:
    code = _code(patient, draft.instrument.code, rule.offer)
    if code is None or _is_told(patient, rule.offer, now):
        return False
    _, made = Schedule.objects.get_or_create(
        patient=patient,
        because=draft.item.id,
        defaults={
            "id": uuid7(),
            "clinic_id": patient.clinic_id,
            "asks": Schedule.Asks.INSTRUMENT,
            "code": code,
            "rule": ONCE.to_json(),
            "anchor_on": now.astimezone(ZoneInfo(patient.time_zone)).date(),
            "origin": Origin.SIMULATED if patient.origin == Origin.SIMULATED else Origin.CLINIC,
            "created_at": now,
        },
    )
    return made


def _code(patient: Patient, screen: str, offered: Sequence[str]) -> str | None:
    """What the clinic has chosen, or what stands in where it can't be asked any more; None if nothing can."""
    chosen = FollowUpChoice.objects.filter(clinic=patient.clinic_id, screen=screen).values_list("code", flat=True)
    for code in dict.fromkeys([*chosen, *offered]):
        if code in offered:
            try:
                check_assignable(patient, code)
            except ScheduleError:
                continue
            return code
    return None


def _is_told(patient: Patient, codes: Sequence[str], now: datetime) -> bool:
    """Whether one of these was answered of late, or is asked anyhow soon."""
    asked = Slot.objects.filter(patient=patient, schedule__code__in=codes, closes_at__gt=now).filter(
        Q(state=SlotState.OPEN) | Q(state=SlotState.UPCOMING, opens_at__lt=now + SOON)
    )
    answered = Response.objects.filter(
        patient=patient, instrument__code__in=codes, live=True, authored_at__gt=now - RECALL
    )
    return answered.exists() or asked.exists()
