"""How fast trends are recomputed, compared in the same run with COPY and with a loop over SciPy's theilslopes.

    python -m bench.trends [--patients 20000]

Six measures a patient, a value on each of 180 days.
"""

import argparse
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from statistics import median
from uuid import uuid4

import numpy as np
from scipy import stats

from bench.report import HEAD, Row
from bench.site import database
from outcomes import library
from outcomes.levels import Floats, Ints
from outcomes.trends import NEVER, WINDOW_DAYS, compute

MEASURES = [
    "daily-diary.pain-average", "daily-diary.fear", "daily-diary.mood", "daily-diary.sleep", "nrs-pain.total",
    "fear-daily.total",
]  # fmt: skip
DAYS = 180
HISTORIES = (30, 300, 3000)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--patients", type=int, default=20_000)
    parser.add_argument("--loop", type=int, default=300, help="series of the loop over theilslopes, extrapolated")
    options = parser.parse_args()
    with database():
        print(HEAD)
        for row in measure(options.patients, options.loop):
            print(row, flush=True)


def measure(patients: int, loops: int) -> Iterator[Row]:
    from outcomes.recompute import recompute_all

    enter(people(patients), DAYS)
    now = datetime.now(UTC)
    series = patients * len(MEASURES)
    rows, copying = timed(copy_out)
    loop, blocks = theilslopes_loop(loops), mathematics(loops * 20)
    streamed = f"COPY of {rows:,} rows out: {copying:.1f} s"
    looped = f"theilslopes, series by series: {1e6 * loop:,.0f} µs each"
    for name in ("from nothing", "over what stands"):
        done, seconds = timed(lambda: recompute_all(now))
        assert done == series
        what = f"full recompute {name}: {patients:,} patients × {len(MEASURES)} measures × {DAYS} days"
        yield Row(what, f"{seconds:.1f} s", streamed, seconds / copying, most=2)
        each = f"{1e6 * seconds / series:.0f} µs a series, reading and writing"
        yield Row("the same, how many times as fast", each, looped, loop * series / seconds, least=50)
    what = "trends alone: neither side reads or writes, how many times as fast"
    yield Row(what, f"{1e6 * blocks:.0f} µs a series", looped, loop / blocks, least=50)
    after = {days: after_one_entry(days) for days in HISTORIES}
    told = ", ".join(f"{days:,} days {1e3 * taken:.1f} ms" for days, taken in after.items())
    longest, shortest = after[HISTORIES[-1]], after[HISTORIES[0]]
    what = "one patient's six trends after one more entry, longest history over shortest"
    yield Row(what, told, "", longest / shortest, most=1.5)


def timed[T](work: Callable[[], T]) -> tuple[T, float]:
    start = time.perf_counter()
    return work(), time.perf_counter() - start


def people(count: int) -> list[int]:
    from backend.people.models import CareTeam, Clinic, Origin, Patient

    clinic = Clinic.objects.create(name="Simulated clinic", time_zone="UTC", languages=["en"], simulated=True)
    team = CareTeam.objects.create(clinic=clinic, name="Simulated team")
    patients = [
        Patient(clinic=clinic, care_team=team, identifier=f"S{n:06}", time_zone="UTC", origin=Origin.SIMULATED)
        for n in range(count)
    ]
    return [patient.pk for patient in Patient.objects.bulk_create(patients)]


def enter(patients: list[int], days: int) -> None:
    """A value of 0 to 10 a day and measure, until yesterday."""
    from django.db import connection

    from outcomes.loading import measure_ids

    with connection.cursor() as cursor:
        cursor.execute("SELECT setseed(0.5)")
        # The patients were written a moment ago: that they are there needs no looking up for each of millions of rows.
        cursor.execute("SET session_replication_role = 'replica'")
        for start in range(0, len(patients), 1000):
            cursor.execute(
                """
                INSERT INTO outcomes_score (patient_id, measure_id, local_day, source, clinic_id, value, at, live)
                SELECT patient.id, measure_id, current_date - day, gen_random_uuid(), clinic_id,
                    least(10, greatest(0, round(5 + 2 * random_normal()))), now() - day * interval '1 day', true
                FROM people_patient AS patient, unnest(%s::smallint[]) AS measure_id, generate_series(%s, 1, -1) AS day
                WHERE patient.id = ANY (%s)
                """,
                [[measure_ids()[code] for code in MEASURES], days, patients[start : start + 1000]],
            )
        cursor.execute("VACUUM ANALYZE")
        cursor.execute("SET session_replication_role = 'origin'")


def copy_out() -> int:
    """Stream all entries out, as many columns as a trend reads."""
    from django.db import connection

    statement = "COPY outcomes_score (measure_id, local_day, value, at) TO STDOUT (FORMAT BINARY)"
    with connection.cursor() as cursor:
        with cursor.copy(statement) as messages:
            for _ in messages:
                pass
        return int(cursor.rowcount)


def ratings(count: int) -> tuple[Ints, Floats]:
    """The days and values of so many series of one window."""
    value = np.clip(np.round(np.random.default_rng(1).normal(5, 2, (count, WINDOW_DAYS))), 0, 10)
    return np.tile(np.arange(WINDOW_DAYS), (count, 1)), value


def theilslopes_loop(count: int) -> float:
    """Seconds for the slope of one series, without reading it."""
    days, values = ratings(count)
    stats.theilslopes(values[0], days[0])  # both sides are warm, as in a worker that has been up for a while
    _, seconds = timed(lambda: [stats.theilslopes(value, day) for day, value in zip(days, values, strict=True)])
    return seconds / count


def mathematics(count: int) -> float:
    """Seconds for all of one series' trend, without reading it."""
    days, values = ratings(count)
    series, which = np.repeat(np.arange(count), WINDOW_DAYS), np.zeros(count, np.int64)
    kinds = [library.measures()[MEASURES[0]]]
    entries = series, days.ravel(), values.ravel()
    compute(*entries, kinds, which, np.full(count, NEVER))
    _, seconds = timed(lambda: compute(*entries, kinds, which, np.full(count, NEVER)))
    return seconds / count


def after_one_entry(days: int) -> float:
    """Seconds to recompute a patient's six trends after one more day, the median of 20 days."""
    from django.db import transaction

    from backend.people.models import Patient
    from outcomes.loading import measure_ids
    from outcomes.recompute import recompute_due
    from outcomes.store import ScoreRow, insert_scores

    patient = Patient.objects.get(pk=people(1)[0])
    enter([patient.pk], days)
    now = datetime.now(UTC)
    seconds = []
    for more in range(20):
        with transaction.atomic():
            insert_scores(
                ScoreRow(
                    patient.pk, measure_ids()[code], now.date() + timedelta(more), uuid4(), patient.clinic_id, 5, now
                )
                for code in MEASURES
            )
        done, spent = timed(lambda: recompute_due(now))
        assert done == len(MEASURES)
        seconds.append(spent)
    return median(seconds)


if __name__ == "__main__":
    main()
