from typing import Any

from outcomes import library
from outcomes.instruments_page import page
from outcomes.management.sound import LibraryCommand


class Command(LibraryCommand):
    help = "Print the page that is kept as docs/instruments.md."

    def handle(self, *args: Any, **options: Any) -> None:
        self.stdout.write(page(library.newest()), ending="")
