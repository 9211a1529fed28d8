"""Adherence of many patients over a year, against just reading the rows that it is computed from.

    DATABASE_URL=… python bench/adherence.py 10000

Fills a database of its own; prints both times and their ratio (aim: at most 3).
"""

import os
import sys
import tempfile
import time
from contextlib import ExitStack
from datetime import date, timedelta
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from backend.local import services

TODAY = date(2026, 11, 22)
YEAR = timedelta(days=364)

FILL = """
INSERT INTO exercises_prescription (id, clinic_id, patient_id, rev, programme, version, starts_on, weekdays, plan,
        exercises, template, rule, overrides, origin, prescribed_at, reason, stop_reason)
    SELECT uuidv7(), clinic_id, id, 1, uuidv7(), 1, %(first)s, 21, '{}', '{}', '', '', '[]', 'simulated', now(), '', ''
    FROM people_patient;
INSERT INTO exercises_session (patient_id, id, programme, prescription, rev, authored_at, received_at, clinic_id,
        local_day, minutes, share, met_minutes, utc_offset, rpe, live, going_on, skipped, origin, time_zone, digest,
        content, marks, withdrawn_reason)
    SELECT patient_id, uuidv7(), programme, id, 1, day, day, clinic_id, day, 20, 1, 60, 60, 4, true, false,
        CASE WHEN random() < 0.1 THEN 'time' ELSE '' END, 'simulated', 'Europe/Zurich', '', '{}', '{}', ''
    FROM exercises_prescription, generate_series(%(first)s::timestamptz, %(last)s, '1 day') AS day
    WHERE extract(isodow FROM day) IN (1, 3, 5) AND random() < 0.8;
ANALYZE;
"""


def main(patients: int) -> None:
    import django

    django.setup()
    from django.core.management import call_command
    from django.db import connection

    from backend.people.models import CareTeam, Clinic, Patient
    from exercises.adherence import monday
    from exercises.series import Span, compute

    call_command("migrate", verbosity=0)
    clinic = Clinic.objects.create(name="bench", time_zone="Europe/Zurich", languages=["en"], simulated=True)
    team = CareTeam.objects.create(clinic=clinic, name="bench")
    Patient.objects.bulk_create(
        Patient(clinic=clinic, care_team=team, identifier=str(n), time_zone="Europe/Zurich", origin="simulated")
        for n in range(patients)
    )
    first = TODAY - YEAR
    with connection.cursor() as cursor:
        cursor.execute("SET statement_timeout = 0")  # filling takes longer than a request may
        for statement in FILL.split(";\n"):
            if statement.strip():
                cursor.execute(statement, {"first": first, "last": TODAY})
        cursor.execute("SELECT array_agg(id) FROM people_patient")
        (everybody,) = cursor.fetchone()
    begin, end = monday(first.toordinal()), monday(TODAY.toordinal()) + 6
    spans = dict.fromkeys(everybody, Span(date.fromordinal(begin), date.fromordinal(end), TODAY))
    reading = computing = float("inf")
    for _ in range(3):
        start = time.perf_counter()
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT patient_id, programme, local_day, share, going_on, skipped, rpe, minutes, met_minutes "
                "FROM exercises_session WHERE live"
            )
            rows = len(cursor.fetchall())
        reading = min(reading, time.perf_counter() - start)
        start = time.perf_counter()
        values = compute(spans)
        computing = min(computing, time.perf_counter() - start)
    print(f"{patients} patients, {rows} rows, {len(values.value)} values")
    print(f"reading {reading:.2f} s, reading and computing {computing:.2f} s: {computing / reading:.1f} times")


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "backend.settings")
    os.environ.setdefault("SECRET_KEY", "only for a bench " + "x" * 50)
    with ExitStack() as stack:
        if "DATABASE_URL" not in os.environ:
            folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="steadyback-bench-"))
            os.environ.update(stack.enter_context(services(Path(folder), durable=False)))
        main(int(sys.argv[1]) if len(sys.argv) > 1 else 10_000)
