"""Whether the web workers grow: their memory after 2,000 requests and after 20,000."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from itertools import cycle
from pathlib import Path

from bench import load
from bench.load import request
from bench.report import HEAD, Row
from bench.responses import our_answers, write_year
from bench.site import Phone, Web, database, phones, web

CLIENTS = 8
FIRST, LAST = 2_000, 20_000
MOST = 150  # MB


def measure(server: Web, people: Sequence[Phone]) -> Iterator[Row]:
    for phone in people[:CLIENTS]:
        write_year(phone)
        write_year(phone)  # a full page for a phone that pulls, so that each pull is as large as the next
    clients = [_mixed(phone) for phone in people[:CLIENTS]]
    used = []
    done = 0
    for target in (FIRST, LAST):
        share = (target - done) // CLIENTS
        answered = load.run(server.address, [_first(share, client) for client in clients])
        assert not answered.errors, answered.statuses
        done += answered.requests
        used.append(max(_megabytes(pid) for pid in server.workers()))
    first, last = used
    yield Row(f"largest web worker after {LAST:,} requests", f"{last:.0f} MB", f"after {FIRST:,}: {first:.0f} MB",
              last / first, most=1.05)  # fmt: skip
    yield Row("the same, against its limit", f"{last:.0f} MB", f"{MOST} MB", last / MOST, most=1)


def _mixed(phone: Phone) -> Iterator[bytes]:
    """A response, a pull of everything and a page of responses, in turn."""
    pull = request("POST", "/api/v1/sync", phone.bearer, json.dumps({"cursor": None, "push": []}).encode())
    page = request("GET", "/api/v1/responses/?limit=20", phone.bearer)
    answers = our_answers(phone)
    for kind in cycle(("response", "pull", "page")):
        yield next(answers) if kind == "response" else pull if kind == "pull" else page


def _first(count: int, requests: Iterator[bytes]) -> Iterator[bytes]:
    return (next(requests) for _ in range(count))


def _megabytes(pid: int) -> float:
    """What stays in memory of a process, as its system counts it."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS")) * 1024 / 1e6


def main() -> None:
    with database() as folder:
        people = phones(CLIENTS)
        with web(folder) as server:
            print(HEAD, *measure(server, people), sep="\n", flush=True)


if __name__ == "__main__":
    main()
