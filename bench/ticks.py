"""What a look at the clock costs: it grows with what is due, not with how many patients are scheduled.

    .venv/bin/python -m bench.ticks
    .venv/bin/python -m bench.ticks --patients 10000 100000 --slots 14
    .venv/bin/python -m bench.ticks --write   and docs/faults.md as it came out

For each number of scheduled patients, each with a week of slots ahead, the same numbers of them fall due at once.
Timed is the worker's own work on them (slots opened, messages written and claimed), and a look when nothing is due.
Beside the milliseconds stands the ratio to the fewest patients.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from datetime import time as clock_time
from pathlib import Path
from statistics import median

from backend.local import services
from bench import report

DUE = (0, 100, 1000)
TIMES = 5


def make_slots(days: int, first: datetime) -> None:
    """One slot a day for everybody, from the day after `first`, spread over four hours."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO reminders_slot (patient_id, schedule_id, clinic_id, local_date, n, opens_at, closes_at,
                missed_at, state, rev, nudge, reason)
            SELECT patient_id, id, clinic_id, (opens_at)::date, 0, opens_at, opens_at + interval '4 hours',
                opens_at + interval '52 hours', 'upcoming', 1, 0, ''
            FROM (
                SELECT patient_id, id, clinic_id,
                    %s + make_interval(days => day, secs => patient_id %% 14400) AS opens_at
                FROM reminders_schedule CROSS JOIN generate_series(1, %s) AS day
            ) AS slot
            """,
            [first, days],
        )


@contextmanager
def in_bulk() -> Iterator[None]:
    """Rows written here are not looked up one by one, and the indexes of slots are built when all are there."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = 'replica'")
        cursor.execute(
            """
            SELECT indexname, indexdef FROM pg_indexes
            WHERE tablename = 'reminders_slot' AND indexname <> 'reminders_slot_pkey'
            """
        )
        indexes = dict(cursor.fetchall())
        for name in indexes:
            cursor.execute(f'DROP INDEX "{name}"')
        yield
        cursor.execute("SET maintenance_work_mem = '512MB'")
        for definition in indexes.values():
            cursor.execute(definition)
        cursor.execute("SET session_replication_role = 'origin'")
        cursor.execute("VACUUM ANALYZE")


def make_due(number: int, now: datetime) -> None:
    """Let the next slot of so many patients, all over the table, open now."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(
            """
            UPDATE reminders_slot SET opens_at = %(now)s, closes_at = %(now)s + interval '4 hours'
            WHERE (patient_id, local_date) IN (
                SELECT patient_id, min(local_date) FROM reminders_slot WHERE state = 'upcoming' AND patient_id IN (
                    SELECT patient_id FROM reminders_schedule ORDER BY md5(id::text || %(now)s::text) LIMIT %(number)s
                ) GROUP BY patient_id
            )
            """,
            {"now": now, "number": number},
        )


def timed(work: Callable[[datetime, int], object], now: datetime, number: int) -> float:
    began = time.perf_counter()
    work(now, number or 1)
    return time.perf_counter() - began


def measure(now: datetime) -> dict[int, float]:
    """The median milliseconds of a look, by how many are due."""
    from backend.reminders.planning import plan_ahead
    from backend.reminders.sending import claim
    from backend.reminders.ticking import tick

    def look(at: datetime, number: int) -> None:
        from uuid import uuid4

        plan_ahead(at, number)
        tick(at, number)
        claim(at, number, uuid4())

    found = {}
    for due in DUE:
        took = []
        for round_ in range(TIMES):
            at = now + timedelta(seconds=round_ + due)
            if due:
                make_due(due, at)
            took.append(timed(look, at, due))
        found[due] = median(took) * 1000
    return found


def row(patients: int, slots: int, found: dict[int, float], first: dict[int, float]) -> tuple[str, ...]:
    cells = [f"{found[due]:.1f} ms, {found[due] / first[due]:.2f}x" for due in DUE]
    return f"{patients:,}", f"{patients * slots:,}", *cells


def run(patients: int, slots: int) -> dict[int, float]:
    """On a database of its own, so that nothing of the others lies in it."""
    from django.core.management import call_command
    from django.db import connection

    from backend.reminders.models import Schedule
    from backend.reminders.slots import Remind, Rule, Window
    from bench.patients import daytime, make_patients

    began = time.monotonic()
    call_command("flush", verbosity=0, interactive=False)
    now = datetime.now(UTC)
    rule = Rule((Window(clock_time(0), clock_time(23)),), remind=Remind(nudges=0))
    with in_bulk():
        make_patients(patients, rule, now, zone=daytime(now))
        Schedule.objects.update(planned_until=(now + timedelta(days=30)).date())
        make_slots(slots, now)
    print(f"{patients:,} patients written in {time.monotonic() - began:.0f} s", file=sys.stderr, flush=True)
    found = measure(now)
    connection.close()
    return found


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--patients", type=int, nargs="+", default=[10_000, 100_000, 1_000_000])
    parser.add_argument("--slots", type=int, default=7, help="that stand ahead of each patient")
    parser.add_argument("--write", action="store_true", help="write docs/faults.md")
    options = parser.parse_args(arguments)
    machine = report.machine()
    with ExitStack() as stack:
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="steadyback-ticks-")))
        directory.chmod(0o755)  # PostgreSQL does not run as root
        os.environ |= stack.enter_context(services(directory, durable=False)) | {
            "SECRET_KEY": "only for this run",
            "DJANGO_SETTINGS_MODULE": "backend.settings",
            "STATEMENT_TIMEOUT": "0",
        }
        import django

        django.setup()
        from django.core.management import call_command
        from django.db import connection

        call_command("migrate", verbosity=0)
        rows: list[tuple[str, ...]] = []
        first: dict[int, float] = {}
        for patients in options.patients:
            found = run(patients, options.slots)
            first = first or found
            rows.append(row(patients, options.slots, found, first))
            print(*rows[-1], sep="   ", flush=True)
        connection.close()
    text = report.table(("patients scheduled", "slots", *(f"{due:,} due" for due in DUE)), rows)
    print(text)
    if options.write:
        report.write(
            "Measured: a look at the clock", f"`python -m bench.ticks`, on {machine}.\n\n{text}", report.FAULTS
        )


if __name__ == "__main__":
    main()
