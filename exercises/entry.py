"""What one catalogue entry holds, and the code lists it draws from."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta

from exercises.dose import Dose, Rpe

LANGUAGE = "en"  # every entry has its words in this one

Text = Annotated[str, Meta(min_length=1)]
Slug = Annotated[str, Meta(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$", max_length=64)]


class Strict(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    pass


class Words(Strict, frozen=True, kw_only=True):
    """What a patient reads. `easier` and `harder` say in words what `regression` and `progression` change."""

    name: Text
    purpose: Text
    start: Text
    steps: Annotated[tuple[Text, ...], Meta(min_length=2)]
    breathing: Text
    feel: Text
    stop: Text
    easier: Text
    harder: Text


class Change(Strict, frozen=True, kw_only=True):
    """The next easier or harder form: another entry (`to`), or one variable changed.

    For a number of the dose, `by` is the size of one change and `limit` where it ends.
    """

    to: str | None = None
    variable: str | None = None
    by: Annotated[float, Meta(gt=0)] | None = None
    limit: Annotated[float, Meta(gt=0)] | None = None


class Media(Strict, frozen=True, kw_only=True):
    """A picture or a clip, with who made it, under what licence, and words for who can't see it.

    `file` is its address under exercise-media/; the ending says what it is.
    """

    file: Annotated[str, Meta(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*\.(webp|png|jpg|mp4|webm)$", max_length=100)]
    licence: str
    author: Text
    alternative_text: Text


class Evidence(Strict, frozen=True, kw_only=True):
    """How sure the trials are that this modality helps chronic low back pain."""

    grade: str
    summary: Text
    sources: Annotated[tuple[Text, ...], Meta(min_length=1)]


class Exercise(Strict, frozen=True, kw_only=True):
    """One entry. Contraindications block prescribing until overridden in writing; precautions are shown."""

    slug: Slug
    modality: str
    level: Annotated[int, Meta(ge=1, le=3)]
    position: str
    equipment: tuple[str, ...]
    targets: Annotated[tuple[str, ...], Meta(min_length=1)]
    dose: Dose
    rpe: tuple[Rpe, Rpe]  # 0–10, the range to aim at
    met: Annotated[float, Meta(gt=1)] | None = None  # metabolic equivalents, for aerobic work
    clearance: bool = False  # asks for a recorded medical clearance before it is prescribed
    regression: Change
    progression: Change
    contraindications: tuple[str, ...]
    precautions: tuple[str, ...]
    evidence: Evidence
    licence: str
    author: str
    media: tuple[Media, ...] = ()
    words: dict[str, Words]  # by language

    def words_in(self, language: str) -> Words:
        return self.words.get(language) or self.words[LANGUAGE]


class Codes(Strict, frozen=True, kw_only=True):
    """The code lists with their words in one language."""

    modalities: dict[Slug, Text]
    positions: dict[Slug, Text]
    equipment: dict[Slug, Text]
    variables: dict[str, Text]
    targets: dict[Slug, Text]
    grades: dict[Slug, Text]
    conditions: dict[Slug, Text]
    implies: dict[Slug, str] = {}
