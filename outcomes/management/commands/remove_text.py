"""Takes a text from a clinic that may use it no longer. See docs/instrument-texts.md."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from outcomes import packs
from outcomes.clinic_models import TextPack
from outcomes.management.clinics import clinic_named


class Command(BaseCommand):
    help = "Remove a text that a clinic has loaded. Answers given under it stay."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("code", help="of the instrument")
        parser.add_argument("language")
        parser.add_argument("--clinic", required=True, help="name or number of the clinic")

    def handle(self, *args: Any, **options: Any) -> None:
        clinic, code, language = clinic_named(options["clinic"]), options["code"], options["language"]
        found = TextPack.objects.filter(clinic=clinic, code=code, language=language, removed_at=None)
        removed = [pack for pack in found if packs.remove_pack(pack, by=None, now=timezone.now())]
        if not removed:
            raise CommandError(f"{clinic.name} has loaded no text of {code} in {language}.")
        for pack in removed:
            self.stdout.write(f"{clinic.name} shows {pack.code} version {pack.version} in {pack.language} no more.")
