"""A clinic's own exercises, held to what the files are held to: added, changed, retired and brought back."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec
from django.db import IntegrityError, transaction

from exercises.consistency import loops, wrong_in
from exercises.entry import LANGUAGE, Exercise
from exercises.library import library
from exercises.loading import row_of
from exercises.models import Exercise as Row

type Flaw = tuple[str | None, str, str]  # field, code, detail


class UnsoundError(ValueError):
    """An entry that can't be kept so; `flaws` name all that is wrong."""

    def __init__(self, flaws: list[Flaw]) -> None:
        super().__init__("; ".join(detail for _field, _code, detail in flaws))
        self.flaws = flaws


class ExistsError(ValueError):
    """The clinic has an exercise of this slug."""


def known_in(clinic_id: int) -> dict[str, Exercise]:
    """What an entry of this clinic may link to: the shared exercises and its own."""
    own = Row.objects.filter(clinic=clinic_id, retired=False)
    return dict(library().exercises) | {row.slug: msgspec.convert(row.content, Exercise) for row in own}


def check(entry: Exercise, clinic_id: int) -> None:
    """Raise UnsoundError unless this entry may stand among those of the clinic."""
    if LANGUAGE not in entry.words:
        why = "Give the words in English too: they stand in for other languages."
        raise UnsoundError([("words.en", "required", why)])
    if entry.media:
        why = "Pictures and clips are uploaded: see the exercise's media."
        raise UnsoundError([("media", "upload_it", why)])
    known = known_in(clinic_id) | {entry.slug: entry}
    wrong = wrong_in(entry, known, library().codes[LANGUAGE], "clinic") + loops(known, dict.fromkeys(known, "clinic"))
    if flaws := [(each.field, each.code, each.detail) for each in wrong] + _broken_by(entry.slug, known):
        raise UnsoundError(flaws)


def _broken_by(slug: str, known: Mapping[str, Exercise]) -> list[Flaw]:
    """What is wrong among `known` with the steps that lead to this one."""
    return [
        (None, each.code, f"{other.words_in(LANGUAGE).name} leads here: {each.detail}")
        for other in known.values()
        for each in wrong_in(other, known, library().codes[LANGUAGE], "clinic")
        if other.slug != slug and each.field in ("regression", "progression") and getattr(other, each.field).to == slug
    ]


def add(entry: Exercise, clinic_id: int) -> Row:
    """A new one. One with a shared slug takes the shared one's place in this clinic. Raises ExistsError."""
    check(entry, clinic_id)
    row = row_of(entry, clinic_id)
    try:
        with transaction.atomic():
            row.save(force_insert=True)
    except IntegrityError:
        raise ExistsError from None
    return row


def rewrite(old: Row, entry: Exercise, clinic_id: int) -> Row:
    """Another content for the same exercise, which is there again if it was retired. Prescriptions keep the old one."""
    check(entry, clinic_id)
    row = row_of(entry, clinic_id)
    row.pk = old.pk
    row.save(force_update=True)
    return row


def retire(row: Row, clinic_id: int) -> None:
    """Prescribe it no more. Old prescriptions keep it. Raises UnsoundError while another's step leads here."""
    known = {slug: entry for slug, entry in known_in(clinic_id).items() if slug != row.slug}
    shared = library().exercises.get(row.slug)
    if flaws := _broken_by(row.slug, known | ({row.slug: shared} if shared else {})):
        raise UnsoundError(flaws)
    row.retired = True
    row.save(update_fields=["retired"])
