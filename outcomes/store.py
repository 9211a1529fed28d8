"""Set-wise writes to the hot tables: one statement each, however many rows.

All run in the caller's transaction, after the caller has taken the patients' revisions (`next_revisions`), which also
makes writes to one patient wait for each other. Rows are sorted by key, so that two writers meet in one order.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from datetime import date, datetime
from math import isfinite
from typing import Any
from uuid import UUID

import msgspec
from django.db import connection, transaction

from backend.people.writes import Door
from outcomes.tasks import ring


class ResponseRow(msgspec.Struct, frozen=True):
    """A response about to be stored. `answers` is JSON text."""

    patient_id: int
    clinic_id: int
    id: UUID
    rev: int
    instrument_id: int
    status: str
    answers: str
    authored_at: datetime
    utc_offset: int
    time_zone: str
    local_day: date
    replaces: UUID | None
    digest: bytes


class ScoreRow(msgspec.Struct, frozen=True, order=True):
    """One value of one measure on one local day."""

    patient_id: int
    measure_id: int
    local_day: date
    source: UUID
    clinic_id: int
    value: float
    at: datetime


class Standing(msgspec.Struct, frozen=True):
    """What the database already holds under a response's key."""

    digest: bytes
    instrument_id: int
    local_day: date
    live: bool
    withdrawn: bool


def standing_responses(keys: Iterable[tuple[int, UUID]]) -> dict[tuple[int, UUID], Standing]:
    """The stored responses among `keys` (patient, id). One statement, none without keys."""
    wanted = sorted(set(keys))
    if not wanted:
        return {}
    patients, ids = columns(wanted, 2)
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT patient_id, id, digest, instrument_id, local_day, live, withdrawn_at IS NOT NULL
            FROM outcomes_response JOIN unnest(%s::bigint[], %s::uuid[]) AS key (patient_id, id) USING (patient_id, id)
            """,
            [patients, ids],
        )
        return {(row[0], row[1]): Standing(bytes(row[2]), *row[3:]) for row in cursor.fetchall()}


def standing_scores(series: Iterable[tuple[int, int]], sources: Iterable[UUID]) -> list[tuple[UUID, float, datetime]]:
    """Source, value and time of what these series (patient, measure) hold from these sources."""
    patients, measures = columns(sorted(set(series)), 2)
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT source, value, at
            FROM outcomes_score
            JOIN unnest(%s::bigint[], %s::smallint[]) AS series (patient_id, measure_id) USING (patient_id, measure_id)
            WHERE source = ANY(%s::uuid[])
            """,
            [patients, measures, sorted(sources)],
        )
        found: list[tuple[UUID, float, datetime]] = cursor.fetchall()
        return found


def scores_at(keys: Iterable[tuple[int, int, date, UUID]]) -> list[tuple[int, int, UUID, float]]:
    """Patient, measure, source and value of the scores among these keys (patient, measure, local day, source)."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT patient_id, measure_id, source, value
            FROM outcomes_score
            JOIN unnest(%s::bigint[], %s::smallint[], %s::date[], %s::uuid[])
                AS key (patient_id, measure_id, local_day, source) USING (patient_id, measure_id, local_day, source)
            """,
            columns(list(keys), 4),
        )
        found: list[tuple[int, int, UUID, float]] = cursor.fetchall()
        return found


def insert_responses(rows: Sequence[ResponseRow], scores: Iterable[ScoreRow], door: Door) -> set[tuple[int, UUID]]:
    """Store responses and their scores and mark the trends due, in one statement; gives the keys of what was stored.

    A response whose key (patient, id) stands is left as it is, with its scores, and is not among them.
    """
    rows = sorted(rows, key=lambda row: (row.patient_id, row.id))
    ordered = sorted(scores)
    with connection.cursor() as cursor:
        cursor.execute(
            _RESPONSES_AND_SCORES,
            [
                door.received_at,
                door.origin,
                door.device_id,
                door.clock_skew,
                *columns([msgspec.structs.astuple(row) for row in rows], 13),
                *columns([msgspec.structs.astuple(row) for row in ordered], 7),
            ],
        )
        stored = set(cursor.fetchall())
    if ordered and stored:
        transaction.on_commit(ring, robust=True)
    return stored


