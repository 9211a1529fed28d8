"""An instrument as a phone gets it: in one language, with the clinic's own words where those that ship are none."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

import msgspec

from backend.rest.etag import etag_of
from outcomes import library, packs
from outcomes.instrument import Instrument, Text


class ShownItem(msgspec.Struct):
    """One question: its text and its options in the asked language, null and without labels where no text ships.

    It is answered with one of `values`, or a number in `range` with so many `decimals`, or text up to `longest`
    characters; and asked only if the answer to the item `only_if` is above zero.
    """

    id: str
    text: str | None
    optional: bool
    only_if: str | None
    values: list[int]
    labels: dict[str, str]
    range: list[float] | None
    decimals: int
    unit: str | None
    longest: int | None


class ShownInstrument(msgspec.Struct):
    """What a phone needs to ask an instrument's questions offline."""

    code: str
    version: str
    title: str
    languages: list[str]
    language: str | None
    introduction: str | None
    recall: str
    owner: str
    licence: str
    items: list[ShownItem]


class Tag(msgspec.Struct):
    """An instrument that a phone can ask, and the tag that `/instruments/{code}` gives it in this language."""

    code: str
    version: str
    language: str
    etag: str


def shown(instrument: Instrument, texts: Mapping[str, Text], *wanted: str) -> ShownInstrument:
    """An instrument in the first of the `wanted` languages that there are words in, or bare where there are none."""
    text = packs.in_language(texts, *wanted)
    items = []
    for item in instrument.items:
        options = instrument.option_set(item)
        items.append(
            ShownItem(
                id=item.id,
                text=text.items.get(item.id) if text else None,
                optional=item.optional,
                only_if=item.only_if,
                values=[option.value for option in options.values],
                labels=text.options.get(options.name, {}) if text else {},
                range=list(options.range) if options.range else None,
                decimals=options.decimals,
                unit=options.unit,
                longest=options.longest,
            )
        )
    return ShownInstrument(
        code=instrument.code,
        version=instrument.version,
        title=text.title if text else instrument.title,
        languages=sorted(texts),
        language=text.language if text else None,
        introduction=text.introduction if text else None,
        recall=instrument.recall,
        owner=instrument.owner,
        licence=text.licence if text else instrument.licence,
        items=items,
    )


def etag(answer: ShownInstrument) -> str:
    """The tag of an instrument as it is shown: another as soon as anything in it is."""
    return etag_of(msgspec.json.encode(answer))


def tags(clinic_id: int, language: str) -> list[Tag]:
    """Every instrument that this clinic can ask on a phone, in this language if it has words in it. One statement."""
    found = []
    own = packs.own_texts(clinic_id)
    for instrument in library.newest():
        texts = own.get((instrument.code, instrument.version), {}) | instrument.texts
        answer = shown(instrument, texts, language)
        if answer.language is not None and instrument.respondent == "patient":
            found.append(Tag(answer.code, answer.version, answer.language, etag(answer)))
    return found


@cache
def shipped() -> str:
    """A tag of everything that ships, in every language."""
    every = [shown(each, each.texts, language) for each in library.newest() for language in each.texts or ("",)]
    return etag_of(msgspec.json.encode(every)).strip('"')[:12]
