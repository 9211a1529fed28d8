"""Takes an export of answers and scores back in, here or on another server. See docs/exporting.md."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from outcomes.management.clinics import clinic_named
from outcomes.restoring import OtherFormatError, Restored, restore

# So many refused lines are told.
TOLD = 20


class Command(BaseCommand):
    help = "Load responses.jsonl of an export. Running it again changes nothing."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument("--clinic", required=True, help="name or number of the clinic")

    def handle(self, *args: Any, **options: Any) -> None:
        clinic = clinic_named(options["clinic"])
        total = Restored()
        try:
            with options["file"].open("rb") as lines:
                for done in restore(lines, clinic, timezone.now()):
                    total += done
        except OSError as error:
            raise CommandError(f"{options['file']}: {error.strerror}", returncode=2) from error
        except OtherFormatError as error:
            raise CommandError(str(error), returncode=2) from error
        except KeyboardInterrupt:
            self._tell(total)
            raise CommandError(f"Stopped after {total.lines:,} lines. Run it again to go on.", returncode=130) from None
        self._tell(total)
        if total.refused:
            raise CommandError(f"Refused: {len(total.refused):,} of {total.lines:,} lines.", returncode=1)

    def _tell(self, total: Restored) -> None:
        for label in ("lines", "patients", "responses", "values", "duplicates"):
            self.stdout.write(f"{label:<10}  {getattr(total, label):>9,}")
        for number, reason in total.refused[:TOLD]:
            self.stdout.write(f"line {number}: {reason}")
