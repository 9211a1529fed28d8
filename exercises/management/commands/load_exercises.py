from typing import Any

from django.core.management.base import BaseCommand, CommandError

from exercises.consistency import CatalogueError
from exercises.loading import load_exercises


class Command(BaseCommand):
    help = "Bring the catalogue's files into the database. Harmless to repeat; clinics' own exercises stay."

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            counts = load_exercises()
        except CatalogueError as error:
            raise CommandError(str(error)) from None
        self.stdout.write(", ".join(f"{count} {what}" for what, count in counts.items()))
