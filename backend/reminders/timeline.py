"""What a patient was asked, what was said of it, and what they made of it: for those who look after them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import date, datetime
from uuid import UUID

import msgspec
from django.db.models import QuerySet

from backend.reminders.models import Mention, Schedule, Slot
from backend.reminders.slots import Rule, SlotKey, read_rule
from exercises.models import Prescription
from outcomes import library


class Said(msgspec.Struct):
    """One message about a slot. `why_not` is why it was skipped, is dead or waits for another try."""

    id: UUID
    nudge: int
    state: str
    channel: str
    planned_at: datetime
    sent_at: datetime | None
    delivered_at: datetime | None
    opened_at: datetime | None
    why_not: str


class AskedSlot(msgspec.Struct):
    """One window, how it stands, and what was said of it. `remind_at` is when something is said next."""

    slot: str
    schedule: UUID
    asks: str
    code: str
    local_date: date
    opens_at: datetime
    closes_at: datetime
    state: str
    remind_at: datetime | None
    snoozed_at: datetime | None
    completed_by: UUID | None
    completed_at: datetime | None
    reason: str
    said: list[Said]


class ShownSchedule(msgspec.Struct):
    """What a patient is asked for. `code` is the instrument's, or the programme's id; `title` its name."""

    id: UUID
    asks: str
    code: str
    title: str
    rule: Rule
    anchor_on: date | None
    version: int
    active: bool
    origin: str
    created_at: datetime


def timeline(patient_id: int, first: date, last: date) -> list[AskedSlot]:
    """The slots of these local days, both included, in order. Two statements, however many."""
    slots = (
        Slot.objects.filter(patient_id=patient_id, local_date__range=(first, last))
        .select_related("schedule")
        .order_by("local_date", "opens_at", "schedule", "n")
    )
    said: dict[SlotKey, list[Said]] = defaultdict(list)
    mentions = Mention.objects.filter(patient_id=patient_id, local_date__range=(first, last))
    for row in mentions.select_related("message").order_by("nudge"):
        message = row.message
        said[SlotKey(row.schedule_id, row.local_date, row.n)].append(
            Said(
                message.pk,
                row.nudge,
                message.state,
                message.channel,
                message.planned_at,
                message.sent_at,
                message.delivered_at,
                message.opened_at,
                message.error if message.state != "sent" else "",
            )
        )
    return [
        AskedSlot(
            slot=str(key := SlotKey(row.schedule_id, row.local_date, row.n)),
            schedule=row.schedule_id,
            asks=row.schedule.asks,
            code=row.schedule.code,
            local_date=row.local_date,
            opens_at=row.opens_at,
            closes_at=row.closes_at,
            state=row.state,
            remind_at=row.remind_at,
            snoozed_at=row.snoozed_at,
            completed_by=row.completed_by,
            completed_at=row.completed_at,
            reason=row.reason,
            said=said[key],
        )
        for row in slots
    ]


def schedules_of(patient_id: int) -> QuerySet[Schedule]:
    """What a patient is or was asked for: what goes on first, then what ended last."""
    return Schedule.objects.filter(patient_id=patient_id).order_by("-active", "-created_at", "id")


def shown_schedules(schedules: Iterable[Schedule]) -> list[ShownSchedule]:
    """One statement, for the names of programmes; none where there is no programme."""
    rows = list(schedules)
    titles = _titles(row for row in rows if row.asks == Schedule.Asks.SESSION and row.code)
    return [
        ShownSchedule(
            id=row.pk,
            asks=row.asks,
            code=row.code,
            title=_title_of(row.code) if row.asks == Schedule.Asks.INSTRUMENT else titles.get(row.code, ""),
            rule=read_rule(row.rule),
            anchor_on=row.anchor_on,
            version=row.version,
            active=row.active,
            origin=row.origin,
            created_at=row.created_at,
        )
        for row in rows
    ]


def _titles(schedules: Iterable[Schedule]) -> dict[str, str]:
    """By programme, the title of its newest version."""
    asked = {row.code: row.patient_id for row in schedules}
    if not asked:
        return {}
    found = Prescription.objects.filter(patient__in=set(asked.values()), programme__in=asked).order_by("version")
    return {str(programme): title for programme, title in found.values_list("programme", "plan__title")}


def _title_of(code: str) -> str:
    try:
        return library.get(code).title
    except library.UnknownInstrumentError:
        return code
