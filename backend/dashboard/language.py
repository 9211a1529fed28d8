"""The language that a reader has chosen. A language is a folder in `locale`, with nothing else to be told."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils import translation

from backend.people.models import User

OWN = "en"  # the language of the source


class ReadersLanguage:
    """Pages speak the language of whoever is signed in; before that, the browser's."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if isinstance(request.user, User) and not request.path_info.startswith(("/api/", "/static/")):
            language = request.user.language
            translation.activate(language if language in languages() else OWN)
        return self.get_response(request)


def languages() -> dict[str, str]:
    """What the pages can be read in, each by its own name."""
    there = {file.parent.parent.name for file in Path(settings.LOCALE_PATHS[0]).glob("*/LC_MESSAGES/*.mo")}
    codes = [OWN, *sorted(translation.to_language(name) for name in there)]
    return {code: translation.get_language_info(code)["name_local"] for code in dict.fromkeys(codes)}
