"""What is read back: responses with their scores, and trends, as plain structs ready to be sent."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta, timezone
from functools import cache
from typing import Any, NamedTuple
from uuid import UUID

import msgspec
from django.db import connection
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import Expression, QuerySet, TextField

from outcomes.loading import instrument_ids, measure, measure_codes
from outcomes.models import Response, Trend


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
    instruments = {number: name for name, number in instrument_ids().items()}
    scores = _scores([(row.instrument_id, row.local_day) for row in rows], rows[0].patient_id if rows else 0)
    return [
        StoredResponse(
            id=row.id,
            instrument=instruments[row.instrument_id][0],
            version=instruments[row.instrument_id][1],
            status=row.status,
            authored_at=_as_authored(row.authored_at, row.utc_offset),
            received_at=row.received_at,
            time_zone=row.time_zone,
            local_day=row.local_day,
            origin=row.origin,
            live=row.live,
            replaces=row.replaces,
            replaced_by=row.replaced_by,
            withdrawn_at=row.withdrawn_at,
            answers=row.answers,
            scores=msgspec.json.decode(scores.get(row.id, "{}")),
        )
        for row in rows
    ]


class Told(NamedTuple):
    """A stored response on its way into JSON, most of which the database has written."""

    id: UUID
    authored_at: datetime
    utc_offset: int
    instrument_id: int
    local_day: date
    written: str


def told(responses: QuerySet[Response]) -> QuerySet[Response, Any]:
    """Rows as `told_responses` takes them. To make each value into Python first would cost several times as much."""
    return responses.annotate(written=_Written(output_field=TextField())).values_list(*Told._fields, named=True)


class _Written(Expression):
    """What is told of a response as it stands: in one piece, since to compile each column takes longer than to run."""

    def as_sql(self, compiler: Any, connection: BaseDatabaseWrapper) -> tuple[str, tuple[()]]:
        fields = (
            "id", "status", "received_at", "time_zone", "local_day", "origin", "live", "replaces", "replaced_by",
            "withdrawn_at", "answers",
        )  # fmt: skip
        pairs = ", ".join(f"'{name}', outcomes_response.{name}" for name in fields)
        return f"json_build_object({pairs})::text", ()


def told_responses(rows: Sequence[Told], patient_id: int) -> msgspec.Raw:
    """What `stored_responses` says, as a JSON list; in one statement."""
    names = {
        number: f'"instrument":{_json(code)},"version":{_json(version)}'
        for (code, version), number in instrument_ids().items()
    }
    scores = _scores([(row.instrument_id, row.local_day) for row in rows], patient_id)
    told = ",".join(
        f'{{{names[row.instrument_id]},"authored_at":"{_as_authored(row.authored_at, row.utc_offset).isoformat()}",'
        f'"scores":{scores.get(row.id, "{}")},{row.written[1:]}'
        for row in rows
    )
    return msgspec.Raw(f"[{told}]".encode())


def _json(text: str) -> str:
    return msgspec.json.encode(text).decode()


def _as_authored(moment: datetime, utc_offset: int) -> datetime:
    return moment.astimezone(_east_of_utc(utc_offset))


@cache
def _east_of_utc(minutes: int) -> timezone:
    return timezone(timedelta(minutes=minutes))


def _scores(rows: Sequence[tuple[int, date]], patient_id: int) -> dict[UUID, str]:
    """By response, as a JSON object, what a patient's answers to these instruments on these days and between scored."""
    if not rows:
        return {}
    days = [day for _, day in rows]
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT source, json_object_agg(measure.code, value)::text
            FROM outcomes_score AS score JOIN outcomes_measure AS measure ON measure.id = score.measure_id
            WHERE patient_id = %s AND measure_id = ANY(%s::smallint[]) AND local_day BETWEEN %s AND %s
            GROUP BY source
            """,
            [patient_id, _measures_of({instrument for instrument, _ in rows}), min(days), max(days)],
        )
        return dict(cursor.fetchall())


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
