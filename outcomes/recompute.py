"""Keeps trends and summaries true to the scores, with a fixed number of statements for each chunk of patients.

What there is to do stands in `trend_due`. A worker holds the row lock of a patient's summary while it works on that
patient, so two workers never do the same, and a worker that dies at any line leaves everything as it was. Marks are
read before scores and removed only as they were read: an answer that comes meanwhile is seen now or next time.
"""

import logging
from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

import numpy as np
from django.db import DataError, IntegrityError, connection, transaction

from outcomes.series import Series, find_series, read_entries
from outcomes.summaries import add_summaries, write_summaries
from outcomes.trends import NEVER, compute, day_number, one_a_day

logger = logging.getLogger(__name__)

CHUNK = 500  # patients: some 300,000 entries, a second of work

type Table = dict[str, list[Any]]
"""Columns by name."""


def recompute_due(now: datetime) -> int:
    """Recompute all that is marked and that no other worker has in hand; how many series that were.

    Goes on until nothing is left, so that a mark made meanwhile, even on a series just done, needs no second call.
    """
    total = 0
    while done := _sweep(every=False, now=now):
        total += done
    return total


def recompute_all(now: datetime) -> int:
    """Recompute every trend and summary from the scores, and say how many series there were. Leaves marks alone."""
    return _sweep(every=True, now=now)


def _sweep(*, every: bool, now: datetime) -> int:
    """Work through the patients in ascending order, a chunk and a transaction at a time."""
    total, after = 0, 0
    while chunk := _next_patients(after, every=every):
        add_summaries(chunk, now)
        total += _work(chunk, every=every, now=now)
        after = chunk[-1]
    return total


def _work(patients: list[int], *, every: bool, now: datetime) -> int:
    """Recompute these patients. One that fails is told of and passed over; it doesn't hold up the others."""
    try:
        with transaction.atomic():
            return _recompute(patients, every=every, now=now)
    except (DataError, IntegrityError, ArithmeticError, ValueError) as error:
        if len(patients) == 1:
            # Without the error's own text, which may quote values.
            logger.error("trends of patient %s failed: %s", patients[0], type(error).__name__)
            return 0
    half = len(patients) // 2
    return _work(patients[:half], every=every, now=now) + _work(patients[half:], every=every, now=now)


def _recompute(patients: list[int], *, every: bool, now: datetime) -> int:
    held = _hold(patients, wait=every)
    wanted = find_series(held, every=every)
    trends = _trends(wanted)
    _write_trends(wanted, trends, now)
    _freeze_baselines(wanted, trends, now)
    write_summaries(held, now)
    if not every:
        _remove_marks(wanted)
    return len(wanted)


def _trends(wanted: Sequence[Series]) -> Table:
    """Columns of trends, one row a series."""
    measures = list(dict.fromkeys(series.measure for series in wanted))
    place = {measure: place for place, measure in enumerate(measures)}
    which = np.array([place[series.measure] for series in wanted], np.int64)
    daily = np.array([series.measure.kind == "daily" for series in wanted], np.bool_)
    programme = [NEVER if series.programme is None else day_number(series.programme) for series in wanted]
    baselines = [series.baseline or (np.nan, date.min, date.min) for series in wanted]
    frozen = (
        np.array([value for value, _, _ in baselines], np.float64),
        np.array([day_number(day) for _, day, _ in baselines], np.int64),
        np.array([day_number(day) for _, _, day in baselines], np.int64),
    )
    entries = one_a_day(*read_entries(wanted), daily)
    trends = compute(*entries, measures, which, np.array(programme, np.int64), frozen=frozen).columns()
    # An array of arrays of unequal length is nothing that PostgreSQL knows.
    trends["level_changes"] = [f"{{{','.join(map(str, days))}}}" for days in trends["level_changes"]]
    return trends


MARKED = """
SELECT DISTINCT patient_id FROM outcomes_trend_due WHERE patient_id > %s ORDER BY patient_id LIMIT %s
"""
EVERY = """
SELECT id FROM people_patient AS patient
WHERE id > %s AND EXISTS (SELECT FROM outcomes_score WHERE patient_id = patient.id) ORDER BY id LIMIT %s
"""


def _next_patients(after: int, *, every: bool) -> list[int]:
    """The next patients that have marks, or scores."""
    with connection.cursor() as cursor:
        cursor.execute(EVERY if every else MARKED, [after, CHUNK])
        return [row[0] for row in cursor.fetchall()]


HOLD = "SELECT patient_id FROM outcomes_summary WHERE patient_id = ANY (%s) ORDER BY patient_id FOR NO KEY UPDATE"


