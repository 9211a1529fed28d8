"""Takes everything of an export back in that its answers do not hold. See docs/exporting.md."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime

from backend.dashboard.restoring import restore
from backend.people.models import Clinic
from backend.people.restoring import Restored
from outcomes.management.restores import RestoreCommand


class Command(RestoreCommand[Restored]):
    help = "Load records.jsonl of an export, after its responses.jsonl. Running it again changes nothing."
    labels = ("lines", "rows", "duplicates", "passed_over")

    def nothing(self) -> Restored:
        return Restored()

    def restore(self, lines: Iterable[bytes], clinic: Clinic, now: datetime) -> Iterator[Restored]:
        return restore(lines, clinic, now)
