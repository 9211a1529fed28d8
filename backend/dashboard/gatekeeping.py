"""The safety gate in words, and the catalogue as it looks for one patient."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import msgspec
from django.http import QueryDict
from django.utils.translation import gettext

from backend.dashboard.doses import dose_words
from backend.dashboard.wording import alert_title
from backend.people.models import Patient
from exercises.entry import LANGUAGE, Exercise
from exercises.finding import catalogue, like
from exercises.gate import Block
from exercises.library import library
from exercises.models import Prescription
from exercises.prescribing import conditions_of

FOUND = 12


@dataclass(frozen=True)
class Obstacle:
    """A block and the written reason against it, if there is one yet."""

    key: str
    words: str
    reason: str


def obstacles(
    blocks: Iterable[Block], exercises: Mapping[str, Exercise], language: str, data: QueryDict
) -> list[Obstacle]:
    return [
        Obstacle(block.key, _words(block, exercises, language), data.get(f"override-{block.key}", "").strip())
        for block in blocks
    ]


def overridden(row: Prescription, exercises: Mapping[str, Exercise], language: str) -> list[Obstacle]:
    """What stood in the way of this version, and why it was prescribed all the same."""
    return [
        Obstacle(each["key"], _words(Block.of(each["key"]), exercises, language), each["reason"])
        for each in row.overrides
    ]


def precautions(blocks: Iterable[Block], exercises: Mapping[str, Exercise], language: str) -> list[str]:
    return [_words(block, exercises, language) for block in blocks]


def _words(block: Block, exercises: Mapping[str, Exercise], language: str) -> str:
    name = exercises[block.exercise].words_in(language).name if block.exercise in exercises else block.exercise
    match block.code:
        case "contraindication":
            words = {"name": name, "condition": condition(block.about, language)}
            return gettext("%(name)s is not for: %(condition)s") % words
        case "precaution":
            words = {"name": name, "condition": condition(block.about, language)}
            return gettext("%(name)s, with care: %(condition)s") % words
        case "clearance":
            return gettext("%(name)s asks for a recorded clearance, and none is in force") % {"name": name}
    return gettext("Open alert: %(alert)s (%(rule)s)") % {"alert": alert_title(block.about), "rule": block.about}


def condition(code: str, language: str) -> str:
    codes = library().codes
    return codes.get(language, codes[LANGUAGE]).conditions.get(code, code)


@dataclass(frozen=True)
class Found:
    """An exercise of the catalogue. `against` are the patient's own conditions that it is not for."""

    slug: str
    name: str
    purpose: str
    modality: str
    position: str
    level: int
    dose: str
    against: list[str]


def search(patient: Patient, words: str, modality: str, language: str) -> list[Found]:
    """The exercises most like these words, of a modality where one is named; nothing for no question."""
    codes = library().codes.get(language, library().codes[LANGUAGE])
    if not words and modality not in codes.modalities:
        return []
    rows = catalogue([patient.clinic_id])
    if modality in codes.modalities:
        rows = rows.filter(modality=modality)
    rows = like(rows, words)[:FOUND] if words else rows.order_by("level", "slug")[: 2 * FOUND]
    conditions = conditions_of(patient)
    found = []
    for row in rows:
        entry = msgspec.convert(row.content, Exercise)
        spoken = entry.words_in(language)
        against = [condition(code, language) for code in entry.contraindications if code in conditions]
        found.append(
            Found(
                entry.slug,
                spoken.name,
                spoken.purpose,
                codes.modalities[entry.modality],
                codes.positions[entry.position],
                entry.level,
                dose_words(entry.dose),
                against,
            )
        )
    return found
