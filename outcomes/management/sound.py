"""For commands that need no database and skip its checks: an unsound data file is said, not thrown."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from outcomes.library import UnsoundFileError


class LibraryCommand(BaseCommand):
    requires_system_checks = []

    def execute(self, *args: Any, **options: Any) -> str | None:
        try:
            return super().execute(*args, **options)
        except UnsoundFileError as error:
            raise CommandError(str(error)) from error
