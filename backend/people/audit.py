"""Who read or wrote what of a patient's: one row, written in one statement, that the database lets nobody change."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import timedelta

from django.db import connection

from backend.rest.problems import request_id


def record(action: str, patient_ids: Iterable[int], user_id: int | None, *, count: int = 1) -> None:
    """Note that `user_id` (None: the server itself) did `action`, such as `read trends`, to each of these patients.

    `count` is how many rows of each it reached. Part of the caller's transaction where there is one.
    """
    record_each(action, dict.fromkeys(patient_ids, count), user_id)


def record_each(action: str, counts: Mapping[int, int], user_id: int | None) -> None:
    """As `record`, with the number of rows for each patient."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO people_audit (patient_id, clinic_id, id, user_id, action, count, request_id)
            SELECT id, clinic_id, uuidv7(), %s, %s, reached.count, %s
            FROM people_patient JOIN unnest(%s::bigint[], %s::int[]) AS reached (id, count) USING (id) ORDER BY id
            """,
            [user_id, action, request_id(), list(counts), list(counts.values())],
        )


def record_unless_lately(action: str, patient_ids: Iterable[int], user_id: int, lately: timedelta) -> None:
    """As `record`, for what repeats itself: nothing for a patient to whom `user_id` did the same `lately`."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO people_audit (patient_id, clinic_id, id, user_id, action, count, request_id)
            SELECT id, clinic_id, uuidv7(), %(user)s::bigint, %(action)s::varchar, 1, %(request)s
            FROM people_patient AS patient WHERE id = ANY (%(patients)s) AND NOT EXISTS (
                SELECT FROM people_audit AS earlier
                WHERE patient_id = patient.id AND earlier.id > uuidv7(-%(lately)s::interval)
                    AND user_id = %(user)s::bigint AND action = %(action)s::varchar)
            ORDER BY id
            """,
            {
                "user": user_id,
                "action": action,
                "request": request_id(),
                "patients": list(patient_ids),
                "lately": f"{lately.total_seconds()} seconds",
            },
        )