def insert_scores(rows: Iterable[ScoreRow]) -> None:
    """Put values into the series and mark their trends due. A value that stands is replaced: a source has one a day."""
    ordered = sorted(rows)
    if not ordered:
        return
    with connection.cursor() as cursor:
        cursor.execute(_SCORES_ALONE, columns([msgspec.structs.astuple(row) for row in ordered], 7))
    transaction.on_commit(ring, robust=True)


_RESPONSES = """
    INSERT INTO outcomes_response (
        patient_id, clinic_id, id, rev, instrument_id, status, answers, authored_at, utc_offset, time_zone,
        local_day, replaces, digest, received_at, origin, device, clock_skew, live, withdrawn_reason)
    SELECT patient_id, clinic_id, id, rev, instrument_id, status, answers::jsonb, authored_at, utc_offset,
        time_zone, local_day, replaces, digest, %s, %s, %s, %s, true, ''
    FROM unnest(%s::bigint[], %s::int[], %s::uuid[], %s::bigint[], %s::smallint[], %s::text[], %s::text[],
        %s::timestamptz[], %s::smallint[], %s::text[], %s::date[], %s::uuid[], %s::bytea[])
        AS new (patient_id, clinic_id, id, rev, instrument_id, status, answers, authored_at, utc_offset,
            time_zone, local_day, replaces, digest)
    ON CONFLICT DO NOTHING
"""

_SENT = """
    unnest(%s::bigint[], %s::smallint[], %s::date[], %s::uuid[], %s::int[], %s::float8[], %s::timestamptz[])
        AS sent (patient_id, measure_id, local_day, source, clinic_id, value, at)
"""

# Of the values in `new`.
_SCORES = """
    INSERT INTO outcomes_score (patient_id, measure_id, local_day, source, clinic_id, value, at, live)
    SELECT *, true FROM new
    ON CONFLICT (patient_id, measure_id, local_day, source)
    DO UPDATE SET value = excluded.value, at = excluded.at, live = true
"""

_DUE = """
    INSERT INTO outcomes_trend_due AS due (patient_id, measure_id, clinic_id, marked)
    SELECT DISTINCT patient_id, measure_id, clinic_id, 1 FROM new ORDER BY patient_id, measure_id
    ON CONFLICT (patient_id, measure_id) DO UPDATE SET marked = due.marked + 1
"""

_RESPONSES_AND_SCORES = f"""
    WITH response AS ({_RESPONSES} RETURNING patient_id, id),
    new AS (SELECT sent.* FROM {_SENT} JOIN response ON (sent.patient_id, source) = (response.patient_id, id)),
    score AS ({_SCORES}), due AS ({_DUE})
    SELECT patient_id, id FROM response
"""  # noqa: S608  all of it stands above
_SCORES_ALONE = f"WITH new AS (SELECT * FROM {_SENT}), score AS ({_SCORES}) {_DUE}"  # noqa: S608


