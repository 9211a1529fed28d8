from typing import Any

from django.core.management.base import BaseCommand, CommandError

from outcomes import library, publishing


class Command(BaseCommand):
    help = "Record the digests of new instrument versions and texts; a file that is published already stays as it was."
    requires_system_checks = []

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            library.load(library.FOLDER)
        except library.UnsoundFileError as error:
            raise CommandError(str(error)) from error
        for name in publishing.publish(library.FOLDER):
            self.stdout.write(f"Published {name}.")
        if changed := publishing.changed(library.FOLDER):
            raise CommandError("\n".join(changed))
