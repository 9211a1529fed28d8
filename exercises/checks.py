"""`manage.py check` fails on a catalogue that does not hold together, and names file and entry."""

from collections.abc import Sequence
from typing import Any

from django.apps import AppConfig
from django.core.checks import CheckMessage, Error

from exercises.consistency import CatalogueError
from exercises.library import library
from exercises.templates import templates


def catalogue_holds_together(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    try:
        library()
        templates()
    except CatalogueError as error:
        return [
            Error(f"{problem.entry}: {problem.detail}", obj=problem.file, id=f"exercises.{problem.code}")
            for problem in error.problems
        ]
    return []
