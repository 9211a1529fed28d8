"""How long the clinician's pages take, against an empty signed-in page asked for in turn with them.

    python -m bench.dashboard [--patients 100000] [--rounds 60]

Asks the real web server over HTTP, one request after the other. Brings up a database of its own and fills it (see
bench/population.py), or takes the one that DATABASE_URL names; one that is filled already is taken as it is.
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
from bench import population

LIMITS = {"panel": 2.5, "patient": 6.0}
"""Times the empty page, at most: the aim."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--patients", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=60)
    options = parser.parse_args()
    with population.database():
        made = population.fill(options.patients)
        addresses = {
            "empty": f"/clinics/{made.clinic}/quarantine/",
            "panel": f"/clinics/{made.clinic}/",
            "patient": f"/patients/{made.longest}/",
            "12 weeks": f"/patients/{made.longest}/series?span=12w",
            "five years": f"/patients/{made.longest}/series?span=all",
        }
        with served() as port:
            times = measured(port, cookie(made.admin), addresses, options.rounds)
    empty = median(times["empty"])
    for name, taken in times.items():
        print(f"{name:10} {1e3 * median(taken):6.1f} ms  {median(taken) / empty:5.2f} × empty{wanted(name)}")


def wanted(name: str) -> str:
    return f" (at most {LIMITS[name]} wanted)" if name in LIMITS else ""


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
        for name, address in addresses.items():
            start = time.perf_counter()
            connection.request("GET", address, headers={"Cookie": cookies})
            answer = connection.getresponse()
            body = answer.read()
            taken = time.perf_counter() - start
            if answer.status != 200:
                sys.exit(f"{name}: {answer.status}")
            if turn == 0:
                print(f"{name:10} {len(body):,} bytes")
            if turn >= 10:
                times[name].append(taken)
    return times


if __name__ == "__main__":
    main()
