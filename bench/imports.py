"""A clinic's file of 100,000 PHQ-9 forms brought along, beside COPY of the same rows as they stand."""

from __future__ import annotations

import csv
import random
import time
from collections.abc import Iterator
from datetime import date, timedelta
from io import StringIO
from pathlib import Path

from bench.report import HEAD, Row
from bench.site import database

PATIENTS, FORMS = 2_000, 50
AIM = 10_000  # rows a second
ITEMS = [f"phq{n}" for n in range(1, 10)]
MAPPING = f"""
[patient]
column = "record_id"
create = true
care_team = "Imports"

[when]
column = "date"
zone = "Europe/Zurich"

[[instrument]]
code = "phq-9"
version = "1"
items = {ITEMS}
"""


def measure(folder: Path) -> Iterator[Row]:
    from django.core.management import call_command
    from django.db import connection

    from backend.people.models import CareTeam, Clinic
    from outcomes.models import Response

    clinic = Clinic.objects.create(name="Imports", time_zone="Europe/Zurich", languages=["en"])
    CareTeam.objects.create(clinic=clinic, name="Imports")
    file, mapping = folder / "forms.csv", folder / "mapping.toml"
    rows = write(file)
    mapping.write_text(MAPPING)
    columns = ", ".join(["record_id text", "date date", *(f"{item} smallint" for item in ITEMS)])
    with connection.cursor() as cursor:
        cursor.execute(f"CREATE TABLE bench_forms ({columns})")
        began = time.perf_counter()
        with cursor.copy("COPY bench_forms FROM STDIN (FORMAT CSV, HEADER)") as copy, file.open("rb") as source:
            while chunk := source.read(1 << 16):
                copy.write(chunk)
        copying = time.perf_counter() - began
    began = time.perf_counter()
    call_command("import_responses", str(file), f"--mapping={mapping}", f"--clinic={clinic.pk}", stdout=StringIO())
    importing = time.perf_counter() - began
    assert Response.objects.filter(clinic_id=clinic.pk).count() == rows
    ours, other = rows / importing, rows / copying
    what = f"import of {rows:,} rows, each a PHQ-9 examined, scored and checked for red flags (aim: {AIM:,}/s)"
    yield Row(what, f"{ours:,.0f} rows/s", f"COPY of the file: {other:,.0f} rows/s", ours / other)


def write(file: Path) -> int:
    chance = random.Random(1)
    with file.open("w", newline="") as out:
        rows = csv.writer(out)
        rows.writerow(["record_id", "date", *ITEMS])
        for form in range(FORMS):
            for patient in range(PATIENTS):
                day = date(2019, 1, 7) + timedelta(weeks=4 * form, days=patient % 7)
                rows.writerow([f"R{patient:05}", day, *(chance.choice([0, 0, 1, 1, 2, 3]) for _ in ITEMS)])
    return PATIENTS * FORMS


def main() -> None:
    with database() as folder:
        print(HEAD, *measure(folder), sep="\n", flush=True)


if __name__ == "__main__":
    main()
