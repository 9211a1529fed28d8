"""Writes answers and scores to files for other programs. See docs/exporting.md."""

from __future__ import annotations

import os
from argparse import ArgumentParser
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from backend.people import audit
from backend.people.models import Patient, User
from backend.people.snapshot import one_state
from outcomes import exporting
from outcomes.management.clinics import clinic_named


class Command(BaseCommand):
    help = "Write what a member of a clinic may see: everything as JSON Lines and as tables, and what the columns mean."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("folder", type=Path, help="made if it isn't there")
        parser.add_argument("--clinic", required=True, help="name or number of the clinic")
        parser.add_argument("--user", required=True, help="e-mail of who asks; what they may see is written")
        parser.add_argument("--patient", help="the clinic's number of one person")

    def handle(self, *args: Any, **options: Any) -> None:
        clinic = clinic_named(options["clinic"])
        user = User.objects.filter(email__iexact=options["user"], is_active=True).first()
        if user is None:
            raise CommandError(f"--user: nobody signs in as {options['user']!r}.")
        patients = Patient.objects.visible_to(user).filter(clinic=clinic)
        if options["patient"]:
            patients = patients.filter(identifier=options["patient"])
        ids = list(patients.values_list("pk", flat=True))
        if not ids:
            raise CommandError("There is no such patient whom this person may see.")
        audit.record("export responses", ids, user.pk)
        folder: Path = options["folder"]
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with one_state():
            now = timezone.now()
            for file in exporting.files(patients):
                if found := exporting.content(file.name, patients, clinic.name, now):
                    self._write(folder / file.name, found[1])

    def _write(self, path: Path, parts: Iterable[bytes]) -> None:
        with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as out:
            count = 0
            for part in parts:
                out.write(part)
                count += 1
        self.stdout.write(f"{path}  {count:,} lines")
