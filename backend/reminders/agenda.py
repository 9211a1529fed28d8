"""What a patient is asked for, for them to see: the agenda, and what of it their phone pulls."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any, Literal

import msgspec
from django.db.models import CharField, F, QuerySet, Value
from django.db.models.functions import Cast, Concat, JSONObject

from backend.reminders.models import Absence, ReminderSettings, Schedule, Seen, Slot, SlotState, Week


class AgendaItem(msgspec.Struct):
    """One thing asked for. It can be answered from `opens_at` to before `closes_at`.

    `code` is the instrument's, or the programme's id; empty where any session will do.
    """

    slot: str
    asks: Literal["instrument", "session"]
    code: str
    local_date: date
    opens_at: datetime
    closes_at: datetime
    state: Literal["open", "upcoming"]


def agenda(patient_id: int, now: datetime, days: int) -> list[AgendaItem]:
    """What can be answered now or opens within `days` days, in order. What was missed is gone: only today is asked."""
    rows = (
        Slot.objects.filter(
            patient_id=patient_id,
            state__in=[SlotState.UPCOMING, SlotState.OPEN],
            closes_at__gt=now,
            opens_at__lt=now + timedelta(days=days),
        )
        .select_related("schedule")
        .order_by("opens_at", "schedule", "n")
    )
    return [
        AgendaItem(
            slot=f"{row.schedule_id}:{row.local_date}:{row.n}",
            asks="session" if row.schedule.asks == Schedule.Asks.SESSION else "instrument",
            code=row.schedule.code,
            local_date=row.local_date,
            opens_at=row.opens_at,
            closes_at=row.closes_at,
            state="open" if row.opens_at <= now else "upcoming",
        )
        for row in rows
    ]


def changes(patient_id: int) -> QuerySet[Slot, tuple[int, str, dict[str, Any]]]:
    """Slots for the phone's pull, as rows of (revision, place within it, change)."""
    key = Concat(
        Cast("schedule_id", CharField()),
        Value(":"),
        Cast("local_date", CharField()),
        Value(":"),
        Cast("n", CharField()),
    )
    return (
        Slot.objects.filter(patient_id=patient_id)
        .annotate(
            place=Concat(Value("slot:"), key),
            change=JSONObject(
                type=Value("slot"),
                id=key,
                op=Value("upsert"),
                data=JSONObject(
                    asks=F("schedule__asks"),
                    code=F("schedule__code"),
                    local_date=F("local_date"),
                    opens_at=F("opens_at"),
                    closes_at=F("closes_at"),
                    state=F("state"),
                ),
            ),
        )
        .values_list("rev", "place", "change")
    )


def settings_changes(patient_id: int) -> QuerySet[ReminderSettings, tuple[int, str, dict[str, Any]]]:
    """The patient's reminder settings for the pull; none while the defaults hold."""
    return (
        ReminderSettings.objects.filter(patient_id=patient_id)
        .annotate(
            place=Value("settings", CharField()),
            change=JSONObject(
                type=Value("settings"),
                id=Value("reminders"),
                op=Value("upsert"),
                data=JSONObject(
                    channel=F("channel"),
                    quiet_from=F("quiet_from"),
                    quiet_to=F("quiet_to"),
                    weekly_cap=F("weekly_cap"),
                    tell_week=F("tell_week"),
                    tell_seen=F("tell_seen"),
                ),
            ),
        )
        .values_list("rev", "place", "change")
    )


def absence_changes(patient_id: int) -> QuerySet[Absence, tuple[int, str, dict[str, Any]]]:
    """The patient's days away for the pull, also those that the clinic entered."""
    return (
        Absence.objects.filter(patient_id=patient_id)
        .annotate(
            place=Concat(Value("absence:"), Cast("id", CharField())),
            change=JSONObject(
                type=Value("absence"),
                id=F("id"),
                op=Value("upsert"),
                data=JSONObject(first_day=F("first_day"), last_day=F("last_day"), cancelled=F("cancelled")),
            ),
        )
        .values_list("rev", "place", "change")
    )


def week_changes(patient_id: int) -> QuerySet[Week, tuple[int, str, dict[str, Any]]]:
    """Looks back at the patient's weeks, for the pull."""
    day = Cast("first_day", CharField())
    return (
        Week.objects.filter(patient_id=patient_id)
        .exclude(words=[])
        .annotate(
            place=Concat(Value("week:"), day),
            change=JSONObject(
                type=Value("week"),
                id=day,
                op=Value("upsert"),
                data=JSONObject(first_day=F("first_day"), words=F("words")),
            ),
        )
        .values_list("rev", "place", "change")
    )


def seen_changes(patient_id: int) -> QuerySet[Seen, tuple[int | None, str, dict[str, Any]]]:
    """What of the patient's the team has seen, for the pull."""
    return (
        Seen.objects.filter(patient_id=patient_id, rev__isnull=False)
        .annotate(
            place=Concat(Value("seen:"), Cast("source", CharField())),
            change=JSONObject(
                type=Value("seen"), id=F("source"), op=Value("upsert"), data=JSONObject(seen_at=F("seen_at"))
            ),
        )
        .values_list("rev", "place", "change")
    )
