"""The catalogue's files brought into the database, where clinics keep their own exercises beside them."""

from __future__ import annotations

from hashlib import blake2b

import msgspec
from django.db import transaction
from django.db.models.functions import Now

from exercises import entry
from exercises.library import library
from exercises.models import Exercise


def load_exercises() -> dict[str, int]:
    """Make the shared rows say what the files say; clinics' own rows are left alone. Runs after each `migrate`.

    Gives how many were added, changed and retired. What the files no longer have is retired and not deleted, so that
    old prescriptions can still be read.
    """
    wanted = {each.slug: row_of(each) for each in library().exercises.values()}
    with transaction.atomic():
        shared = Exercise.objects.select_for_update().filter(clinic=None)
        standing = {row.slug: row for row in shared}
        added = [row for slug, row in wanted.items() if slug not in standing]
        changed = []
        for slug, row in wanted.items():
            old = standing.get(slug)
            if old and (old.digest, old.search, old.retired) != (row.digest, row.search, False):
                row.pk = old.pk
                changed.append(row)
        gone = shared.filter(retired=False).exclude(slug__in=wanted)
        retired = gone.update(retired=True, updated_at=Now())
        Exercise.objects.bulk_create(added)
        Exercise.objects.bulk_update(changed, [*_COLUMNS, "retired", "updated_at"])
    return {"added": len(added), "changed": len(changed), "retired": retired}


_COLUMNS = ("modality", "level", "position", "equipment", "targets", "content", "digest", "search")


def row_of(exercise: entry.Exercise, clinic_id: int | None = None) -> Exercise:
    """The unsaved row of one entry."""
    return Exercise(
        clinic_id=clinic_id,
        slug=exercise.slug,
        modality=exercise.modality,
        level=exercise.level,
        position=exercise.position,
        equipment=list(exercise.equipment),
        targets=list(exercise.targets),
        content=msgspec.to_builtins(exercise),
        digest=digest_of(exercise),
        search="\n".join(_findable(exercise, language) for language in exercise.words),
        updated_at=Now(),
    )


def _findable(exercise: entry.Exercise, language: str) -> str:
    codes, words = library().codes, exercise.words[language]
    modality = codes.get(language, codes[entry.LANGUAGE]).modalities.get(exercise.modality, "")
    return f"{words.name} ({modality}) {words.purpose}"


def digest_of(exercise: entry.Exercise) -> str:
    return blake2b(msgspec.json.encode(exercise, order="deterministic"), digest_size=16).hexdigest()
