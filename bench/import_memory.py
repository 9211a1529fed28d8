"""How much memory an import takes, by the size of its file: `python -m bench.import_memory [ROWS]`, or a million.

A file of a tenth of the rows and one of all of them go through the command as a clinic would run it, into a database of
their own; printed are the rows and the most memory that the process ever held, and the ratio of the two. Ends with an
error where the large file took more than half as much again.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from datetime import datetime, timedelta
from pathlib import Path

from backend.local import postgres, redis

MAPPING = """
[patient]
column = "id"
create = true
care_team = "Back pain"

[when]
column = "at"
zone = "Europe/Zurich"

[[instrument]]
code = "fear-daily"
version = "1"
items = ["fear"]
"""
MOST = 1.5
PEOPLE = 2000


def main(rows: int) -> int:
    with ExitStack() as stack:
        folder, servers = (Path(stack.enter_context(tempfile.TemporaryDirectory())) for _ in range(2))
        os.environ["DATABASE_URL"] = stack.enter_context(postgres(servers, durable=False))
        os.environ["REDIS_URL"] = stack.enter_context(redis(servers, durable=False))
        (folder / "mapping.toml").write_text(MAPPING)
        _clinic()
        small, large = (_import(folder, count) for count in (rows // 10, rows))
    print(f"{large / small:.2f} times the memory for ten times the rows")
    return int(large > MOST * small)


def _clinic() -> None:
    import django

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "backend.settings")
    django.setup()
    from django.core.management import call_command

    from backend.people.models import CareTeam, Clinic

    call_command("migrate", verbosity=0)
    clinic = Clinic.objects.create(name="Bench", time_zone="Europe/Zurich", languages=["en"])
    CareTeam.objects.create(clinic=clinic, name="Back pain")


def _import(folder: Path, rows: int) -> int:
    """Import so many rows; the most memory that it took, in bytes."""
    path = folder / f"{rows}.csv"
    began = datetime(2000, 1, 1)  # noqa: DTZ001  the clock on a wall
    with path.open("w") as out:
        out.write("id,at,fear\n")
        for n in range(rows):
            at = began + timedelta(days=n // PEOPLE)
            out.write(f"{rows}-{n % PEOPLE},{at:%Y-%m-%dT%H:%M:%S},{n % 11}\n")
    command = [sys.executable, "manage.py", "import_responses", str(path), "--clinic", "Bench"]
    started = time.monotonic()
    child = subprocess.Popen([*command, "--mapping", str(folder / "mapping.toml")], stdout=subprocess.DEVNULL)
    _, status, used = os.wait4(child.pid, 0)
    if status:
        sys.exit(f"the import of {rows:,} rows failed")
    memory = used.ru_maxrss * 1024
    size, took = path.stat().st_size, time.monotonic() - started
    print(
        f"{rows:>9,} rows, {size / 2**20:.1f} MiB: {memory / 2**20:.0f} MiB at most, {rows / took:,.0f} rows a second"
    )
    return memory


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000))
