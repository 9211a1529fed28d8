"""Who read or wrote what of a patient's: the audit as a person reads it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from backend.dashboard.deeds import deed
from backend.people.models import Audit, User

TOGETHER = timedelta(minutes=30)
"""The same done by the same person again within it, with nothing between, is one line that says how often."""


@dataclass
class Trace:
    user: User | None
    user_id: int | None
    action: str
    first: datetime
    last: datetime
    count: int
    times: int = 1

    @property
    def deed(self) -> str:
        return deed(self.action)


def traces(rows: Iterable[Audit]) -> list[Trace]:
    """`rows` come newest first, and so do the lines."""
    found: list[Trace] = []
    for row in rows:
        line = found[-1] if found else None
        if line and (line.user_id, line.action) == (row.user_id, row.action) and line.first - row.at < TOGETHER:
            line.first, line.times, line.count = row.at, line.times + 1, line.count + row.count
        else:
            found.append(Trace(row.user, row.user_id, row.action, row.at, row.at, row.count))
    return found
