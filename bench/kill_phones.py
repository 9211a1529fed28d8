"""Phones that push over HTTP until each answer has its verdict, whatever dies on the way."""

from __future__ import annotations

import json
import random
import threading
import time
import urllib.error
import urllib.request
from collections import defaultdict
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.client import HTTPException
from typing import Any, Self
from uuid import uuid4

AT_ONCE = 8
PATIENCE = 300  # seconds that a phone goes on trying


@dataclass
class Push:
    """One answer of one patient, `at` seconds into the run; `kind` is what it is about."""

    at: float
    patient: int
    token: str
    kind: str
    item: dict[str, Any]


def make_pushes(tokens: Mapping[int, str], seconds: float, chance: random.Random) -> list[Push]:
    """What everybody will push. Some answers raise red flags, some are refused and raise them all the same."""
    share = {"pain": 1.0, "diary": 0.4, "item-9": 0.3, "refused-item-9": 0.1, "syncope": 0.1}
    pushes = [
        Push(chance.uniform(0, seconds), patient, token, kind, make_item(kind))
        for patient, token in tokens.items()
        for kind, likely in share.items()
        if chance.random() < likely
    ]
    twice = [push for push in pushes if chance.random() < 0.2]  # by two threads in the same moment
    return sorted([*pushes, *twice], key=lambda push: push.at)


def make_item(kind: str) -> dict[str, Any]:
    if kind == "syncope":
        return {"type": "adverse-event", "id": str(uuid4()), "kind": "syncope", "severity": 3}
    instrument, answers = {
        "pain": ("nrs-pain", {"pain": 4}),
        "diary": ("daily-diary", {"pain-average": 4, "flare": 0}),
        "item-9": ("phq-9", {"8": 1, "9": 2}),
        "refused-item-9": ("phq-9", {"8": 17, "9": 2}),
    }[kind]
    asked = {"instrument": instrument, "version": "1", "time_zone": "UTC", "answers": answers}
    return {"type": "response", "id": str(uuid4())} | asked


def sign_in(patients: Sequence[int]) -> dict[int, str]:
    """An account and a session for each of these patients' phones; gives their access tokens."""
    from django.db.models import Q

    from backend.people.models import Device, Patient, User
    from backend.people.tokens import start_session

    tokens = {}
    for patient in patients:
        user = User.objects.create(email=f"g{patient}@generated.example")
        key, (access, _) = start_session(user)
        Patient.objects.filter(pk=patient).update(user=user)
        Device.objects.filter(Q(patient=patient)).update(session_key=key)
        tokens[patient] = access
    return tokens


@dataclass
class Phones:
    """`verdicts` are the statuses that came back for each item, `stored_at` when the first of them did."""

    url: str
    pushes: list[Push]
    verdicts: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    stored_at: dict[str, float] = field(default_factory=dict)
    failed: int = 0
    under_way: int = 0

    def __enter__(self) -> Self:
        self.began = time.monotonic()
        self.pool = ThreadPoolExecutor(AT_ONCE)
        self.thread = threading.Thread(target=self._all)
        self.thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.thread.join()
        self.pool.shutdown()

    def _all(self) -> None:
        for push in self.pushes:
            time.sleep(max(0, self.began + push.at - time.monotonic()))
            # By the phone's own clock, which runs a little behind: the window of a slot may just have opened.
            push.item.setdefault("authored_at", (datetime.now(UTC) - timedelta(seconds=1)).isoformat())
            self.pool.submit(self._until_answered, push)

    def _until_answered(self, push: Push) -> None:
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            self.under_way += 1
            try:
                status = self._push(push)
            except (HTTPException, OSError, ValueError):  # refused, or cut anywhere, in the middle of an answer too
                self.failed += 1
                time.sleep(0.2)
            else:
                self.verdicts[push.item["id"]].append(status)
                self.stored_at.setdefault(push.item["id"], time.time())
                return

    def _push(self, push: Push) -> str:
        body = json.dumps({"cursor": None, "push": [push.item]}).encode()
        headers = {"Authorization": f"Bearer {push.token}", "Content-Type": "application/json"}
        request = urllib.request.Request(f"{self.url}/api/v1/sync", body, headers)  # noqa: S310
        with urllib.request.urlopen(request, timeout=10) as response:  # noqa: S310
            return str(json.loads(response.read())["results"][0]["status"])
