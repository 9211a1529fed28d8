"""The web's figures on one and ten million scores, and what a response and a score take on disk.

    python -m bench.large [--write]              both sizes, one after the other
    python -m bench.large --patients 10000       one of them

The population is that of `bench.population`: some hundred scores a patient, here with ten responses each.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator

from bench import pushes, report, responses
from bench.__main__ import rows
from bench.report import HEAD, Row
from bench.site import database, phones, web

SIZES = (10_000, 100_000)  # patients
RESPONSES = 10  # a patient


def measure(patients: int) -> Iterator[Row]:
    from django.db import connection

    from bench import population

    with database() as folder:
        population.fill(patients)
        fill_responses()
        with connection.cursor() as cursor:
            cursor.execute("VACUUM ANALYZE")
        yield from sizes()
        people = phones(max(pushes.PEOPLE, 9))
        with web(folder) as server:
            yield from responses.measure(server, people[:9], counts=(8,))
            yield from pushes.measure(server, people[9:])


def fill_responses() -> None:
    """Completed PHQ-9 forms, a month apart."""
    from django.db import connection

    from outcomes.loading import instrument_ids

    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO outcomes_response (patient_id, clinic_id, id, rev, instrument_id, status, answers, authored_at,
                utc_offset, time_zone, local_day, digest, received_at, origin, device, clock_skew, live,
                withdrawn_reason)
            SELECT id, clinic_id, uuidv7(), month, %s, 'complete',
                '{"1": 1, "2": 1, "3": 2, "4": 1, "5": 1, "6": 0, "7": 1, "8": 1, "9": 0}',
                now() - month * interval '30 days', 60, 'Europe/Zurich', current_date - 30 * month,
                uuid_send(gen_random_uuid()), now() - month * interval '30 days', 'phone', gen_random_uuid(), 0,
                true, ''
            FROM people_patient, generate_series(1, %s) AS month
            """,
            [instrument_ids()["phq-9", "1"], RESPONSES],
        )


def sizes() -> Iterator[Row]:
    """Bytes a row, in the table and in its indexes."""
    from django.db import connection

    for what, table in (("score", "outcomes_score"), ("response", "outcomes_response")):
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT count(*), pg_table_size(%s), pg_indexes_size(%s) FROM {table}", [table, table])  # noqa: S608
            count, heap, indexes = cursor.fetchone()
        yield Row(
            f"bytes a {what}, of {count:,}",
            f"{(heap + indexes) / count:.0f}: {heap / count:.0f} in the table, {indexes / count:.0f} in its indexes",
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--patients", type=int, help="one size, in this process")
    parser.add_argument("--write", action="store_true", help="write docs/benchmarks.md")
    options = parser.parse_args()
    if options.patients:
        print(HEAD)
        for row in measure(options.patients):
            print(row, flush=True)
        return
    about = report.machine()
    text = [f"`make bench-large`, on {about}."]
    for patients in SIZES:
        print(f"\n{patients:,} patients\n\n{HEAD}", flush=True)
        text += ["", f"### {patients:,} patients", "", HEAD, *rows(["large", "--patients", str(patients)])]
    if options.write:
        report.write("At one and ten million scores", "\n".join(text))


if __name__ == "__main__":
    main()