def mark_due(series: Iterable[tuple[int, int, int]]) -> None:
    """Note that the trends of these series (patient, measure, clinic) must be recomputed.

    The counter goes up even while a worker is at it: the worker removes only the mark that it has seen. The worker is
    told after the transaction.
    """
    rows = sorted(set(series))
    if not rows:
        return
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO outcomes_trend_due AS due (patient_id, measure_id, clinic_id, marked)
            SELECT *, 1 FROM unnest(%s::bigint[], %s::smallint[], %s::int[])
            ON CONFLICT (patient_id, measure_id) DO UPDATE SET marked = due.marked + 1
            """,
            columns(rows, 3),
        )
    transaction.on_commit(ring, robust=True)


class Retired(msgspec.Struct, frozen=True):
    """A response that no longer counts: replaced by `by`, or, where that is null, withdrawn."""

    patient_id: int
    id: UUID
    rev: int
    by: UUID | None
    reason: str = ""


def retire_responses(rows: Sequence[Retired], door: Door) -> list[tuple[int, UUID, int, date]]:
    """Take responses out of the series, on record as they are; gives (patient, id, instrument, local day) of each."""
    if not rows:
        return []
    with connection.cursor() as cursor:
        cursor.execute(
            """
            UPDATE outcomes_response AS mine SET
                live = false,
                rev = old.rev,
                replaced_by = coalesce(old.by, mine.replaced_by),
                withdrawn_at = CASE WHEN old.by IS NULL THEN %s ELSE mine.withdrawn_at END,
                withdrawn_by_id = CASE WHEN old.by IS NULL THEN %s ELSE mine.withdrawn_by_id END,
                withdrawn_reason = CASE WHEN old.by IS NULL THEN old.reason ELSE mine.withdrawn_reason END
            FROM unnest(%s::bigint[], %s::uuid[], %s::bigint[], %s::uuid[], %s::text[])
                AS old (patient_id, id, rev, by, reason)
            WHERE mine.patient_id = old.patient_id AND mine.id = old.id
            RETURNING mine.patient_id, mine.id, mine.instrument_id, mine.local_day
            """,
            [
                door.received_at,
                door.user_id,
                *columns([msgspec.structs.astuple(row) for row in rows], 5),
            ],
        )
        rows_out: list[tuple[int, UUID, int, date]] = cursor.fetchall()
        return rows_out


def retire_scores(keys: Iterable[tuple[int, int, date, UUID]]) -> None:
    """Take values (patient, measure, local day, source) out of their series and mark the trends due."""
    rows = sorted(set(keys))
    if not rows:
        return
    with connection.cursor() as cursor:
        cursor.execute(
            """
            UPDATE outcomes_score AS mine SET live = false
            FROM unnest(%s::bigint[], %s::smallint[], %s::date[], %s::uuid[])
                AS old (patient_id, measure_id, local_day, source)
            WHERE mine.patient_id = old.patient_id AND mine.measure_id = old.measure_id
                AND mine.local_day = old.local_day AND mine.source = old.source AND mine.live
            RETURNING mine.patient_id, mine.measure_id, mine.clinic_id
            """,
            columns(rows, 4),
        )
        retired = cursor.fetchall()
    mark_due(retired)


def columns(rows: Sequence[tuple[Any, ...]], width: int) -> list[str]:
    """Rows turned into one array a column, as unnest() takes them.

    Written out as PostgreSQL reads arrays, because psycopg's own way of passing a list costs many times as much, and
    was the largest part of a push.
    """
    return [_array(column) for column in zip(*rows, strict=True)] if rows else ["{}"] * width


def _array(column: tuple[Any, ...]) -> str:
    """A JSON list is an array but for its brackets, and for control characters, which JSON alone writes as letters."""
    kinds = set(map(type, column))
    if float in kinds:  # JSON knows no infinity
        column = tuple(value if value is None or isfinite(value) else str(value) for value in column)
    if bytes in kinds:
        column = tuple(None if value is None else f"\\x{value.hex()}" for value in column)
    text = msgspec.json.encode(column).decode()[1:-1]
    if not _PLAIN.fullmatch(text):
        text = _ESCAPE.sub(lambda found: found[0] if found[0] in _PLAIN_ESCAPES else json.loads(f'"{found[0]}"'), text)
    return f"{{{text}}}"


_PLAIN_ESCAPES = ('\\"', "\\\\")
_PLAIN = re.compile(r'[^\\]*+(?:\\["\\][^\\]*+)*+')
_ESCAPE = re.compile(r"\\(?:u[0-9a-f]{4}|.)")
