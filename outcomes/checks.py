"""System checks of the data files; they need no database."""

from typing import Any

from django.core.checks import CheckMessage, Error, register

from outcomes import library, publishing


@register("instruments")
def instruments_are_sound_and_unchanged(**kwargs: Any) -> list[CheckMessage]:
    try:
        library.load(library.FOLDER)
    except library.UnsoundFileError as error:
        return [Error(str(error), id="outcomes.E001")]
    return [Error(sentence, id="outcomes.E002") for sentence in publishing.changed(library.FOLDER)]
