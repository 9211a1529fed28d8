"""The clinic's own words, as a phone shows them."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import groupby
from typing import Any

from django.db.models import QuerySet

from backend.people.models import ClinicText


def newest(clinic_id: int) -> QuerySet[ClinicText]:
    """The newest text of each kind and language."""
    return (
        ClinicText.objects.filter(clinic_id=clinic_id)
        .order_by("kind", "language", "-version")
        .distinct("kind", "language")
    )


def in_language(texts: Iterable[ClinicText], language: str, clinic_languages: Iterable[str]) -> ClinicText | None:
    """Of texts of one kind the one in `language`, else in the first of the clinic's languages, else any."""
    by_language = {text.language: text for text in texts}
    order = (language, *clinic_languages, *by_language)
    return next((by_language[choice] for choice in order if choice in by_language), None)


def safety_card(clinic_id: int, language: str) -> list[dict[str, Any]]:
    """The newest text of each kind but consent, in `language` where there is one, else in the clinic's first language.

    A phone keeps them to show with no network. One statement.
    """
    texts = newest(clinic_id).exclude(kind=ClinicText.Kind.CONSENT).select_related("clinic")
    card = []
    for kind, of_kind in groupby(texts, key=lambda text: text.kind):
        candidates = list(of_kind)
        if text := in_language(candidates, language, candidates[0].clinic.languages):
            card.append({"kind": kind, "language": text.language, "version": text.version, "body": text.body})
    return card
