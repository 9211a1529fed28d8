"""Set-wise reads of series: which there are, and of each what its trend needs. Their cost doesn't grow with history."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
from django.db import connection

from outcomes.levels import Floats, Ints
from outcomes.library import Measure
from outcomes.loading import measure
from outcomes.trends import BASELINE_DAYS, WINDOW_DAYS, WINDOW_RESPONSES


@dataclass(frozen=True, slots=True)
class Series:
    """One measure of one patient, with what its trend depends on besides its entries.

    `marked` counts how often it was marked as due, null where it isn't. `rev` is the patient's revision: entries up to
    it are read. `baseline` is the newest frozen one, with the days that it is from and to.
    """

    patient_id: int
    measure_id: int
    clinic_id: int
    marked: int | None
    rev: int
    measure: Measure
    programme: date | None
    baseline: tuple[float, date, date] | None


MARKED = "SELECT patient_id, measure_id, marked FROM outcomes_trend_due WHERE patient_id = ANY (%(patients)s)"

# Every series with an entry, found by skipping from measure to measure, and every one that has a trend.
EVERY = """
WITH RECURSIVE step AS (
    SELECT patient_id, (
        SELECT min(measure_id) FROM outcomes_score AS score WHERE score.patient_id = patient.patient_id AND live
    ) AS measure_id
    FROM unnest(%(patients)s) AS patient (patient_id)
    UNION ALL
    SELECT patient_id, (
        SELECT min(measure_id) FROM outcomes_score AS score
        WHERE score.patient_id = step.patient_id AND score.measure_id > step.measure_id AND live
    )
    FROM step WHERE measure_id IS NOT NULL
)
SELECT patient_id, measure_id, NULL::int FROM step WHERE measure_id IS NOT NULL
UNION
SELECT patient_id, measure_id, NULL FROM outcomes_trend WHERE patient_id = ANY (%(patients)s)
"""

DESCRIBED = """
SELECT series.patient_id, series.measure_id, patient.clinic_id, series.marked, coalesce(patient_rev.rev, 0),
    measure.code, patient.programme_started_on, baseline.value, baseline.from_day, baseline.to_day
FROM unnest(%s::bigint[], %s::smallint[], %s::int[]) AS series (patient_id, measure_id, marked)
JOIN people_patient AS patient ON patient.id = series.patient_id
JOIN outcomes_measure AS measure ON measure.id = series.measure_id
LEFT JOIN people_patient_rev AS patient_rev ON patient_rev.patient_id = series.patient_id
LEFT JOIN LATERAL (
    SELECT value, from_day, to_day FROM outcomes_baseline AS own
    WHERE own.patient_id = series.patient_id AND own.measure_id = series.measure_id ORDER BY version DESC LIMIT 1
) AS baseline ON true
ORDER BY series.patient_id, series.measure_id
"""


def find_series(patients: Sequence[int], *, every: bool) -> list[Series]:
    """The series of these patients: those that are marked as due, or all there are; in order of patient and measure."""
    with connection.cursor() as cursor:
        cursor.execute(EVERY if every else MARKED, {"patients": list(patients)})
        keys = cursor.fetchall()
        cursor.execute(DESCRIBED, [[key[column] for key in keys] for column in range(3)])
        return [_series(*row) for row in cursor.fetchall()]


def _series(
    patient_id: int,
    measure_id: int,
    clinic_id: int,
    marked: int | None,
    rev: int,
    code: str,
    programme: date | None,
    value: float | None,
    from_day: date,
    to_day: date,
) -> Series:
    baseline = None if value is None else (value, from_day, to_day)
    return Series(patient_id, measure_id, clinic_id, marked, rev, measure(code), programme, baseline)


# The window; and, while the baseline isn't frozen, the days that it may come from. By index alone. A series is one row
# of packed numbers: rows of one entry each would cost many times more on the way. Of two entries of the same moment, as
# a file with dates alone has, the larger is the later, so that it is always the same one.
ENTRIES = """
SELECT wanted.place, packed.days, packed.values
FROM unnest(%(place)s::int[], %(patient)s::bigint[], %(measure)s::smallint[], %(daily)s::bool[], %(frozen)s::bool[],
    %(programme)s::date[])
    AS wanted (place, patient_id, measure_id, daily, frozen, programme)
CROSS JOIN LATERAL (
    SELECT CASE WHEN wanted.daily THEN (
        SELECT max(local_day) - %(window_days)s FROM outcomes_score
        WHERE patient_id = wanted.patient_id AND measure_id = wanted.measure_id AND live
    ) ELSE (
        SELECT min(local_day) - 1 FROM (
            SELECT DISTINCT local_day FROM outcomes_score
            WHERE patient_id = wanted.patient_id AND measure_id = wanted.measure_id AND live
            ORDER BY local_day DESC LIMIT %(window_responses)s
        ) AS recent
    ) END AS day
) AS before
CROSS JOIN LATERAL (
    SELECT
        string_agg(date_send(local_day), '' ORDER BY local_day, at, value) AS days,
        string_agg(float8send(value), '' ORDER BY local_day, at, value) AS values
    FROM (
        SELECT local_day, value, at FROM outcomes_score
        WHERE NOT wanted.frozen AND patient_id = wanted.patient_id AND measure_id = wanted.measure_id AND live
            AND local_day <= before.day AND local_day = ANY (
                ARRAY(
                    SELECT DISTINCT local_day FROM outcomes_score
                    WHERE patient_id = wanted.patient_id AND measure_id = wanted.measure_id AND live
                    ORDER BY local_day LIMIT CASE WHEN wanted.daily THEN %(baseline_days)s ELSE 1 END
                ) || (
                    SELECT max(local_day) FROM outcomes_score
                    WHERE patient_id = wanted.patient_id AND measure_id = wanted.measure_id AND live
                        AND local_day < wanted.programme
                )
            )
        UNION ALL
        SELECT local_day, value, at FROM outcomes_score
        WHERE patient_id = wanted.patient_id AND measure_id = wanted.measure_id AND live
            AND local_day > before.day
    ) AS entry
) AS packed
WHERE packed.days IS NOT NULL
ORDER BY wanted.place
"""

DAYS_TO_2000 = (date(2000, 1, 1) - date(1970, 1, 1)).days


def read_entries(wanted: Sequence[Series]) -> tuple[Ints, Ints, Floats]:
    """The entries that the trends of these series need: flat, sorted, days numbered, series by their place."""
    with connection.cursor() as cursor:
        cursor.execute(
            ENTRIES,
            {
                "place": list(range(len(wanted))),
                "patient": [series.patient_id for series in wanted],
                "measure": [series.measure_id for series in wanted],
                "daily": [series.measure.kind == "daily" for series in wanted],
                "frozen": [series.baseline is not None for series in wanted],
                "programme": [series.programme for series in wanted],
                "window_days": WINDOW_DAYS,
                "window_responses": WINDOW_RESPONSES,
                "baseline_days": BASELINE_DAYS,
            },
        )
        rows = cursor.fetchall()
    place = np.repeat([place for place, _, _ in rows], [len(days) // 4 for _, days, _ in rows]).astype(np.int64)
    day = np.frombuffer(b"".join([days for _, days, _ in rows]), ">i4").astype(np.int64) + DAYS_TO_2000
    return place, day, np.frombuffer(b"".join([values for _, _, values in rows]), ">f8").astype(np.float64)
