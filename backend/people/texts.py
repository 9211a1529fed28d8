"""The clinic's own words, as a phone shows them."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import groupby
from typing import Any

from django.db import transaction
from django.db.models import Max, QuerySet

from backend.people.models import Clinic, ClinicText
from backend.rest.problems import Problem


def newest(clinic_id: int) -> QuerySet[ClinicText]:
    """The newest text of each kind and language."""
    return (
        ClinicText.objects.filter(clinic_id=clinic_id)
        .order_by("kind", "language", "-version")
        .distinct("kind", "language")
    )


@transaction.atomic
def publish(clinic: Clinic, kind: str, language: str, body: str) -> ClinicText:
    """The next version of a text. Nothing of what was published before changes. Raises Problem."""
    if language not in clinic.languages:
        raise Problem(400, "unknown", "The clinic doesn't offer this language.", field="language")
    Clinic.objects.select_for_update(no_key=True).get(pk=clinic.pk)  # versions count up without a gap
    same = ClinicText.objects.filter(clinic=clinic, kind=kind, language=language)
    version = (same.aggregate(last=Max("version"))["last"] or 0) + 1
    text = ClinicText.objects.create(clinic=clinic, kind=kind, language=language, version=version, body=body)
    text.refresh_from_db()  # the database has set the time of publication
    return text


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
