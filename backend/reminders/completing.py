"""What the patient did about a slot: answered it, put it off, or said not today."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from django.db import connection

from backend.people.writes import Door
from backend.reminders.models import Schedule
from backend.reminders.slots import SlotKey
from outcomes.store import columns


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer or a session that was stored: what it answers, when it was authored, and the slot if it named one.

    `code` is the instrument's, or the id of the session's programme. `source` is the response's or session's id, `day`
    the local day that a session counts for.
    """

    patient_id: int
    asks: Schedule.Asks
    code: str
    authored_at: datetime
    source: UUID
    slot: SlotKey | None = None
    day: date | None = None


def complete(answers: Sequence[Answer], door: Door, revisions: Mapping[int, int]) -> None:
    """Mark the slots that these answers were asked for by. One statement, none without answers.

    A slot is answered by what was authored in its window: `completed` if it was received within the grace, else
    `late`. It may stand as missed or declined before; the first answer stays the slot's. An answer that names a slot
    answers that one or none, any other each schedule's that asked for it then. A session of a programme answers its
    day, whatever the hour: who trains before breakfast is not asked after it. Nothing more is said about the slot: a
    worker that is about to send reads its state as it takes the message.

    Runs in the caller's transaction, after `next_revisions` has locked these patients.
    """
    if not answers:
        return
    rows = [
        (
            answer.patient_id,
            str(answer.asks),
            answer.code,
            answer.authored_at,
            answer.source,
            answer.slot and answer.slot.schedule_id,
            answer.slot and answer.slot.local_date,
            answer.slot and answer.slot.n,
            answer.day,
            revisions[answer.patient_id],
        )
        for answer in answers
    ]
    with connection.cursor() as cursor:
        cursor.execute(
            """
            WITH answer AS (
                SELECT * FROM unnest(
                    %s::bigint[], %s::text[], %s::text[], %s::timestamptz[], %s::uuid[], %s::uuid[], %s::date[],
                    %s::smallint[], %s::date[], %s::bigint[]
                ) AS answer (patient_id, asks, code, authored_at, source, schedule_id, local_date, n, day, rev)
                LIMIT %s  -- all of them; for the planner a few, so that one plan serves all calls
            ),
            first_answer AS (
                SELECT DISTINCT ON (slot.patient_id, slot.schedule_id, slot.local_date, slot.n)
                    slot.patient_id, slot.schedule_id, slot.local_date, slot.n,
                    answer.authored_at, answer.source, answer.rev
                FROM answer
                JOIN reminders_schedule AS schedule
                    ON schedule.patient_id = answer.patient_id AND schedule.asks = answer.asks
                    AND schedule.code IN (answer.code, '')
                    AND (answer.schedule_id IS NULL OR answer.schedule_id = schedule.id)
                JOIN reminders_slot AS slot
                    ON slot.patient_id = answer.patient_id AND slot.schedule_id = schedule.id
                    AND (answer.local_date IS NULL OR answer.local_date = slot.local_date AND answer.n = slot.n)
                    AND slot.local_date BETWEEN answer.authored_at::date - 94 AND answer.authored_at::date + 2
                    AND (slot.opens_at <= answer.authored_at AND answer.authored_at < slot.closes_at
                         OR schedule.rule ->> 'anchor' = 'prescription' AND slot.local_date = answer.day)
                    AND slot.state IN ('upcoming', 'open', 'missed', 'declined', 'paused')
                ORDER BY slot.patient_id, slot.schedule_id, slot.local_date, slot.n, answer.authored_at, answer.source
            )
            UPDATE reminders_slot AS slot
            SET state = CASE WHEN %s <= slot.missed_at THEN 'completed' ELSE 'late' END,
                completed_by = first_answer.source, completed_at = first_answer.authored_at, reason = '',
                remind_at = NULL, rev = first_answer.rev
            FROM first_answer
            WHERE slot.patient_id = first_answer.patient_id AND slot.schedule_id = first_answer.schedule_id
                AND slot.local_date = first_answer.local_date AND slot.n = first_answer.n
            """,
            [*columns(rows, 10), len(rows), door.received_at],
        )


@dataclass(frozen=True, slots=True)
class Skip:
    """A session of a programme that was skipped, or of any (blank), and the local day it was for."""

    programme: str
    day: date
    reason: str


def decline(skips: Sequence[Skip], patient_id: int, revisions: Mapping[int, int]) -> None:
    """Ask no more for the sessions of these days. One statement, none without skips. What was done stays done."""
    if not skips:
        return
    rows = [(skip.programme, skip.day, skip.reason) for skip in skips]
    with connection.cursor() as cursor:
        cursor.execute(
            """
            UPDATE reminders_slot AS slot
            SET state = 'declined', reason = skip.reason, remind_at = NULL, rev = %s
            FROM unnest(%s::text[], %s::date[], %s::text[]) AS skip (programme, day, reason)
            JOIN reminders_schedule AS schedule
                ON schedule.patient_id = %s AND schedule.asks = 'session' AND schedule.code IN (skip.programme, '')
            WHERE slot.patient_id = schedule.patient_id AND slot.schedule_id = schedule.id
                AND slot.local_date = skip.day AND slot.state IN ('upcoming', 'open', 'missed')
            """,
            [revisions[patient_id], *columns(rows, 3), patient_id],
        )


def unknown_slots(patient_id: int, keys: Iterable[SlotKey]) -> set[SlotKey]:
    """Those of `keys` that are no slots of this patient, another's included. One statement."""
    asked = sorted(set(keys), key=str)
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT schedule_id, local_date, n FROM reminders_slot
            WHERE patient_id = %s AND (schedule_id, local_date, n) IN (
                SELECT * FROM unnest(%s::uuid[], %s::date[], %s::smallint[])
            )
            """,
            [
                patient_id,
                [key.schedule_id for key in asked],
                [key.local_date for key in asked],
                [key.n for key in asked],
            ],
        )
        return set(asked) - {SlotKey(*row) for row in cursor}
