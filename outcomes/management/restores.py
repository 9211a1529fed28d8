"""What the commands that take an export back in have in common."""

from __future__ import annotations

from argparse import ArgumentParser
from collections.abc import Iterable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import IntegrityError
from django.utils import timezone

from backend.people.models import Clinic
from backend.people.restoring import Tally
from outcomes.management.clinics import clinic_named
from outcomes.restoring import OtherFormatError

# So many refused lines are told.
TOLD = 20


class RestoreCommand[T: Tally](BaseCommand):
    labels: tuple[str, ...]

    def nothing(self) -> T:
        raise NotImplementedError

    def restore(self, lines: Iterable[bytes], clinic: Clinic, now: datetime) -> Iterator[T]:
        raise NotImplementedError

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument("--clinic", required=True, help="name or number of the clinic")

    def handle(self, *args: Any, **options: Any) -> None:
        clinic = clinic_named(options["clinic"])
        total = self.nothing()
        try:
            with options["file"].open("rb") as lines:
                for done in self.restore(lines, clinic, timezone.now()):
                    total.add(done)
        except OSError as error:
            raise CommandError(f"{options['file']}: {error.strerror}", returncode=2) from error
        except OtherFormatError as error:
            raise CommandError(str(error), returncode=2) from error
        except IntegrityError as error:
            self._tell(total)
            raise CommandError(f"After line {total.lines:,}: {error}", returncode=2) from error
        except KeyboardInterrupt:
            self._tell(total)
            raise CommandError(f"Stopped after {total.lines:,} lines. Run it again to go on.", returncode=130) from None
        self._tell(total)
        if total.refused:
            raise CommandError(f"Refused: {len(total.refused):,} of {total.lines:,} lines.", returncode=1)

    def _tell(self, total: T) -> None:
        for label in self.labels:
            self.stdout.write(f"{label.replace('_', ' '):<11} {getattr(total, label):>9,}")
        for number, reason in total.refused[:TOLD]:
            self.stdout.write(f"line {number}: {reason}")