def _hold(patients: list[int], *, wait: bool) -> list[int]:
    """Keep other trend workers off these patients till the end of the transaction; gives those that were free."""
    with connection.cursor() as cursor:
        cursor.execute(HOLD if wait else f"{HOLD} SKIP LOCKED", [patients])
        return [row[0] for row in cursor.fetchall()]


def _write_trends(wanted: Sequence[Series], trends: Table, now: datetime) -> None:
    """Store trends. A series without entries has none."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            WITH new AS (
                SELECT * FROM unnest(%s::bigint[], %s::smallint[], %s::int[], %s::bigint[], %s::int[], %s::date[],
                    %s::date[], %s::float8[], %s::float8[], %s::float8[], %s::float8[], %s::float8[], %s::float8[],
                    %s::float8[], %s::float8[], %s::float8[], %s::text[], %s::text[], %s::float8[], %s::bool[])
                AS new (patient_id, measure_id, clinic_id, rev, n, first_day,
                    last_day, last_value, baseline, level, slope_per_week, slope_low, slope_high,
                    tau, p_value, change, change_label, level_changes, coverage, enough_data)
            ), gone AS (
                DELETE FROM outcomes_trend AS old USING new
                WHERE (old.patient_id, old.measure_id) = (new.patient_id, new.measure_id) AND new.n = 0
            )
            INSERT INTO outcomes_trend (
                patient_id, measure_id, clinic_id, rev, n, first_day, last_day, last_value, baseline, level,
                slope_per_week, slope_low, slope_high, tau, p_value, change, change_label, level_changes, coverage,
                enough_data, computed_at)
            SELECT patient_id, measure_id, clinic_id, rev, n, first_day, last_day, last_value, baseline, level,
                slope_per_week, slope_low, slope_high, tau, p_value, change, change_label, level_changes::date[],
                coverage, enough_data, %s
            FROM new WHERE n > 0
            ON CONFLICT (patient_id, measure_id) DO UPDATE SET (
                clinic_id, rev, n, first_day, last_day, last_value, baseline, level, slope_per_week, slope_low,
                slope_high, tau, p_value, change, change_label, level_changes, coverage, enough_data, computed_at
            ) = ROW (
                excluded.clinic_id, excluded.rev, excluded.n, excluded.first_day, excluded.last_day,
                excluded.last_value, excluded.baseline, excluded.level, excluded.slope_per_week, excluded.slope_low,
                excluded.slope_high, excluded.tau, excluded.p_value, excluded.change, excluded.change_label,
                excluded.level_changes, excluded.coverage, excluded.enough_data, excluded.computed_at)
            """,
            [
                *(
                    [getattr(series, name) for series in wanted]
                    for name in ("patient_id", "measure_id", "clinic_id", "rev")
                ),
                *(trends[name] for name in TOLD),
                now,
            ],
        )


WHOSE = ("patient_id", "measure_id", "clinic_id", "rev")
TOLD = (
    "n", "first", "last", "last_value", "baseline", "level", "slope_per_week", "slope_low", "slope_high", "tau",
    "p_value", "change", "change_label", "level_changes", "coverage", "enough_data",
)  # fmt: skip


def _freeze_baselines(wanted: Sequence[Series], trends: Table, now: datetime) -> None:
    """Keep the baselines that have become settled, as version 1."""
    new = [
        (series.patient_id, series.measure_id, series.clinic_id, *baseline)
        for series, settled, *baseline in zip(wanted, *(trends[name] for name in BASELINE), strict=True)
        if settled and series.baseline is None
    ]
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO outcomes_baseline (
                patient_id, measure_id, clinic_id, value, from_day, to_day, version, reason, set_at)
            SELECT *, 1, '', %s
            FROM unnest(%s::bigint[], %s::smallint[], %s::int[], %s::float8[], %s::date[], %s::date[])
            ON CONFLICT (patient_id, measure_id, version) DO NOTHING
            """,
            [now, *([row[column] for row in new] for column in range(6))],
        )


BASELINE = ("baseline_settled", "baseline", "baseline_from", "baseline_to")


def _remove_marks(seen: Sequence[Series]) -> None:
    """Remove marks that nobody has counted up since; one that somebody is just counting up stays, unwaited for."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            WITH done AS (
                SELECT due.patient_id, due.measure_id
                FROM outcomes_trend_due AS due
                JOIN unnest(%s::bigint[], %s::smallint[], %s::int[]) AS seen (patient_id, measure_id, marked)
                    USING (patient_id, measure_id, marked)
                FOR UPDATE OF due SKIP LOCKED
            )
            DELETE FROM outcomes_trend_due AS due USING done
            WHERE (due.patient_id, due.measure_id) = (done.patient_id, done.measure_id)
            """,
            [[getattr(series, name) for series in seen] for name in ("patient_id", "measure_id", "marked")],
        )
