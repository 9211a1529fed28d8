"""What is read back: responses with their scores, and trends, as plain structs ready to be sent."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta, timezone
from functools import cache
from typing import Any
from uuid import UUID

import msgspec
from django.db import connection
from django.db.models import QuerySet

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


def told_responses(page: QuerySet[Response], patient_id: int) -> list[str]:
    """Each of these responses of a patient as JSON, as `stored_responses` says it, newest first; in one statement.

    The database writes it: to make each value into Python first would cost several times as much.
    """
    rows, values = page.values(*_TOLD).query.sql_with_params()
    with connection.cursor() as cursor:
        cursor.execute(_TELL.format(page=rows), [*values, patient_id])
        return [told for (told,) in cursor.fetchall()]


class ToldKey(msgspec.Struct):
    """By what told responses are ordered."""

    authored_at: datetime
    id: UUID


_TOLD = (
    "id", "instrument_id", "status", "authored_at", "utc_offset", "received_at", "time_zone", "local_day", "origin",
    "live", "replaces", "replaced_by", "withdrawn_at", "answers",
)  # fmt: skip
# Most patients have few answers and some have thousands, and one plan serves all: so nothing is joined here that a plan
# for few would walk through again for each row. A measure's values are a range of the key, and answers and values meet
# by being grouped.
_TELL = """
    WITH page AS MATERIALIZED ({page}),
    instrument AS MATERIALIZED (
        SELECT id, code, '"instrument":' || to_json(code) || ',"version":' || to_json(version) AS named
        FROM outcomes_instrumentversion
    ),
    measure AS MATERIALIZED (
        SELECT id, to_json(code) || ':' AS named
        FROM outcomes_measure
        WHERE split_part(code, '.', 1) IN (SELECT code FROM instrument WHERE id IN (SELECT instrument_id FROM page))
    ),
    score AS (
        SELECT source, named || value AS score
        FROM measure CROSS JOIN LATERAL (
            SELECT source, value
            FROM outcomes_score
            WHERE patient_id = %s AND measure_id = measure.id
                AND local_day BETWEEN (SELECT min(local_day) FROM page) AND (SELECT max(local_day) FROM page)
            OFFSET 0
        ) AS own
    ),
    answer AS (
        SELECT page.id, authored_at, '{{"id":"' || page.id || '",' || named || ',"status":"' || status
            || '","authored_at":'
            || left(to_json(authored_at AT TIME ZONE 'UTC' + utc_offset * interval '1 minute')::text, -1)
            || CASE WHEN utc_offset < 0 THEN '-' ELSE '+' END
            || to_char(make_interval(mins => abs(utc_offset)), 'HH24:MI')
            || '","received_at":' || to_json(received_at) || ',"time_zone":' || to_json(time_zone)
            || ',"local_day":"' || local_day || '","origin":"' || origin || '","live":' || live
            || ',"replaces":' || coalesce('"' || replaces || '"', 'null')
            || ',"replaced_by":' || coalesce('"' || replaced_by || '"', 'null')
            || ',"withdrawn_at":' || coalesce(to_json(withdrawn_at)::text, 'null')
            || ',"answers":' || answers AS told
        FROM page JOIN instrument ON instrument.id = page.instrument_id
    )
    SELECT string_agg(told, '') || ',"scores":{{' || coalesce(string_agg(score, ','), '') || '}}}}'
    FROM (
        SELECT id, authored_at, told, NULL AS score FROM answer
        UNION ALL
        SELECT source, NULL, NULL, score FROM score
    ) AS part (id, authored_at, told, score)
    GROUP BY id
    HAVING max(authored_at) IS NOT NULL  -- a value of another answer of these days
    ORDER BY max(authored_at) DESC, id DESC
"""


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
