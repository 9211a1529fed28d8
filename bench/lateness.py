"""A hundred thousand reminders due in the same minute: how late do they leave, and do the oldest leave first?

    .venv/bin/python -m bench.lateness
    .venv/bin/python -m bench.lateness --patients 20000 --per-second 300
    .venv/bin/python -m bench.lateness --write   and docs/faults.md as it came out

The worker and the beat are the product's own, as the demo starts them; the provider on the loopback address takes so
many messages a second and no more. Beside what was measured stands what that limit alone would make of them: a
message can't leave before those ahead of it have; and what the provider could take without it. Ends with an error where
one is lost or doubled, or where the 99th percentile is more than a minute behind the limit's own.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from datetime import time as clock_time
from pathlib import Path

from urllib3 import PoolManager

from backend.local import guarded, services
from bench import report
from bench.provider import Provider, running, service_account

MINUTE = 60
AHEAD = 20  # seconds until the first is due: what the run needs to write them all
PROGRESS = 15  # seconds between two words of how far it is
BARE = 8  # requests at once of a client that does nothing else
AIM = 60  # seconds behind the provider's own limit, at the 99th percentile


@contextmanager
def worker_and_beat(directory: Path, environment: dict[str, str], processes: int) -> Iterator[None]:
    """As the demo has them, but for the address of the provider."""
    celery = [sys.executable, "-m", "celery", "-A", "bench.worker", "-q"]
    commands = {
        "worker": [*celery, "worker", "--concurrency", str(processes), "--without-mingle"],
        "beat": [*celery, "beat", "--pidfile="],
    }
    with ExitStack() as stack:
        for name, command in commands.items():
            output = stack.enter_context((directory / f"{name}.log").open("ab"))
            lock = directory / f"{name}.lock"
            stack.enter_context(guarded([*command], lock=lock, output=output.fileno(), environment=environment))
        yield


def wait_for(provider: Provider, number: int, longest: float) -> None:
    begin = time.monotonic()
    for second in itertools.count(1):
        time.sleep(max(0, begin + second - time.monotonic()))
        sent = len({taken.message for taken in provider.taken})
        if second % PROGRESS == 0:
            print(f"{second} s: {sent:,} of {number:,} have left", file=sys.stderr, flush=True)
        if sent >= number or second > longest:
            return


def capacity(provider: Provider, number: int = 2000) -> float:
    """How many a second a bare client gets through the provider where it sets no limit, on this machine."""
    limit, provider.per_second = provider.per_second, 0
    body = json.dumps({"message": {"data": {"message": "generated"}, "token": "1"}})
    began = time.perf_counter()
    with PoolManager(maxsize=BARE) as client, ThreadPoolExecutor(BARE) as pool:
        for answer in pool.map(lambda _: client.request("POST", f"{provider.url}/send", body=body), range(number)):
            assert answer.status == 200
    took = time.perf_counter() - began
    provider.per_second, provider.free_at = limit, 0
    provider.taken.clear()
    return number / took


def percentile(values: Sequence[float], share: float) -> float:
    return sorted(values)[min(len(values) - 1, int(share * len(values)))]


def tell(provider: Provider, most: float, first: datetime, number: int) -> tuple[str, bool]:
    """What came of it, and whether all is as promised."""
    from backend.reminders.models import Mention, Slot

    due = dict(Slot.objects.values_list("patient", "opens_at"))
    mentions = Counter(Mention.objects.values_list("patient", flat=True))
    arrived: dict[int, float] = {}
    for taken in provider.taken:
        arrived.setdefault(int(taken.token), taken.at)
    late = [at - due[patient].timestamp() for patient, at in arrived.items()]
    # The n-th message leaves when it is due, or when the provider has taken the n before it.
    limit = [max(0, n / provider.per_second - n * MINUTE / number) for n in range(number)]
    overtaken, newest = [], 0.0
    for patient in arrived:
        newest = max(newest, due[patient].timestamp())
        overtaken.append(newest - due[patient].timestamp())
    lost, doubled = number - len(arrived), sum(times - 1 for times in mentions.values())
    last = max(arrived.values()) - first.timestamp()
    rows = [
        (name, *(f"{percentile(values, share):.1f}" for share in (0.5, 0.95, 0.99, 1)))
        for name, values in (
            ("the provider's own limit", limit),
            ("measured", late),
            ("overtaken by younger ones", overtaken),
        )
    ]
    behind = percentile(late, 0.99) - percentile(limit, 0.99)
    text = (
        f"{number:,} reminders due within a minute; the provider takes {provider.per_second:g} a second "
        f"(without that limit {most:.0f}, from a client that does nothing else).\n\n"
        + report.table(("lateness, seconds", "p50", "p95", "p99", "max"), rows)
        + f"\n\np99 behind the limit: {behind:.1f} s, aim {AIM}; {number / last:.0f} a second; "
        f"{lost} lost, {doubled} doubled."
    )
    return text, not lost and not doubled and behind <= AIM


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--patients", type=int, default=100_000)
    parser.add_argument("--per-second", type=float, default=500, help="what the provider takes")
    parser.add_argument("--processes", type=int, default=2, help="of the worker")
    parser.add_argument("--write", action="store_true", help="write docs/faults.md")
    options = parser.parse_args()
    machine = report.machine()
    provider = Provider(per_second=options.per_second)
    with ExitStack() as stack:
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="steadyback-lateness-")))
        directory.chmod(0o755)  # PostgreSQL does not run as root
        stack.enter_context(running(provider))
        most = capacity(provider)
        os.environ |= stack.enter_context(services(directory, durable=True)) | {
            "SECRET_KEY": "only for this run",
            "DJANGO_SETTINGS_MODULE": "backend.settings",
            "FCM_API": provider.url,
            "FCM_SERVICE_ACCOUNT": service_account(provider.url),
        }
        import django

        django.setup()
        from django.core.management import call_command

        from backend.reminders.models import Schedule
        from backend.reminders.slots import Remind, Rule, Window
        from bench.patients import daytime, make_due, make_patients

        call_command("migrate", verbosity=0)
        now = datetime.now(UTC)
        rule = Rule((Window(clock_time(10), clock_time(20)),), remind=Remind(nudges=0))
        zone = daytime(now)
        make_patients(options.patients, rule, now, zone=zone)
        Schedule.objects.update(planned_until=(now + timedelta(days=14)).date())
        stack.enter_context(worker_and_beat(directory, dict(os.environ), options.processes))
        first = datetime.now(UTC) + timedelta(seconds=AHEAD)
        make_due(first, timedelta(seconds=MINUTE), zone)
        if datetime.now(UTC) > first:
            print("writing them took longer than the start was ahead, so the first are late from the start")
        wait_for(provider, options.patients, AHEAD + 2 * MINUTE + 5 * options.patients / options.per_second)
        text, kept = tell(provider, most, first, options.patients)
        print(text)
        if options.write:
            report.write(
                "Measured: a busy minute", f"`python -m bench.lateness`, on {machine}.\n\n{text}", report.FAULTS
            )
        from django.db import connection

        connection.close()
    if not kept:
        sys.exit("the promise is broken")


if __name__ == "__main__":
    main()
