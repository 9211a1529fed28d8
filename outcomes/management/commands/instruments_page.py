from typing import Any

from django.core.management.base import BaseCommand

from outcomes import library
from outcomes.instruments_page import page


class Command(BaseCommand):
    help = "Print the page that is kept as docs/instruments.md."
    requires_system_checks = []

    def handle(self, *args: Any, **options: Any) -> None:
        self.stdout.write(page(library.newest()), ending="")
