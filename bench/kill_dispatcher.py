"""Kill the dispatcher of reminders at random moments, many rounds, and count what was lost or said twice.

    make chaos
    .venv/bin/python -m bench.kill_dispatcher --days 20 --patients 60 --seed 7

Several dispatchers run at once, against a provider on the loopback address that is slow, answers 500 and cuts the line
after accepting. Some are killed with SIGKILL in every round; meanwhile patients answer. What is counted comes from the
provider and from the database, never from the dispatchers.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import UTC, date, datetime, timedelta
from datetime import time as clock_time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import product
from pathlib import Path
from typing import IO, Any

FIRST_DAY = datetime(2026, 3, 2, tzinfo=UTC)  # UTC is the simulated patients' zone
STEP = timedelta(minutes=10)  # longer than a lease: what a killed dispatcher held is free again


@dataclass
class Counts:
    """What came of it. The first four must be zero."""

    lost: int = 0  # slots that stood open and unanswered, and were never reminded of
    shown_twice: int = 0  # reminders of one slot under two message ids
    sent_after_the_answer: int = 0
    left_over: int = 0  # messages neither sent nor given up at the end
    reminders: int = 0
    sent_again: int = 0  # the same id twice on the wire: a phone shows it once
    cancelled: int = 0  # answered before they went out
    skipped: int = 0  # too late to say when a dispatcher got to them
    rounds: int = 0
    killed: int = 0


@dataclass
class Provider:
    """Firebase's part, by a real server."""

    taken: list[tuple[str, str, int]] = field(default_factory=list)  # message id, patient, round
    round: int = 0
    url: str = ""


