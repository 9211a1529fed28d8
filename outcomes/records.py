"""What is read back: responses with their scores, and trends, as plain structs ready to be sent."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta, timezone
from typing import Any
from uuid import UUID

import msgspec

from outcomes.loading import instrument_ids, measure, measure_codes
from outcomes.models import Response, Score, Trend


class StoredResponse(msgspec.Struct):
    """A response as it stands on record. `live` is false once it was replaced or withdrawn."""

    id: UUID
    instrument: str
    version: str
    status: str
    authored_at: datetime
    received_at: datetime
    time_zone: str
    local_day: date
    origin: str
    live: bool
    replaces: UUID | None
    replaced_by: UUID | None
    withdrawn_at: datetime | None
    answers: dict[str, Any]
    scores: dict[str, float]


def stored_responses(rows: Sequence[Response]) -> list[StoredResponse]:
    """One patient's response rows with their scores, in one statement."""
    if not rows:
        return []
    days = [row.local_day for row in rows]
    scores: dict[UUID, dict[str, float]] = {row.id: {} for row in rows}
    found = Score.objects.filter(
        patient_id=rows[0].patient_id,
        measure_id__in=_measures_of({row.instrument_id for row in rows}),
        local_day__range=(min(days), max(days)),
        source__in=scores,
    ).values_list("source", "measure_id", "value")
    codes = measure_codes()
    for source, measure_id, value in found:
        scores[source][codes[measure_id]] = value
    names = {number: name for name, number in instrument_ids().items()}
    return [
        StoredResponse(
            id=row.id,
            instrument=names[row.instrument_id][0],
            version=names[row.instrument_id][1],
            status=row.status,
            authored_at=row.authored_at.astimezone(timezone(timedelta(minutes=row.utc_offset))),
            received_at=row.received_at,
            time_zone=row.time_zone,
            local_day=row.local_day,
            origin=row.origin,
            live=row.live,
            replaces=row.replaces,
            replaced_by=row.replaced_by,
            withdrawn_at=row.withdrawn_at,
            answers=row.answers,
            scores=scores[row.id],
        )
        for row in rows
    ]


def _measures_of(instruments: set[int]) -> list[int]:
    codes = {code for (code, _), number in instrument_ids().items() if number in instruments}
    return [number for number, measure in measure_codes().items() if measure.rpartition(".")[0] in codes]


class StoredTrend(msgspec.Struct):
    """Where one measure of one patient is heading, for clinicians. Null: not enough data to say."""

    measure: str
    title: str
    n: int
    first_day: date | None
    last_day: date | None
    last_value: float | None
    baseline: float | None
    level: float | None
    slope_per_week: float | None
    slope_low: float | None
    slope_high: float | None
    tau: float | None
    p_value: float | None
    change: float | None
    change_label: str
    level_changes: list[date]
    coverage: float | None
    enough_data: bool
    computed_at: datetime


def stored_trends(patient_id: int) -> list[StoredTrend]:
    """All trends of one patient, by measure, in one statement."""
    same = [name for name in StoredTrend.__struct_fields__ if name not in ("measure", "title")]
    codes = measure_codes()
    trends = []
    for row in Trend.objects.filter(patient_id=patient_id):
        code = codes[row.measure_id]
        trends.append(
            StoredTrend(measure=code, title=measure(code).title, **{name: getattr(row, name) for name in same})
        )
    return sorted(trends, key=lambda trend: trend.measure)
