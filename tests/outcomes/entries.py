"""Entries put straight into series, as intake does."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Model
from uuid_utils.compat import uuid7

from backend.people.models import Patient
from outcomes.loading import measure_ids
from outcomes.models import Summary, Trend
from outcomes.store import ScoreRow, insert_scores

START = date(2026, 3, 2)


def on(day: int) -> date:
    return START + timedelta(days=day)


def put(patient: Patient, measure: str, entries: Iterable[tuple[int, float]]) -> list[UUID]:
    """Store entries of (days from START, value) and mark the series; of one day, in the order of their times."""
    rows = [
        ScoreRow(
            patient_id=patient.pk,
            measure_id=measure_ids()[measure],
            local_day=on(day),
            source=uuid7(),
            clinic_id=patient.clinic_id,
            value=value,
            at=datetime.combine(on(day), time(8), UTC) + timedelta(minutes=place),
        )
        for place, (day, value) in enumerate(entries)
    ]
    with transaction.atomic():
        insert_scores(rows)
    return [row.source for row in rows]


def all_trends() -> list[dict[str, Any]]:
    """Every trend, without what tells only when it was computed."""
    return _said(Trend.objects.order_by("pk"))


def all_summaries() -> list[dict[str, Any]]:
    return _said(Summary.objects.order_by("pk"))


def _said(rows: Iterable[Model]) -> list[dict[str, Any]]:
    found = [{field.attname: getattr(row, field.attname) for field in row._meta.concrete_fields} for row in rows]
    return [{name: value for name, value in row.items() if name not in {"computed_at", "rev"}} for row in found]
