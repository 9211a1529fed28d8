"""The outbox to colleagues: calls are claimed with a lease, sent, and what came of it is kept.

At least once on the wire, with the same id each time. A call whose alert was acknowledged before the claim is not sent.
One that can't be delivered makes the alert's clock run out at once, so that the next in the chain is told.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from uuid import UUID, uuid4

import msgspec
from django.db import connection, transaction

from backend.reminders import wording
from backend.reminders.channels import ChannelError, Notice
from backend.reminders.escalation import UNACKNOWLEDGED
from backend.reminders.models import Call
from backend.reminders.routes import CHANNELS
from backend.reminders.throttling import held_for, hold, wait_for_turn

LEASE = timedelta(minutes=5)
MOST_ATTEMPTS = 5
FIRST_WAIT = timedelta(seconds=20)  # doubled each time: all attempts together take less than LEAST_STEP
LIFETIME = timedelta(days=1)
AT_ONCE = 8


class Claimed(msgspec.Struct, frozen=True):
    """A call that is ours for the time of the lease."""

    id: UUID
    patient_id: int
    channel: str
    target: str
    language: str
    attempts: int


class Result(msgspec.Struct, frozen=True):
    id: UUID
    state: str
    due_at: datetime
    receipt: str = ""
    error: str = ""


def send_calls(now: datetime, limit: int) -> Counter[str]:
    """Send up to `limit` calls that are due, oldest first; count them by what came of it."""
    lease = uuid4()
    cancelled, claimed = claim(now, limit, lease)
    counts = Counter({"cancelled": cancelled}) if cancelled else Counter()
    if claimed:
        with ThreadPoolExecutor(AT_ONCE) as pool:
            results = list(pool.map(lambda call: _send(call, now), claimed))
        _keep(results, lease, now)
        counts.update(result.state for result in results)
    return counts


def claim(now: datetime, limit: int, lease: UUID) -> tuple[int, list[Claimed]]:
    """Take due calls that nobody else has; gives how many were cancelled, and those that are to be sent."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            WITH due AS (
                SELECT call.id, alert.state = ANY(%(waiting)s) AS waiting
                FROM reminders_call AS call JOIN outcomes_alert AS alert ON alert.id = call.alert_id
                WHERE call.state IN ('pending', 'claimed') AND call.due_at <= %(now)s
                ORDER BY call.due_at LIMIT %(limit)s
                FOR UPDATE OF call SKIP LOCKED
            )
            UPDATE reminders_call AS call
            SET state = CASE WHEN waiting THEN 'claimed' ELSE 'cancelled' END,
                lease = CASE WHEN waiting THEN %(lease)s::uuid END,
                due_at = CASE WHEN waiting THEN %(until)s ELSE due_at END,
                attempts = attempts + waiting::int
            FROM due WHERE call.id = due.id
            RETURNING call.state, call.id, patient_id, channel, target, language, attempts
            """,
            {
                "waiting": [str(state) for state in UNACKNOWLEDGED],
                "now": now,
                "limit": limit,
                "lease": lease,
                "until": now + LEASE,
            },
        )
        rows = cursor.fetchall()
    claimed = [Claimed(*row) for state, *row in rows if state == "claimed"]
    return len(rows) - len(claimed), claimed


def _send(call: Claimed, now: datetime) -> Result:
    if wait := held_for(call.channel):
        return Result(call.id, Call.State.PENDING, now + min(wait, LEASE), error="the provider asked to wait")
    wait_for_turn(call.channel, CHANNELS[call.channel].PER_SECOND)
    title, body = wording.call(call.language)
    notice = Notice(call.id, call.patient_id, str(call.id), title, body, LIFETIME)
    try:
        receipt = CHANNELS[call.channel].notify(notice, call.target)
    except ChannelError as error:
        if error.retry_after:
            hold(call.channel, error.retry_after)
        if error.permanent or call.attempts >= MOST_ATTEMPTS:
            return Result(call.id, Call.State.DEAD, now, error=str(error))
        return Result(call.id, Call.State.PENDING, now + FIRST_WAIT * 2 ** (call.attempts - 1), error=str(error))
    return Result(call.id, Call.State.SENT, now, receipt=receipt)


def _keep(results: Sequence[Result], lease: UUID, now: datetime) -> None:
    """A call whose lease ran out meanwhile belongs to somebody else, and is left alone."""
    rows = ((r.id, str(r.state), r.due_at, r.receipt[:200], r.error[:200]) for r in results)
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            """
            UPDATE reminders_call AS call
            SET state = result.state, due_at = result.due_at, lease = NULL, receipt = result.receipt,
                error = result.error, sent_at = CASE WHEN result.state = 'sent' THEN %s::timestamptz END
            FROM unnest(%s::uuid[], %s::text[], %s::timestamptz[], %s::text[], %s::text[])
                AS result (id, state, due_at, receipt, error)
            WHERE call.id = result.id AND call.lease = %s
            RETURNING call.alert_id, call.state
            """,
            [now, *map(list, zip(*rows, strict=True)), lease],
        )
        undelivered = [alert for alert, state in cursor.fetchall() if state == "dead"]
        if undelivered:
            cursor.execute(
                "UPDATE outcomes_alert SET tell_at = %s WHERE id = ANY(%s) AND state = ANY(%s)",
                [now, undelivered, [str(state) for state in UNACKNOWLEDGED]],
            )
