"""Does the catalogue hold together: codes that exist, links that lead somewhere, steps that don't go round?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from graphlib import CycleError, TopologicalSorter

from exercises.dose import NUMBERS, changeable
from exercises.entry import Change, Codes, Exercise, Strict

LICENCES = ("CC0-1.0", "CC-BY-4.0", "CC-BY-SA-4.0")  # of text and media that may be shown with attribution


class Problem(Strict, frozen=True, kw_only=True):
    """What is wrong in the catalogue, and where: `field` is the part of the entry, where it is one."""

    file: str
    entry: str
    code: str
    detail: str
    field: str | None = None

    def __str__(self) -> str:
        return f"{self.file}: {self.entry}: {self.detail} [{self.code}]"


class CatalogueError(ValueError):
    """The catalogue does not hold together; `problems` says where."""

    def __init__(self, problems: list[Problem]) -> None:
        super().__init__("\n".join(map(str, problems)))
        self.problems = problems


def wrong_in(exercise: Exercise, exercises: Mapping[str, Exercise], codes: Codes, file: str) -> list[Problem]:
    """What is wrong in one entry that stands among `exercises`."""
    wrong = [*_unknown_codes(exercise, codes), *_licences(exercise)]
    wrong += (
        ("precautions", "contradiction", f"{code!r} is both a contraindication and a precaution")
        for code in set(exercise.contraindications) & set(exercise.precautions)
    )
    if exercise.rpe[0] > exercise.rpe[1]:
        wrong.append(("rpe", "invalid", "rpe: the lower end comes first"))
    for harder, change in ((False, exercise.regression), (True, exercise.progression)):
        name = "progression" if harder else "regression"
        if (change.to is None) == (change.variable is None):
            wrong.append((name, "no-step", f"{name} needs either another entry or one variable"))
        elif change.to is not None:
            wrong += _link(exercise, exercises.get(change.to), name, change.to, harder)
        else:
            wrong += _variable(exercise, change, name, codes)
    return [
        Problem(file=file, entry=exercise.slug, code=code, detail=detail, field=field) for field, code, detail in wrong
    ]


def loops(exercises: Mapping[str, Exercise], files: Mapping[str, str]) -> list[Problem]:
    """Easier to harder must never lead back to where it began, whichever of the two links one follows."""
    easier: dict[str, set[str]] = {slug: set() for slug in exercises}
    for slug, exercise in exercises.items():
        if (harder := exercise.progression.to) and harder in exercises:
            easier[harder].add(slug)
        if (other := exercise.regression.to) and other in exercises:
            easier[slug].add(other)
    try:
        TopologicalSorter(easier).prepare()
    except CycleError as error:
        loop: list[str] = error.args[1]
        detail = f"steps go round: {' → '.join(loop)}"
        return [Problem(file=files[loop[0]], entry=loop[0], code="loop", detail=detail)]
    return []


Wrong = tuple[str, str, str]  # field, code and detail


def _unknown_codes(exercise: Exercise, codes: Codes) -> Iterator[Wrong]:
    known: list[tuple[str, str, tuple[str, ...], Mapping[str, str]]] = [
        ("modality", "modality", (exercise.modality,), codes.modalities),
        ("position", "position", (exercise.position,), codes.positions),
        ("equipment", "equipment", exercise.equipment, codes.equipment),
        ("targets", "target", exercise.targets, codes.targets),
        ("evidence.grade", "grade", (exercise.evidence.grade,), codes.grades),
        ("contraindications", "contraindication", exercise.contraindications, codes.conditions),
        ("precautions", "precaution", exercise.precautions, codes.conditions),
    ]
    for field, name, values, allowed in known:
        for value in values:
            if value not in allowed:
                yield field, "unknown-code", f"{name} {value!r} is not in codes.toml"


def _licences(exercise: Exercise) -> Iterator[Wrong]:
    if not exercise.author:
        yield "author", "no-author", "author is missing"
    for licence in {exercise.licence, *(each.licence for each in exercise.media)}:
        if not licence:
            yield "licence", "no-licence", "licence is missing"
        elif licence not in LICENCES:
            yield "licence", "unknown-licence", f"{licence!r} is not one of {', '.join(LICENCES)}"


def _link(exercise: Exercise, other: Exercise | None, field: str, slug: str, harder: bool) -> Iterator[Wrong]:
    if other is None:
        yield field, "dangling-link", f"{slug!r} is no entry"
    elif (other.level < exercise.level) if harder else (other.level > exercise.level):
        yield (
            field,
            "wrong-way",
            f"{'harder' if harder else 'easier'} leads from level {exercise.level} to {other.level}",
        )


def _variable(exercise: Exercise, change: Change, name: str, codes: Codes) -> Iterator[Wrong]:
    if change.variable not in codes.variables:
        yield name, "unknown-code", f"{name} changes {change.variable!r}, which is not in codes.toml"
    elif change.variable in NUMBERS - changeable(exercise.dose):
        yield name, "not-in-dose", f"{name} changes {change.variable!r}, which the dose has not"
    elif (change.variable in NUMBERS) != (change.by is not None and change.limit is not None):
        yield name, "no-amount", f"{name}: a number of the dose needs `by` and `limit`, anything else has neither"
