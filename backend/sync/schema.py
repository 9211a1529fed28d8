"""The sync's bodies as the OpenAPI document shows them, with an example of each."""

from __future__ import annotations

import msgspec

from backend.sync.decode import Envelope, Item, SentBy


class SyncRequest(msgspec.Struct):
    """What a phone sends. Each item is decoded on its own: one that is wrong doesn't spoil the others."""

    device: SentBy = msgspec.field(default_factory=SentBy)
    cursor: str | None = None
    push: list[Item] = []


assert set(SyncRequest.__struct_fields__) == set(Envelope.__struct_fields__)  # noqa: S101  they are one body

EXAMPLE_RESPONSE = {
    "type": "response",
    "id": "01990d2a-5b1c-7c3e-9a58-0d6f4c1b2a37",
    "instrument": "phq-9",
    "version": "1",
    "authored_at": "2026-11-21T21:03:00+01:00",
    "time_zone": "Europe/Zurich",
    "slot": None,
    "replaces": None,
    "answers": {"1": 2, "2": 1, "3": 2, "4": 2, "5": 1, "6": 1, "7": 2, "8": 1, "9": 0},
}

EXAMPLE_VERDICT = {
    "id": "01990d2a-5b1c-7c3e-9a58-0d6f4c1b2a37",
    "status": "stored",
    "complete": True,
    "scores": {"phq-9.total": 12},
}

EXAMPLE_REQUEST = {
    "device": {"sent_at": "2026-11-22T08:15:02+01:00", "app": "1.4.0"},
    "cursor": None,
    "push": [EXAMPLE_RESPONSE],
}

EXAMPLE_ANSWER = {
    "results": [EXAMPLE_VERDICT],
    "changes": [],
    "cursor": "WyI3NmMtMSIsMTIsIiIsNF0",
    "full": True,
    "more": False,
    "safety": [],
    "safety_card": None,
    "instruments": [{"code": "phq-8", "version": "1", "language": "en", "etag": '"6f1e0c44b7a9"'}],
}
