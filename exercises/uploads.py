"""What clinics hang on exercises: the rows, and the files that Django's storage keeps."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime
from hashlib import blake2b

from django.core.files.base import ContentFile, File
from django.core.files.storage import default_storage
from django.db import transaction
from django.db.models import QuerySet
from uuid_utils.compat import uuid7

from backend.people.models import User
from exercises.consistency import LICENCES
from exercises.entry import Media
from exercises.media import Prepared, prepare
from exercises.models import ExerciseMedia

OWN_USE = "LicenseRef-own-use"  # the clinic's own, for its patients alone
CLINIC_LICENCES = (*LICENCES, OWN_USE)
MOST = 10  # on one exercise
LONGEST = {"licence": 40, "author": 200, "alternative_text": 500}


class TooManyError(ValueError):
    """The exercise has as many pictures and clips as it may have."""


def hanging(clinic_id: int, slug: str) -> QuerySet[ExerciseMedia]:
    """What this clinic hangs on this exercise, oldest first."""
    return ExerciseMedia.objects.filter(clinic=clinic_id, slug=slug, removed_at=None).order_by("id")


def take_in(
    clinic_id: int,
    slug: str,
    file: File[bytes],
    *,
    licence: str,
    author: str,
    alternative_text: str,
    by: User,
    now: datetime,
) -> ExerciseMedia:
    """Hang an uploaded file on this exercise. Raises TooManyError, and UnfitError for a file that is not taken."""
    if hanging(clinic_id, slug).count() >= MOST:
        raise TooManyError(f"An exercise has at most {MOST}: take one down first.")
    prepared = prepare(file, file.size)
    said = {"licence": licence, "author": author, "alternative_text": alternative_text}
    return hang(clinic_id, slug, prepared, **said, by=by, now=now)


def hang(
    clinic_id: int,
    slug: str,
    prepared: Prepared,
    *,
    licence: str,
    author: str,
    alternative_text: str,
    by: User | None,
    now: datetime,
) -> ExerciseMedia:
    """Keep a picture or a clip on this exercise in this clinic. The file comes first: a row never lacks its file."""
    row = ExerciseMedia(
        id=uuid7(),
        clinic_id=clinic_id,
        slug=slug,
        extension=prepared.extension,
        digest=blake2b(prepared.content, digest_size=16).hexdigest(),
        size=len(prepared.content),
        width=prepared.width,
        height=prepared.height,
        licence=licence,
        author=author,
        alternative_text=alternative_text,
        uploaded_by=by,
        uploaded_at=now,
    )
    default_storage.save(row.path, ContentFile(prepared.content))
    try:
        row.save(force_insert=True)
    except BaseException:
        default_storage.delete(row.path)
        raise
    return row


def take_down(row: ExerciseMedia, *, by: User, now: datetime) -> None:
    """Serve it no more, and let the file go. That it was there, and who put it up, stays on record."""
    with transaction.atomic():
        row.removed_by, row.removed_at = by, now
        row.save(update_fields=["removed_by", "removed_at"])
        transaction.on_commit(lambda: default_storage.delete(row.path))


def hung(clinics: Collection[int], slugs: Iterable[str]) -> dict[str, tuple[Media, ...]]:
    """What these clinics hang on these exercises, oldest first, by slug."""
    found: dict[str, tuple[Media, ...]] = {}
    rows = ExerciseMedia.objects.filter(clinic__in=clinics, slug__in=set(slugs), removed_at=None)
    for row in rows.order_by("id"):
        found[row.slug] = (*found.get(row.slug, ()), as_media(row))
    return found


def as_media(row: ExerciseMedia) -> Media:
    return Media(file=row.file, licence=row.licence, author=row.author, alternative_text=row.alternative_text)
