"""One at a time over HTTP: a PHQ-9 response, a year read back, a pull with nothing new; beside minimal views."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import repeat
from uuid import uuid4

import msgspec

from bench import load
from bench.load import Load, request
from bench.report import HEAD, Row
from bench.site import Phone, Web, database, phones, web

CLIENTS = (8, 32, 128)
ROUNDS, SECONDS = 4, 2.0  # of each side, in turn
DIARY = ("pain-now", "pain-average", "pain-worst", "fear", "mood", "sleep", "work")

type Client = Callable[[Phone], Iterator[bytes]]


def measure(server: Web, people: Sequence[Phone], counts: Sequence[int] = CLIENTS) -> Iterator[Row]:
    """There must be one person more than the most clients: the last has a year to read."""
    *people, reader = people
    for clients in counts:
        ours, minimal = both(server, people[:clients], our_answers, minimal_answers)
        yield row(f"one PHQ-9 response, {clients} clients", ours, minimal, "minimal view, one INSERT", least=0.8)
    write_year(reader)
    ours, minimal = both(server, [reader] * 8, our_year, minimal_year)
    yield row(
        "a year of 365 diary responses as JSON, with scores, 8 clients",
        ours,
        minimal,
        "ModelSerializer, the same rows without scores",
        least=4,
    )
    ours, minimal = both(server, people[:8], partial(our_pull, server), minimal_nothing)
    yield row("a pull with nothing new, 8 clients", ours, minimal, "token, 204", least=0.7)


def row(what: str, ours: Load, other: Load, name: str, least: float) -> Row:
    for each in (ours, other):
        assert not each.errors, f"{what}: {each.statuses}"
    told = [
        f"{each.rate:,.0f}/s, p50 {each.percentile(0.5) * 1000:.0f} ms, p99 {each.percentile(0.99) * 1000:.0f} ms"
        for each in (ours, other)
    ]
    return Row(what, told[0], f"{name}: {told[1]}", ours.rate / other.rate, least=least)


def both(server: Web, people: Sequence[Phone], ours: Client, other: Client) -> tuple[Load, Load]:
    """The two sides in turn, so that whatever else the machine does falls on both."""
    sides = [(Load(), [ours(phone) for phone in people]), (Load(), [other(phone) for phone in people])]
    for _, clients in sides:
        load.run(server.address, clients, 1)
    analyze()
    for _, clients in sides:
        load.run(server.address, clients, 0.5)
    for turn in range(ROUNDS):
        for total, clients in sides if turn % 2 else sides[::-1]:
            total += load.run(server.address, clients, SECONDS)
    return sides[0][0], sides[1][0]


def analyze() -> None:
    """What PostgreSQL does by itself within a minute: plans that were made for empty tables are made anew."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")


def phq_9() -> Iterator[dict[str, object]]:
    """A response a week, from now into the past: nobody has a history of thousands of them in one week."""
    now = datetime.now(UTC).replace(microsecond=0)
    answers = {"1": 1, "2": 1, "3": 2, "4": 1, "5": 1, "6": 0, "7": 1, "8": 1, "9": 0}  # 8: no alert
    for week in range(2500):
        authored_at = (now - timedelta(weeks=week)).isoformat()
        yield {"instrument": "phq-9", "authored_at": authored_at, "answers": answers}
    raise AssertionError("a client has reached 1970; make the rounds shorter")


def our_answers(phone: Phone) -> Iterator[bytes]:
    for item in phq_9():
        body = {"type": "response", "id": str(uuid4()), "version": "1", "time_zone": "Europe/Zurich"} | item
        yield request("POST", "/api/v1/responses/", phone.bearer, json.dumps(body).encode())


def minimal_answers(phone: Phone) -> Iterator[bytes]:
    for item in phq_9():
        yield request("POST", "/minimal/answers", phone.token, json.dumps(item).encode())


def write_year(phone: Phone) -> None:
    """An evening's diary for each day of a year."""
    from backend.people.writes import Door
    from backend.sync.push import push

    now = datetime.now(UTC)
    chance = random.Random(1)
    items = [
        {
            "type": "response",
            "id": str(uuid4()),
            "instrument": "daily-diary",
            "version": "1",
            "authored_at": (now - timedelta(days=day)).isoformat(),
            "time_zone": "Europe/Zurich",
            "answers": {item: chance.randint(0, 10) for item in DIARY} | {"flare": 0},
        }
        for day in range(365)
    ]
    verdicts = push(
        [msgspec.Raw(msgspec.json.encode(item)) for item in items],
        phone.patient_id,
        phone.clinic_id,
        Door(origin="phone", received_at=now, user_id=phone.user_id),
    )
    assert {verdict.status for verdict in verdicts} == {"stored"}


def our_year(phone: Phone) -> Iterator[bytes]:
    return repeat(request("GET", "/api/v1/responses/?limit=500", phone.bearer))


def minimal_year(phone: Phone) -> Iterator[bytes]:
    return repeat(request("GET", "/minimal/year", phone.token))


def our_pull(server: Web, phone: Phone) -> Iterator[bytes]:
    cursor = None
    more = True
    while more:
        answers: list[bytes] = []
        body = json.dumps({"cursor": cursor, "push": []}).encode()
        sent = iter([request("POST", "/api/v1/sync", phone.bearer, body)])
        load.run(server.address, [sent], check=lambda _, answer, answers=answers: answers.append(answer))  # type: ignore[misc]
        answer = json.loads(answers[0])
        cursor, more = answer["cursor"], answer["more"]
    body = json.dumps({"device": {"app": "bench"}, "cursor": cursor, "push": []}).encode()
    return repeat(request("POST", "/api/v1/sync", phone.bearer, body))


def minimal_nothing(phone: Phone) -> Iterator[bytes]:
    return repeat(request("POST", "/minimal/nothing", phone.token))


def main() -> None:
    with database() as folder:
        people = phones(max(CLIENTS) + 1)
        with web(folder) as server:
            print(HEAD)
            for each in measure(server, people):
                print(each, flush=True)


if __name__ == "__main__":
    main()
