"""Keeping what was refused."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import blake2b
from uuid import UUID

import msgspec
from django.db import connection
from uuid_utils.compat import uuid7

from backend.people.writes import Door
from backend.rest.verdicts import FieldError


class Refused(msgspec.Struct, frozen=True):
    """An item that is not stored, as it was sent. `status` is `rejected` or `conflict`."""

    status: str
    kind: str
    client_id: UUID | None
    content: bytes
    errors: list[FieldError]


def keep(refused: Sequence[Refused], patient_id: int, clinic_id: int, door: Door) -> dict[bytes, UUID]:
    """Store one patient's refused items in one statement; the same words refused again are there already.

    Answers with the quarantine's ids of what is new, by content.
    """
    if not refused:
        return {}
    contents = {each.content: fingerprint(each.content) for each in refused}
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO sync_quarantine (patient_id, clinic_id, received_at, device, origin, id, client_id, kind,
                status, errors, content, digest, closed_as)
            SELECT %s, %s, %s, %s, %s, id, client_id, kind, status, errors::jsonb, content, digest, ''
            FROM unnest(%s::uuid[], %s::uuid[], %s::text[], %s::text[], %s::text[], %s::bytea[], %s::bytea[])
                AS new (id, client_id, kind, status, errors, content, digest)
            ON CONFLICT DO NOTHING
            RETURNING digest, id
            """,
            [
                patient_id,
                clinic_id,
                door.received_at,
                door.device_id,
                door.origin,
                [uuid7() for _ in refused],
                [each.client_id for each in refused],
                [each.kind for each in refused],
                [each.status for each in refused],
                [msgspec.json.encode(each.errors).decode() for each in refused],
                [each.content for each in refused],
                [contents[each.content] for each in refused],
            ],
        )
        new = {bytes(digest): number for digest, number in cursor.fetchall()}
    return {content: new[digest] for content, digest in contents.items() if digest in new}


def fingerprint(content: bytes) -> bytes:
    """By which the same words refused again are known."""
    return blake2b(content, digest_size=16).digest()