@contextmanager
def provider(seed: int) -> Iterator[Provider]:
    found = Provider()
    chance = random.Random(seed)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            content = self.rfile.read(int(self.headers["Content-Length"]))
            if self.path == "/token":
                self.answer(200, {"access_token": "generated", "expires_in": 3599})
                return
            time.sleep(chance.uniform(0, 0.02))
            if chance.random() < 0.03:
                self.answer(500, {})
                return
            message = json.loads(content)["message"]
            found.taken.append((message["data"]["message"], message["token"], found.round))
            if chance.random() < 0.03:
                self.close_connection = True
                return
            self.answer(200, {"name": "generated"})

        def answer(self, status: int, body: object) -> None:
            data = json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def handle(self) -> None:
            try:
                super().handle()
            except ConnectionError:
                self.close_connection = True  # a killed dispatcher's

        def log_message(self, *_: Any) -> None: ...

    class Server(ThreadingHTTPServer):
        daemon_threads = True
        request_queue_size = 128

    server = Server(("127.0.0.1", 0), Handler)
    found.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield found
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class Dispatchers:
    """Processes that each dispatch once. They are forked from one that has already imported everything."""

    def __init__(self, environment: dict[str, str], url: str) -> None:
        command = [sys.executable, "-m", "bench.kill_dispatcher", "--nursery", url]
        self.nursery = subprocess.Popen(
            command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def __enter__(self) -> Dispatchers:
        return self

    def __exit__(self, *_: object) -> None:
        _pipe(self.nursery.stdin).close()
        self.nursery.wait(30)
        _pipe(self.nursery.stdout).close()

    def start(self, now: datetime) -> int:
        self._say(f"start {now.isoformat()}")
        return int(_pipe(self.nursery.stdout).readline())

    def wait(self) -> None:
        """Until none is left."""
        self._say("wait")
        _pipe(self.nursery.stdout).readline()

    def _say(self, line: str) -> None:
        _pipe(self.nursery.stdin).write(line + "\n")
        _pipe(self.nursery.stdin).flush()


def _pipe(pipe: IO[str] | None) -> IO[str]:
    assert pipe
    return pipe


def nursery(url: str) -> None:
    """Fork a dispatcher for each line that says so. Nothing is connected to here, so nothing is shared."""
    import django

    django.setup()
    from backend.reminders.channels import fcm
    from backend.reminders.dispatching import dispatch

    fcm.API = url
    children: list[int] = []
    for line in sys.stdin:
        verb, *words = line.split()
        if verb == "wait":
            for child in children:
                os.waitpid(child, 0)
            children.clear()
            print("none", flush=True)
            continue
        child = os.fork()
        if not child:
            dispatch(datetime.fromisoformat(words[0]), limit=20)
            os._exit(0)
        children.append(child)
        print(child, flush=True)


def populate(number: int) -> list[int]:
    """Generated patients, each with a phone, who are asked for a diary every evening; returns their ids."""
    from uuid_utils.compat import uuid7

    from backend.people.models import CareTeam, Clinic, ClinicText, Consent, Device, Patient, ZoneHistory
    from backend.reminders.models import Address, Schedule
    from backend.reminders.planning import plan
    from backend.reminders.slots import Remind, Rule, Window

    clinic = Clinic.objects.create(name="Generated", time_zone="UTC", languages=["en"], simulated=True)
    team = CareTeam.objects.create(clinic=clinic, name="Generated")
    text = ClinicText.objects.create(clinic=clinic, kind="consent", language="en", version=1, body="Generated.")
    start = FIRST_DAY - timedelta(days=1)
    patients = Patient.objects.bulk_create(
        Patient(
            clinic=clinic,
            care_team=team,
            identifier=f"G{i:05}",
            time_zone="UTC",
            status="active",
            enrolled_at=start,
        )
        for i in range(number)
    )
    Consent.objects.bulk_create(Consent(clinic=clinic, patient=p, text=text, given_at=start) for p in patients)
    ZoneHistory.objects.bulk_create(
        ZoneHistory(clinic=clinic, patient=p, since=start, time_zone="UTC") for p in patients
    )
    devices = Device.objects.bulk_create(
        Device(id=uuid7(), clinic=clinic, patient=p, session_key=f"generated {p.pk}") for p in patients
    )
    Address.objects.bulk_create(
        Address(
            device=d, clinic=clinic, patient_id=d.patient_id, channel="fcm", target=str(d.patient_id), updated_at=start
        )
        for d in devices
    )
    rule = Rule((Window(clock_time(17), clock_time(20, 50)),), remind=Remind(after=60, nudges=1, every=90))
    Schedule.objects.bulk_create(
        Schedule(
            id=uuid7(),
            clinic=clinic,
            patient=p,
            asks="instrument",
            code="daily-diary",
            rule=rule.to_json(),
            created_at=start,
        )
        for p in patients
    )
    ids = [p.pk for p in patients]
    plan(ids, FIRST_DAY)
    return ids


def run(environment: dict[str, str], found: Provider, *, days: int, patients: int, seed: int) -> Counts:
    """Live through `days` evenings, and count. The database must be empty of patients."""
    chance = random.Random(seed)
    counts = Counts()
    ids = populate(patients)
    answered: dict[tuple[int, date], int] = {}  # patient and day: the round after which the answer was stored
    with Dispatchers(environment, found.url) as dispatchers:
        for day in range(days):
            now = FIRST_DAY + timedelta(days=day, hours=17)
            while now.time() < clock_time(20, 45):
                found.round += 1
                children = [dispatchers.start(now) for _ in range(3)]
                if now.minute < 45:  # towards the hour's end they get through
                    counts.killed += kill_some(children, found, chance)
                dispatchers.wait()
                awake = [patient for patient in ids if (patient, now.date()) not in answered]
                for patient in awake:
                    if chance.random() < 0.02:
                        answer(patient, now)
                        answered[patient, now.date()] = found.round
                now += STEP
    counts.rounds = found.round
    count(counts, ids, days, answered, found)
    return counts


def kill_some(children: list[int], found: Provider, chance: random.Random) -> int:
    """Half of the time at any moment, half of the time while messages are on the wire."""
    killed = chance.sample(children, chance.randint(0, len(children)))
    for child in killed:
        enough, until = len(found.taken) + chance.randint(1, 6), time.monotonic() + chance.uniform(0, 0.4)
        in_flight = chance.random() < 0.5
        while time.monotonic() < until and not (in_flight and len(found.taken) >= enough):
            time.sleep(0.001)
        os.kill(child, signal.SIGKILL)  # They are reaped later: whoever has finished takes no harm.
    return len(killed)


def answer(patient: int, now: datetime) -> None:
    """What a sync stores."""
    from django.db import transaction
    from uuid_utils.compat import uuid7

    from backend.people.writes import Door, next_revisions
    from backend.reminders.completing import Answer, complete
    from backend.reminders.models import Schedule

    with transaction.atomic():
        said = Answer(patient, Schedule.Asks.INSTRUMENT, "daily-diary", now, uuid7())
        complete([said], Door("phone", now), next_revisions([patient]))


def count(counts: Counts, ids: list[int], days: int, answered: dict[tuple[int, date], int], found: Provider) -> None:
    from backend.reminders.models import Mention, Message

    wire = Counter(message for message, _, _ in found.taken)
    counts.sent_again = sum(times - 1 for times in wire.values())
    said: dict[tuple[int, date, int], set[str]] = defaultdict(set)
    day_of: dict[str, date] = {}
    for mention in Mention.objects.all():
        day_of[str(mention.message_id)] = mention.local_date
        if str(mention.message_id) in wire:
            said[mention.patient_id, mention.local_date, mention.nudge].add(str(mention.message_id))
    counts.reminders = len(said)
    counts.shown_twice = sum(len(messages) - 1 for messages in said.values())
    for patient, day in product(ids, range(days)):
        date = (FIRST_DAY + timedelta(days=day)).date()
        asked_in_vain = (patient, date) not in answered
        counts.lost += asked_in_vain and not said[patient, date, 0] | said[patient, date, 1]
    for message, token, taken_in in found.taken:
        counts.sent_after_the_answer += taken_in > answered.get((int(token), day_of[message]), found.round)
    counts.cancelled = Message.objects.filter(state="cancelled").count()
    counts.skipped = Message.objects.filter(state="skipped").count()
    counts.left_over = Message.objects.filter(state__in=["pending", "claimed"]).count()


def generated_account(url: str) -> str:
    """A service account that the provider accepts, as JSON."""
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import rsa

    pem = rsa.generate_private_key(65537, 2048).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    account = {
        "project_id": "generated",
        "client_email": "sender@generated.example",
        "private_key": pem.decode(),
        "token_uri": f"{url}/token",
    }
    return json.dumps(account)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--days", type=int, default=20, help="evenings to live through, 23 rounds each")
    parser.add_argument("--patients", type=int, default=60)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--nursery", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.nursery:
        nursery(options.nursery)
        return

    from backend.local import services

    with (
        tempfile.TemporaryDirectory(prefix="steadyback-chaos-") as directory,
        provider(options.seed) as found,
        services(Path(directory), durable=False) as urls,
    ):
        os.environ |= urls | {
            "SECRET_KEY": "only for this run",
            "DJANGO_SETTINGS_MODULE": "backend.settings",
            "FCM_SERVICE_ACCOUNT": generated_account(found.url),
        }
        import django
        from django.core.management import call_command
        from django.db import connection

        django.setup()
        call_command("migrate", verbosity=0)
        counts = run(dict(os.environ), found, days=options.days, patients=options.patients, seed=options.seed)
        connection.close()
    for name, value in asdict(counts).items():
        print(f"{name.replace('_', ' '):24}{value:8,}")
    if counts.lost or counts.shown_twice or counts.sent_after_the_answer or counts.left_over:
        sys.exit("the promise is broken")


if __name__ == "__main__":
    main()
