"""What a patient is asked for, for them to see: the agenda, and what of it their phone pulls."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import msgspec
from django.db.models import CharField, F, QuerySet, Value
from django.db.models.functions import Cast, Concat, JSONObject

from backend.reminders.models import Slot, SlotState


class AgendaItem(msgspec.Struct):
    """One thing asked for. It can be answered from `opens_at` to before `closes_at`."""

    slot: str
    asks: str
    code: str
    local_date: str
    opens_at: datetime
    closes_at: datetime
    state: str


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
            asks=row.schedule.asks,
            code=row.schedule.code,
            local_date=row.local_date.isoformat(),
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
