"""Takes an export of answers and scores back in, here or on another server. See docs/exporting.md."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime

from backend.people.models import Clinic
from outcomes.management.restores import RestoreCommand
from outcomes.restoring import Restored, restore


class Command(RestoreCommand[Restored]):
    help = "Load responses.jsonl of an export. Running it again changes nothing."
    labels = ("lines", "patients", "responses", "values", "duplicates")

    def nothing(self) -> Restored:
        return Restored()

    def restore(self, lines: Iterable[bytes], clinic: Clinic, now: datetime) -> Iterator[Restored]:
        return restore(lines, clinic, now)
