"""How long the clinician's pages take, against an empty signed-in page asked for in turn with them.

    python -m bench.dashboard [--patients 100000] [--rounds 60] [--write]

Asks the real web server over HTTP, one request after the other. Brings up a database of its own and fills it (see
bench/population.py), or takes the one that DATABASE_URL names; one that is filled already is taken as it is. Filling
takes minutes, and says how far it is.
"""

from __future__ import annotations

import argparse
import http.client
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from statistics import median

from backend.local import free_port
from bench import population, report

PAGES = {
    "panel": ("the panel of a clinic with {large:,} patients", 2.5),
    "patient": ("the page of a patient with five years of daily entries", 6.0),
    "12 weeks": ("what its time lines fetch: 12 weeks", None),
    "five years": ("what they fetch when all is asked for: five years", None),
}
"""What each is, and how many times the empty page it may take at most."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--patients", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=60)
    parser.add_argument("--write", action="store_true", help="write docs/benchmarks.md")
    options = parser.parse_args()
    about = report.machine()
    with population.database():
        from backend.people.models import Patient
        from outcomes.models import Score

        made = population.fill(options.patients)
        held = f"{Patient.objects.count():,} patients, {Score.objects.count():,} scores"
        large = Patient.objects.filter(clinic=made.clinic).count()
        addresses = {
            "empty": f"/clinics/{made.clinic}/quarantine/",
            "panel": f"/clinics/{made.clinic}/",
            "patient": f"/patients/{made.longest}/",
            "12 weeks": f"/patients/{made.longest}/series?span=12w",
            "five years": f"/patients/{made.longest}/series?span=all",
        }
        with served() as port:
            times = measured(port, cookie(made.admin), addresses, options.rounds)
    rows = [report.HEAD, *map(str, compared(times, large))]
    print(held, *rows, sep="\n")
    if options.write:
        command = f"`python -m bench.dashboard --patients {options.patients}`, on {about}; {held}."
        report.write("The clinician's pages", f"{command} Medians of {options.rounds} rounds.\n\n" + "\n".join(rows))


def compared(times: dict[str, list[float]], large: int) -> Iterator[report.Row]:
    empty = median(times["empty"])
    for name, (what, most) in PAGES.items():
        taken = median(times[name])
        yield report.Row(
            what.format(large=large), f"{1e3 * taken:.1f} ms", f"an empty page: {1e3 * empty:.1f} ms",
            taken / empty, most=most,
        )  # fmt: skip


@contextmanager
def served() -> Iterator[int]:
    """The web server of the demo, on a free port."""
    port = free_port()
    command = [sys.executable, "-m", "granian", "backend.wsgi:application", "--interface", "wsgi", "--port", str(port)]
    environment = os.environ | {
        "ALLOWED_HOSTS": "127.0.0.1",
        "SECURE_SSL_REDIRECT": "false",
        "SECURE_COOKIES": "false",
        "STATEMENT_TIMEOUT": "30",
    }
    with subprocess.Popen(
        [*command, "--blocking-threads", "8", "--log-level", "error"],
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as server:
        try:
            deadline = time.monotonic() + 60
            while True:
                try:
                    http.client.HTTPConnection("127.0.0.1", port, timeout=5).request("GET", "/healthz")
                    break
                except OSError:
                    if time.monotonic() > deadline or server.poll() is not None:
                        raise
                    time.sleep(0.1)
            yield port
        finally:
            server.terminate()


def cookie(user_id: int) -> str:
    """The cookie of a session that has shown both factors."""
    from django.test import Client

    from backend.people.models import User
    from tests.signin import browser

    client: Client = browser(User.objects.get(pk=user_id))
    return "; ".join(f"{morsel.key}={morsel.value}" for morsel in client.cookies.values())


def measured(port: int, cookies: str, addresses: dict[str, str], rounds: int) -> dict[str, list[float]]:
    """Seconds of each page, all of them asked for in each round; the first few rounds warm up."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    times: dict[str, list[float]] = {name: [] for name in addresses}
    for turn in range(rounds + 10):
        if turn and turn % 10 == 0:
            print(f"round {turn} of {rounds + 10}", flush=True)
        for name, address in addresses.items():
            start = time.perf_counter()
            connection.request("GET", address, headers={"Cookie": cookies})
            answer = connection.getresponse()
            body = answer.read()
            taken = time.perf_counter() - start
            if answer.status != 200:
                sys.exit(f"{name}: {answer.status}")
            if turn == 0:
                print(f"{name:10} {len(body):,} bytes", flush=True)
            if turn >= 10:
                times[name].append(taken)
    return times


if __name__ == "__main__":
    main()
