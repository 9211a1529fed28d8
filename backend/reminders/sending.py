"""The outbox's other end: messages are claimed with a lease, sent, and what came of it is kept.

Each message is on the wire at least once, with the same id each time, so that a phone shows it once. It is never sent
after the answer was stored before the claim: the claim itself reads whether a slot of it still stands open.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID, uuid4

from django.db import connection

from backend.reminders import wording
from backend.reminders.channels import ChannelError, Notice, console
from backend.reminders.models import Message

# Longer than a batch takes with every request running into its timeout.
LEASE = timedelta(minutes=5)
MOST_ATTEMPTS = 8
FIRST_WAIT = timedelta(seconds=30)
LONGEST_WAIT = timedelta(hours=1)


@dataclass(frozen=True)
class Claimed:
    """A message that is ours for the time of the lease. `count` is how many open slots it is about."""

    id: UUID
    patient_id: int
    attempts: int
    expires_at: datetime
    count: int
    language: str
    simulated: bool


@dataclass(frozen=True)
class Result:
    """What came of a message: its new state, and when to try again if it is to be."""

    id: UUID
    state: Message.State
    due_at: datetime
    channel: str
    receipt: str = ""
    error: str = ""


def send_due(now: datetime, limit: int) -> Counter[str]:
    """Send up to `limit` messages that are due, oldest first; count them by what came of it."""
    lease = uuid4()
    counts, claimed = claim(now, limit, lease)
    results = [_send(message, now) for message in claimed]
    _keep(results, lease, now)
    counts.update(result.state for result in results)
    return counts


def claim(now: datetime, limit: int, lease: UUID) -> tuple[Counter[str], list[Claimed]]:
    """Take due messages, oldest first, that nobody else has. One statement, which ends its own transaction.

    A message all of whose slots are answered or gone is cancelled on the way, one that came too late is skipped: they
    are counted, the others are returned.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            """
            WITH due AS (
                SELECT message.id, (
                    SELECT count(*) FROM reminders_mention AS mention
                    JOIN reminders_slot AS slot USING (patient_id, schedule_id, local_date, n)
                    WHERE mention.message_id = message.id AND slot.state = 'open' AND slot.closes_at > %(now)s
                        AND (slot.snoozed_at IS NULL OR slot.snoozed_at < message.planned_at)
                ) AS open_slots
                FROM reminders_message AS message
                WHERE state IN ('pending', 'claimed') AND due_at <= %(now)s
                ORDER BY due_at LIMIT %(limit)s
                FOR UPDATE OF message SKIP LOCKED
            )
            UPDATE reminders_message AS message
            SET state = new.state, lease = CASE WHEN new.state = 'claimed' THEN %(lease)s::uuid END,
                attempts = attempts + (new.state = 'claimed')::int,
                due_at = CASE WHEN new.state = 'claimed' THEN %(until)s ELSE due_at END,
                error = CASE new.state WHEN 'skipped' THEN 'too late to say' ELSE error END
            FROM (
                SELECT due.id, open_slots,
                    CASE WHEN open_slots = 0 THEN 'cancelled' WHEN expires_at <= %(now)s THEN 'skipped'
                         ELSE 'claimed' END AS state
                FROM due JOIN reminders_message USING (id)
            ) AS new
            JOIN people_patient AS patient ON true
            WHERE message.id = new.id AND patient.id = message.patient_id
            RETURNING message.state, message.planned_at, message.id, message.patient_id, attempts, expires_at,
                open_slots, patient.language, patient.origin = 'simulated'
            """,
            {"now": now, "limit": limit, "lease": lease, "until": now + LEASE},
        )
        rows = cursor.fetchall()
    counts = Counter(state for state, *_ in rows if state != "claimed")
    claimed = [Claimed(*row) for state, _, *row in sorted(rows, key=lambda row: row[1]) if state == "claimed"]
    return counts, claimed


def _send(message: Claimed, now: datetime) -> Result:
    title, body = wording.reminder(message.language, message.count)
    notice = Notice(message.id, message.patient_id, "reminder", title, body, message.expires_at)
    try:
        receipt = console.notify(notice)
    except ChannelError as error:
        if error.permanent or message.attempts >= MOST_ATTEMPTS:
            return Result(message.id, Message.State.DEAD, now, "console", error=str(error))
        wait = error.retry_after or _wait(message.attempts)
        return Result(message.id, Message.State.PENDING, now + wait, "console", error=str(error))
    return Result(message.id, Message.State.SENT, now, "console", receipt=receipt)


def _wait(attempts: int) -> timedelta:
    """Twice as long each time, with jitter, so that what failed together doesn't come back together."""
    longest = min(FIRST_WAIT * 2.0 ** (attempts - 1), LONGEST_WAIT)
    return longest * random.uniform(0.5, 1)


def _keep(results: Sequence[Result], lease: UUID, now: datetime) -> None:
    """A message whose lease ran out meanwhile belongs to somebody else, and is left alone."""
    if not results:
        return
    rows = ((r.id, str(r.state), r.due_at, r.channel, r.receipt[:200], r.error[:200]) for r in results)
    with connection.cursor() as cursor:
        cursor.execute(
            """
            UPDATE reminders_message AS message
            SET state = result.state, due_at = result.due_at, lease = NULL, channel = result.channel,
                receipt = result.receipt, error = result.error,
                sent_at = CASE WHEN result.state = 'sent' THEN %s::timestamptz END
            FROM unnest(%s::uuid[], %s::text[], %s::timestamptz[], %s::text[], %s::text[], %s::text[])
                AS result (id, state, due_at, channel, receipt, error)
            WHERE message.id = result.id AND message.lease = %s
            """,
            [now, *map(list, zip(*rows, strict=True)), lease],
        )
