"""The clinic's own words, as a phone shows them."""

from __future__ import annotations

from typing import Any

from django.db.models import F

from backend.people.models import ClinicText


def safety_card(clinic_id: int, language: str) -> list[dict[str, Any]]:
    """The newest text of each kind but consent, in `language` where there is one, else in the clinic's first language.

    A phone keeps them to show with no network. One statement.
    """
    newest = (
        ClinicText.objects.filter(clinic_id=clinic_id)
        .exclude(kind=ClinicText.Kind.CONSENT)
        .order_by("kind", "language", "-version")
        .distinct("kind", "language")
        .annotate(clinic_languages=F("clinic__languages"))
        .values("kind", "language", "version", "body", "clinic_languages")
    )
    card: dict[str, dict[str, Any]] = {}
    best: dict[str, int] = {}
    for text in newest:
        order = [language, *text["clinic_languages"], text["language"]]
        rank = order.index(text["language"])
        if rank < best.get(text["kind"], len(order)):
            card[text["kind"]] = {name: text[name] for name in ("kind", "language", "version", "body")}
            best[text["kind"]] = rank
    return list(card.values())
