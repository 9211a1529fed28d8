"""What is read back: responses with their scores, and trends, as plain structs ready to be sent."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta, timezone
from typing import Any, Protocol
from uuid import UUID

import msgspec
from django.db import connection
from django.db.models import QuerySet, TextField
from django.db.models.functions import Cast

from outcomes.loading import instrument_ids, measure, measure_codes
from outcomes.models import Response, Trend
from outcomes.store import columns


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


class ResponseRow(Protocol):
    """What of a stored response is told: a `Response`, or a named tuple of `TOLD`."""

    patient_id: int
    id: UUID
    instrument_id: int
    status: str
    authored_at: datetime
    received_at: datetime
    utc_offset: int
    time_zone: str
    local_day: date
    origin: str
    live: bool
    replaces: UUID | None
    replaced_by: UUID | None
    withdrawn_at: datetime | None


TOLD = tuple(ResponseRow.__annotations__)


def stored_responses(rows: Sequence[Response]) -> list[StoredResponse]:
    """One patient's response rows with their scores, in one statement."""
    names, scores = _names(), _scores(rows)
    return [_stored(row, names, row.answers, msgspec.json.decode(scores.get(row.id, NONE))) for row in rows]


def told_responses(rows: Sequence[Any]) -> list[StoredResponse]:
    """As `stored_responses`, of rows with the answers as JSON text, only to be sent: JSON stays as it comes."""
    names, scores = _names(), _scores(rows)
    return [_stored(row, names, msgspec.Raw(row.json), scores.get(row.id, NONE)) for row in rows]


def told(responses: QuerySet[Response]) -> QuerySet[Response, Any]:
    """The rows that `told_responses` takes. Models, and answers made into Python, would cost several times as much."""
    return responses.annotate(json=Cast("answers", TextField())).values_list(*TOLD, "json", named=True)


NONE = msgspec.Raw(b"{}")


def _names() -> dict[int, tuple[str, str]]:
    return {number: name for name, number in instrument_ids().items()}


def _stored(
    row: ResponseRow, names: Mapping[int, tuple[str, str]], answers: dict[str, Any] | msgspec.Raw, scores: Any
) -> StoredResponse:
    instrument, version = names[row.instrument_id]
    return StoredResponse(
        id=row.id,
        instrument=instrument,
        version=version,
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
        answers=answers,  # type: ignore[arg-type]  # JSON as it is, on its way into JSON
        scores=scores,
    )


def _scores(rows: Sequence[Any]) -> dict[UUID, msgspec.Raw]:
    """The scores of one patient's responses, each response's as a JSON object."""
    if not rows:
        return {}
    days = [row.local_day for row in rows]
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT source, json_object_agg(measure.code, value)::text
            FROM outcomes_score AS score JOIN outcomes_measure AS measure ON measure.id = score.measure_id
            WHERE patient_id = %s AND measure_id = ANY(%s::smallint[]) AND local_day BETWEEN %s AND %s
                AND source = ANY(%s::uuid[])
            GROUP BY source
            """,
            [
                rows[0].patient_id,
                _measures_of({row.instrument_id for row in rows}),
                min(days),
                max(days),
                *columns([(row.id,) for row in rows], 1),
            ],
        )
        return {source: msgspec.Raw(scores) for source, scores in cursor}


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
