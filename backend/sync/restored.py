"""What of this room comes back with the records of an export: what was refused, and what became of it."""

from __future__ import annotations

from datetime import datetime

from backend.people.restoring import Table
from backend.sync.models import Quarantine
from backend.sync.quarantine import fingerprint


def _with_fingerprint(row: Quarantine, _now: datetime) -> None:
    row.digest = fingerprint(bytes(row.content))


TABLES = (Table(Quarantine, check=_with_fingerprint),)
