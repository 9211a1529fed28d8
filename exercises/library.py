"""The exercise catalogue as it stands in `exercises/catalogue`: read, checked, and frozen.

One TOML file a modality holds the entries with their English texts; `yoga.de.toml` beside `yoga.toml` would hold the
same texts in German, `codes.de.toml` the words of the code lists. Pictures and clips that entries name lie in `media/`.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import msgspec

from exercises.consistency import CatalogueError, Problem, loops, wrong_in
from exercises.entry import LANGUAGE, Codes, Exercise, Strict, Words
from exercises.media import sniff

FOLDER = Path(__file__).parent / "catalogue"


class Library(Strict, frozen=True, kw_only=True):
    exercises: dict[str, Exercise]
    codes: dict[str, Codes]  # by language

    def with_implied(self, conditions: frozenset[str]) -> frozenset[str]:
        """These conditions and all that come with them: late pregnancy is pregnancy too."""
        implies, found = self.codes[LANGUAGE].implies, set(conditions)
        waiting = list(conditions)
        while waiting:
            if (more := implies.get(waiting.pop())) and more not in found:
                found.add(more)
                waiting.append(more)
        return frozenset(found)


@cache
def shared_media() -> dict[str, Path]:
    """The pictures and clips that the shared catalogue names, by file name."""
    return {each.file: FOLDER / "media" / each.file for entry in library().exercises.values() for each in entry.media}


@cache
def library() -> Library:
    """The catalogue shipped with the product. Raises CatalogueError."""
    return read(FOLDER)


def read(folder: Path) -> Library:
    """The catalogue in `folder`, whole and checked. Raises CatalogueError with everything that is wrong."""
    found: list[Problem] = []
    codes = _codes(folder, found)
    if LANGUAGE not in codes:
        raise CatalogueError(found)
    origin: dict[str, str] = {}
    exercises: dict[str, Exercise] = {}
    for path in sorted(folder.glob("*.toml")):
        modality, _, language = path.stem.partition(".")
        if modality == "codes" or language:
            continue
        for exercise in _entries(path, modality, found):
            if exercise.slug in exercises:
                found.append(_problem(path, exercise.slug, "duplicate", f"also in {origin[exercise.slug]}"))
                continue
            exercises[exercise.slug], origin[exercise.slug] = exercise, path.name
    if not found:  # an entry that can't be read would make the links to it look broken
        for exercise in exercises.values():
            found += wrong_in(exercise, exercises, codes[LANGUAGE], origin[exercise.slug])
            found += _media(folder / "media", exercise, origin[exercise.slug])
        found += loops(exercises, origin)
    if found:
        raise CatalogueError(found)
    return Library(exercises=exercises, codes=codes)


def _media(folder: Path, exercise: Exercise, file: str) -> Iterator[Problem]:
    for each in exercise.media:
        path = folder / each.file
        if not path.is_file():
            yield _problem(file, exercise.slug, "no-file", f"there is no media/{each.file}")
            continue
        with path.open("rb") as opened:
            kind = sniff(opened.read(16))
        if kind != path.suffix[1:]:
            yield _problem(file, exercise.slug, "other-type", f"media/{each.file} is not what its name says")


def _problem(path: Path | str, entry: str, code: str, detail: str) -> Problem:
    return Problem(file=path if isinstance(path, str) else path.name, entry=entry, code=code, detail=detail)


def load(path: Path, found: list[Problem]) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        found.append(_problem(path, "-", "unreadable", str(error)))
        return {}


def _codes(folder: Path, found: list[Problem]) -> dict[str, Codes]:
    codes = {}
    for path in [folder / "codes.toml", *sorted(folder.glob("codes.*.toml"))]:
        language = path.stem.partition(".")[2] or LANGUAGE
        try:
            codes[language] = msgspec.convert(load(path, found), Codes)
        except msgspec.ValidationError as error:
            found.append(_problem(path, "-", "invalid", str(error)))
    english = codes.get(LANGUAGE)
    for language, those in codes.items():
        for name in ("modalities", "positions", "equipment", "variables", "targets", "grades", "conditions"):
            wanted, given = set(getattr(english, name, ())), set(getattr(those, name))
            found += [
                _problem(f"codes.{language}.toml", f"{name}.{key}", "untranslated", "missing or unknown key")
                for key in sorted(wanted ^ given)
            ]
    for pair in english.implies.items() if english else ():
        found += [
            _problem("codes.toml", "implies", "unknown-code", f"no condition {code!r}")
            for code in pair
            if english and code not in english.conditions
        ]
    return codes


def _entries(path: Path, modality: str, found: list[Problem]) -> Iterator[Exercise]:
    """The entries of one modality's file: what the file says once holds for each of them."""
    shared = load(path, found)
    raw = shared.pop("exercise", [])
    translations = _translations(path, [entry.get("slug", "?") for entry in raw], found)
    everywhere = {name: shared.pop(name, []) for name in ("contraindications", "precautions")}
    for number, entry in enumerate(raw, 1):
        name = entry.get("slug", f"number {number}")
        merged = {"licence": "", "author": "", **shared, **entry, "modality": modality}
        for key, codes in everywhere.items():
            merged[key] = [*codes, *(code for code in entry.get(key, []) if code not in codes)]
        words = {field: merged.pop(field) for field in Words.__struct_fields__ if field in merged}
        merged["words"] = {LANGUAGE: words, **translations.get(name, {})}
        try:
            yield msgspec.convert(merged, Exercise)
        except msgspec.ValidationError as error:
            found.append(_problem(path, name, "invalid", str(error)))


def _translations(path: Path, slugs: list[str], found: list[Problem]) -> dict[str, dict[str, Any]]:
    """The texts in other languages, by entry and language. A translation leaves no entry out and invents none."""
    texts: dict[str, dict[str, Any]] = {slug: {} for slug in slugs}
    for other in sorted(path.parent.glob(f"{path.stem}.*.toml")):
        language = other.stem.partition(".")[2]
        given = load(other, found)
        found += [
            _problem(other, slug, "untranslated", "missing or unknown entry")
            for slug in sorted(set(slugs) ^ set(given))
        ]
        for slug in set(slugs) & set(given):
            texts[slug][language] = given[slug]
    return texts
