"""Gives a clinic the words of an instrument that it may use by a licence of its own. See docs/instrument-texts.md."""

from __future__ import annotations

import tomllib
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from outcomes import packs
from outcomes.management.clinics import clinic_named


class Command(BaseCommand):
    help = "Load a text that a clinic has licensed; it takes the place of the clinic's last one in the same language."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("code", help="of the instrument")
        parser.add_argument("file", type=Path, help="TOML, as outcomes/instruments/text/*.toml")
        parser.add_argument("--clinic", required=True, help="name or number of the clinic")
        parser.add_argument("--attest", required=True, help="on what grounds the clinic may use it, such as a letter")

    def handle(self, *args: Any, **options: Any) -> None:
        clinic = clinic_named(options["clinic"])
        file: Path = options["file"]
        try:
            content = tomllib.loads(file.read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
            raise CommandError(f"{file.name}: {error}") from error
        try:
            text = packs.read_pack(content, clinic, options["code"])
            pack = packs.load_pack(clinic, text, options["attest"], by=None, now=timezone.now())
        except packs.BadPackError as error:
            raise CommandError("\n".join(f"{file.name}: {flaw.field}: {flaw.why}" for flaw in error.flaws)) from error
        self.stdout.write(f"{clinic.name} can show {pack.code} version {pack.version} in {pack.language}.")
