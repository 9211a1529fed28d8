"""What every write to a patient carries: by which door it came, and the revision that its rows are stamped with."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from uuid import UUID

import msgspec
from django.db import connection
from django.http import Http404

from backend.people.models import Patient
from backend.rest.problems import request_id


class Door(msgspec.Struct, frozen=True):
    """How something came in. `origin` is one of `people.models.Origin`; `received_at` is the server's clock."""

    origin: str
    received_at: datetime
    user_id: int | None = None
    device_id: UUID | None = None
    clock_skew: int | None = None  # seconds, the device's clock less the server's


class ErasedError(Http404):
    """The patient was erased since the caller last looked: there is nobody to write to."""


def next_revisions(patient_ids: Iterable[int]) -> dict[int, int]:
    """Take the next revision of each patient, in the open transaction, and hold their rows until it ends.

    Writes to one patient therefore happen one after the other, and commit order is revision order: a pull that has
    seen revision 7 can't miss a row of revision 6. Locks are taken in ascending order, so two writers can't deadlock.
    Take it late, when everything that can be checked without the database has been. Raises ErasedError where a patient
    has meanwhile been erased.
    """
    ids = sorted(set(patient_ids))
    return _all(ids, _take(ids, step=1))


def next_revisions_noted(action: str, counts: Mapping[int, int], user_id: int | None) -> dict[int, int]:
    """`next_revisions` of these patients, and `audit.record_each`, in the one statement that a push begins with."""
    ids = sorted(counts)
    with connection.cursor() as cursor:
        cursor.execute(
            _TAKE_AND_NOTE,
            {
                "ids": ids,
                "step": 1,
                "counts": [counts[patient] for patient in ids],
                "user": user_id,
                "action": action,
                "request": request_id(),
            },
        )
        return _all(ids, dict(cursor.fetchall()))


def _all(ids: list[int], revisions: dict[int, int]) -> dict[int, int]:
    if len(revisions) < len(ids):
        raise ErasedError("There is no such patient.")
    return revisions


def next_revision_here(patient: Patient) -> None:
    """The same for one patient, to write what belongs to who they are at this clinic.

    Raises Http404 where they have moved to another clinic since they were read.
    """
    next_revisions([patient.pk])
    if not Patient.objects.filter(pk=patient.pk, clinic=patient.clinic_id).exists():
        raise Http404


def hold(patient_ids: Iterable[int]) -> set[int]:
    """Those of them who are not erased, held until the open transaction ends. Nothing that a phone pulls has changed.

    For what time itself writes, over many patients: one who was erased since they were read must not stop the others.
    """
    return set(_take(sorted(set(patient_ids)), step=0))


def _take(ids: list[int], step: int) -> dict[int, int]:
    with connection.cursor() as cursor:
        cursor.execute(_TAKE, {"ids": ids, "step": step})
        return dict(cursor.fetchall())


# LIMIT cuts nothing off. To the planner a limit that it doesn't know yet means few rows, so that one plan serves all
# calls; else it made a plan each time, which took longer than to run it.
_TAKE = """
    INSERT INTO people_patient_rev AS mine (patient_id, rev)
    SELECT patient_id, %(step)s::bigint FROM unnest(%(ids)s::bigint[]) AS patient_id
    LIMIT cardinality(%(ids)s::bigint[])
    ON CONFLICT (patient_id) DO UPDATE SET rev = mine.rev + %(step)s::bigint WHERE NOT mine.erased
    RETURNING patient_id, rev
"""
_TAKE_AND_NOTE = f"""
    WITH taken AS ({_TAKE}), noted AS (
        INSERT INTO people_audit (patient_id, clinic_id, id, user_id, action, count, request_id)
        SELECT id, clinic_id, uuidv7(), %(user)s::bigint, %(action)s,
            (%(counts)s::int[])[array_position(%(ids)s::bigint[], id)], %(request)s
        FROM taken JOIN people_patient ON id = patient_id
    )
    SELECT patient_id, rev FROM taken
"""  # noqa: S608  it stands above
