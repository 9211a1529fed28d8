"""Makes the simulated clinic of the demo, once; shows the sign-in codes of its made-up staff."""

from __future__ import annotations

import secrets
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from backend.sync import simulated_clinic


class Command(BaseCommand):
    help = "Make a clinic of made-up patients with half a year of entries. Where it is there already, nothing changes."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--patients", type=int, default=42)
        parser.add_argument("--seed", type=int, default=1, help="another seed makes other people")
        parser.add_argument("--password", help="of the made-up staff; without it a new one is made and shown")
        parser.add_argument("--codes", action="store_true", help="show what the staff's authenticator apps show now")

        parser.add_argument("--invite", action="store_true", help="a patient and a code to enrol a phone of your own")

    def handle(self, *args: Any, **options: Any) -> None:
        password = options["password"]
        if options["codes"]:
            for email, code in simulated_clinic.codes().items():
                self.stdout.write(f"{email}  {code}")
        elif options["invite"]:
            clinic = simulated_clinic.find()
            if clinic is None:
                raise CommandError("There is no simulated clinic yet.")
            patient, code = simulated_clinic.invite(clinic, timezone.now())
            self.stdout.write(f"{patient.name}, born {patient.date_of_birth}: {code}")
        elif simulated_clinic.find() is None:
            made = password or secrets.token_urlsafe(9)
            clinic = simulated_clinic.make(timezone.now(), options["patients"], options["seed"], made)
            self.stdout.write(f"{clinic.name}: {clinic.patient_set.count()} patients")
            if not password:
                staff = ", ".join(user.email for user in simulated_clinic.staff())
                self.stdout.write(f"Its staff ({staff}) sign in with {made}")
        elif password:
            simulated_clinic.set_password(password)
