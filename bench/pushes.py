"""A phone that was offline: syncs of 100 mixed items, beside binary COPY of as many rows as wide as a response."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from datetime import UTC, datetime
from multiprocessing import get_context
from typing import Any

import msgspec
import psycopg
from psycopg.types.json import Jsonb

from bench import load
from bench.load import request
from bench.report import HEAD, Row
from bench.responses import analyze
from bench.site import Phone, Web, database, phones, web

PEOPLE, CLIENTS = 160, 8
ITEMS, PUSHES = 100, 2  # half a year of a made-up person's phone holds some 250 items
ROUNDS = 3
CONNECTIONS = 2
TIMES = 5  # COPY is so fast that it gets more rows, for a steady clock


def measure(server: Web, people: Sequence[Phone]) -> Iterator[Row]:
    """Each phone is used once, so there should be some hundred."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE bench_copy (LIKE outcomes_response)")
    with ProcessPoolExecutor(CONNECTIONS, get_context("spawn")) as copiers:
        pushes = made_up(people)
        share = len(pushes) // (ROUNDS + 1)
        items = responses = copied = 0
        seconds = copying = 0.0
        for turn in range(ROUNDS + 1):
            mine = pushes[turn * share : (turn + 1) * share]
            results: list[Any] = []
            clients = [iter([sent for phone in mine[n::CLIENTS] for sent in phone]) for n in range(CLIENTS)]
            done = load.run(server.address, clients, check=lambda _, body, results=results: results.append(body))  # type: ignore[misc]
            assert not done.errors, done.statuses
            said = [result for body in results for result in msgspec.json.decode(body)["results"]]
            assert all(result["status"] == "stored" for result in said)
            if turn == 0:
                list(copiers.map(copy_in, [ITEMS] * CONNECTIONS))  # both sides are warm now
                analyze()
                continue
            rows = TIMES * len(said) // CONNECTIONS
            began = time.perf_counter()
            list(copiers.map(copy_in, [rows] * CONNECTIONS))
            copying += time.perf_counter() - began
            copied += rows * CONNECTIONS
            items += len(said)
            responses += sum(sent.count(b'"type":"response"') for phone in mine for sent in phone)
            seconds += done.seconds
    ours, other = responses / seconds, copied / copying
    scores = sum(len(result.get("scores", ())) for result in said) / len(said)
    yield Row(
        f"`/api/v1/sync` with {ITEMS} mixed items (diaries, questionnaires, sessions), {CLIENTS} clients",
        f"{ours:,.0f} responses/s ({items / seconds:,.0f} items/s, {scores:.1f} scores an item)",
        f"COPY over {CONNECTIONS} connections: {other:,.0f} rows/s",
        ours / other,
        least=0.15,
    )


def made_up(people: Sequence[Phone]) -> list[list[bytes]]:
    """What the phones of so many made-up people send, by phone, a hundred items at a time."""
    from backend.people.models import Origin, Patient
    from backend.sync import simulation
    from backend.sync.pull import pull
    from exercises.library import library
    from exercises.plan import Item, Plan
    from exercises.prescribing import prescribe

    now = datetime.now(UTC)
    patients = Patient.objects.in_bulk([phone.patient_id for phone in people])
    slugs = ("pelvic-tilt", "heel-slide", "baseline-walk")
    pushes = []
    for phone, person in zip(people, simulation.people(len(people), now.date(), seed=1), strict=True):
        plan = Plan(
            title="Generated programme",
            items=tuple(Item(exercise=slug, dose=library().exercises[slug].dose) for slug in slugs),
            weekdays=person.weekdays,
        )
        prescription = prescribe(
            patients[phone.patient_id],
            plan,
            by=None,
            now=now,
            starts_on=person.programme_day,
            origin=Origin.SIMULATED,
        )
        items = list(simulation.Phone(person, now, seed=1).items(prescription.pk, plan))
        cursor = pull(None, phone.patient_id, phone.clinic_id, "en").cursor
        sent = [items[at : at + ITEMS] for at in range(0, min(len(items) - ITEMS + 1, ITEMS * PUSHES), ITEMS)]
        bodies = [msgspec.json.encode({"device": {"sent_at": now}, "cursor": cursor, "push": each}) for each in sent]
        pushes.append([request("POST", "/api/v1/sync", phone.bearer, body) for body in bodies])
    return pushes


def copy_in(count: int) -> None:
    """Write so many rows, as a Python program does with COPY. Runs in a process of its own."""
    with psycopg.connect(os.environ["DATABASE_URL"], autocommit=True) as connection:
        found = connection.execute("SELECT * FROM outcomes_response LIMIT 1000")
        rows = [[Jsonb(value) if isinstance(value, dict) else value for value in row] for row in found]
        with connection.cursor() as cursor, cursor.copy("COPY bench_copy FROM STDIN (FORMAT BINARY)") as copy:
            copy.set_types([column.type_code for column in found.description or ()])
            for n in range(count):
                copy.write_row(rows[n % len(rows)])


def main() -> None:
    with database() as folder:
        people = phones(PEOPLE)
        with web(folder) as server:
            print(HEAD, *measure(server, people), sep="\n", flush=True)


if __name__ == "__main__":
    main()
