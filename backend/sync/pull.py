"""What changed for a patient since their phone last asked.

The cursor is opaque to phones: epoch, revision, place within the revision, versions of the safety card and of what the
clinic can ask. The epoch names this database's history, so that a phone which has seen revisions that a restore or a
failover undid starts afresh.
"""

from __future__ import annotations

import base64
from functools import cache
from typing import Annotated, Any

import msgspec
from django.db import connection
from django.db.models import Q, QuerySet

import backend.reminders.agenda
import exercises.changes
import outcomes.changes
from outcomes.shown import shipped

PAGE = 500


class Cursor(msgspec.Struct, array_like=True, frozen=True):
    """How far a phone has read: everything up to (`rev`, `place`), where an empty place is the revision's end."""

    epoch: str
    rev: int
    place: str = ""
    card: str = ""
    texts: str = ""

    def encode(self) -> str:
        return base64.urlsafe_b64encode(msgspec.json.encode(self)).rstrip(b"=").decode()


def decode_cursor(text: str | None) -> Cursor | None:
    """The cursor in `text`, or None where there is none or it is not one of ours: then everything is sent."""
    if not text:
        return None
    try:
        cursor = msgspec.json.decode(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)), type=Cursor)
    except (ValueError, msgspec.DecodeError):
        return None
    return None if "\0" in cursor.place else cursor


Change = Annotated[msgspec.Raw, msgspec.Meta(extra_json_schema={"type": "object"})]
"""What became of one thing: its type, its id, `upsert`, and its data, as the database wrote it."""


class Pulled(msgspec.Struct):
    """The pull half of a sync's answer. `full` says that the phone should forget what it had before this."""

    changes: msgspec.Raw  # a list of Change
    count: int
    cursor: str
    full: bool
    more: bool
    new_card: bool  # whether the phone has an older safety card than the clinic
    new_texts: bool  # whether the clinic can ask other instruments than the phone knows, or in other words


def pull(cursor: Cursor | None, patient_id: int, clinic_id: int, language: str) -> Pulled:
    """Everything of this patient's that changed after `cursor`, oldest first, a page at a time.

    Two statements, one when nothing is new.
    """
    epoch, rev, newest_text, packs = _state(patient_id, clinic_id)
    card, texts = f"{newest_text}-{language}", f"{packs}-{language}-{shipped()}"
    full = cursor is None or cursor.epoch != epoch or cursor.rev > rev
    if cursor is None or full:
        cursor = Cursor(epoch, 0)
    new = {"new_card": card != cursor.card, "new_texts": texts != cursor.texts}
    if cursor.rev == rev and not cursor.place:
        return Pulled(NOTHING, 0, Cursor(epoch, rev, "", card, texts).encode(), full, more=False, **new)
    changes, count, place = _changes(patient_id, cursor, rev)
    following = Cursor(epoch, *(place or (rev, "")), card, texts).encode()
    return Pulled(changes, count, following, full, more=place is not None, **new)


NOTHING = msgspec.Raw(b"[]")


def _state(patient_id: int, clinic_id: int) -> tuple[str, int, int, str]:
    """This database's epoch, the patient's revision, the clinic's newest safety text, and a mark of its own texts.

    The mark counts packs loaded and packs removed, so each that comes or goes makes another.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT
                (SELECT to_hex(system_identifier) FROM pg_control_system()) || '-'
                    || (SELECT timeline_id FROM pg_control_checkpoint()),
                coalesce((SELECT rev FROM people_patient_rev WHERE patient_id = %s), 0),
                coalesce((SELECT max(id) FROM people_clinictext WHERE clinic_id = %s AND kind <> 'consent'), 0),
                (SELECT count(*) || '-' || count(removed_at) FROM outcomes_text_pack WHERE clinic_id = %s)
            """,
            [patient_id, clinic_id, clinic_id],
        )
        epoch, rev, newest_text, packs = cursor.fetchone()
        return epoch, rev, newest_text, packs


# Each room says what of it a phone may pull, as rows of (rev, place, change).
ROOMS = (
    outcomes.changes.changes,
    exercises.changes.prescriptions,
    exercises.changes.pauses,
    exercises.changes.proposals,
    exercises.changes.sessions,
    backend.reminders.agenda.changes,
    backend.reminders.agenda.settings_changes,
    backend.reminders.agenda.absence_changes,
    backend.reminders.agenda.week_changes,
    backend.reminders.agenda.seen_changes,
)


def _changes(patient_id: int, cursor: Cursor, rev: int) -> tuple[msgspec.Raw, int, tuple[int, str] | None]:
    """A page of changes after the cursor and up to `rev`, in order, and how many; where it ends, if there are more.

    In one piece: a value of Python for each of hundreds would take many times as long, and leave holes in the memory.
    """
    sql, stand_ins = _statement(within=bool(cursor.place))
    known: dict[int | str, int | str] = {_PATIENT: patient_id, _SINCE: cursor.rev, _UNTIL: rev, _PLACE: cursor.place}
    values = [known.get(value, value) if isinstance(value, int | str) else value for value in stand_ins]
    with connection.cursor() as rows:
        rows.execute(IN_ONE_PIECE.format(rows=sql), [PAGE, *values])
        found, changes, last_rev, last_place = rows.fetchone()
    place = (last_rev, last_place) if found > PAGE else None
    return msgspec.Raw(f"[{changes or ''}]".encode()), min(found, PAGE), place


IN_ONE_PIECE = """
    WITH page AS (SELECT %s::int AS size),
    numbered AS (
        SELECT rev, place, change, row_number() OVER (ORDER BY rev, place) AS n FROM ({rows}) AS found
    )
    SELECT count(*), string_agg(change::text, ',' ORDER BY n) FILTER (WHERE n <= size),
        max(rev) FILTER (WHERE n = size), max(place) FILTER (WHERE n = size)
    FROM numbered, page
"""

_PATIENT, _SINCE, _UNTIL, _PLACE = -1, -2, -3, "\0"  # no row has any of them


@cache
def _statement(*, within: bool) -> tuple[str, tuple[Any, ...]]:
    """The rooms' rows as one statement, after a revision or after a place `within` it, and what stands for its values.

    Written once a process: to compile ten queries takes many times as long as to run them.
    """
    later = Q(rev__gt=_SINCE)
    if within:
        later |= Q(rev=_SINCE, place__gt=_PLACE)
    first, *others = [changes(_PATIENT).filter(later, rev__lte=_UNTIL) for changes in ROOMS]
    together: QuerySet[Any, Any] = first.union(*others, all=True)
    return together.order_by("rev", "place")[: PAGE + 1].query.sql_with_params()
