"""Texts such as a clinic would load. Their words are ours: no licensed word stands in the project."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.utils import timezone

from backend.people.models import Clinic
from outcomes import library, packs
from outcomes.clinic_models import TextPack

LICENCE = "Letter of the owner, file 17/2026"


def pack_content(code: str = "tsk-11", language: str = "en", **changed: Any) -> dict[str, Any]:
    instrument = library.get(code)
    content: dict[str, Any] = {
        "code": code,
        "version": instrument.version,
        "language": language,
        "title": f"A test text of {code} ({language})",
        "introduction": "How is it?",
        "source": "this test",
        "licence": "Shown by leave of the owner.",
        "items": {item.id: f"Question {item.id} in {language}" for item in instrument.items},
        "options": {
            options.name: {str(option.value): f"Answer {option.value}" for option in options.values}
            for options in instrument.options
            if options.values
        },
    }
    return content | changed


def a_pack(
    clinic: Clinic, code: str = "tsk-11", language: str = "en", now: datetime | None = None, **changed: Any
) -> TextPack:
    """Loaded, in a language that the clinic offers from now on."""
    if language not in clinic.languages:
        clinic.languages.append(language)
        clinic.save()
    text = packs.read_pack(pack_content(code, language, **changed), clinic, code)
    return packs.load_pack(clinic, text, LICENCE, by=None, now=now or timezone.now())
