"""The outbox to colleagues: calls are claimed with a lease, sent, and what came of it is kept.

At least once on the wire, with the same id each time. A call whose alert was acknowledged before the claim is not sent.
Where no browser of theirs takes it, it goes by e-mail; when nothing of one telling could be delivered, the alert's
clock runs out at once, so that the next in the chain is told.
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
from backend.reminders.colleague_models import Browser
from backend.reminders.escalation import UNACKNOWLEDGED
from backend.reminders.models import Call
from backend.reminders.reaching import browsers_of, disable
from backend.reminders.refusals import Refusal, refuse
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
    clinic_id: int
    patient_id: int
    user_id: int | None
    channel: str
    target: str
    language: str
    attempts: int


class Result(msgspec.Struct):
    """What came of a call: its new state, by which channel it goes on, and the addresses that are dead."""

    id: UUID
    state: str
    due_at: datetime
    channel: str
    receipt: str = ""
    error: str = ""
    dead_browsers: list[tuple[int, str]] = []
    refused: Refusal | None = None


def send_calls(now: datetime, limit: int) -> Counter[str]:
    """Send up to `limit` calls that are due, oldest first; count them by what came of it."""
    lease = uuid4()
    cancelled, claimed = claim(now, limit, lease)
    counts = Counter({"cancelled": cancelled}) if cancelled else Counter()
    if claimed:
        pushed = {call.user_id for call in claimed if call.channel == "webpush" and call.user_id}
        browsers = browsers_of(pushed) if pushed else {}
        with ThreadPoolExecutor(AT_ONCE) as pool:
            results = list(pool.map(lambda call: _send(call, browsers.get(call.user_id or 0, []), now), claimed))
        disable((dead for result in results for dead in result.dead_browsers), now)
        if refusals := [result.refused for result in results if result.refused]:
            refuse(refusals, now)
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
            RETURNING call.state, call.id, clinic_id, patient_id, user_id, channel, target, language, attempts
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


def _send(call: Claimed, browsers: Sequence[Browser], now: datetime) -> Result:
    if wait := held_for(call.channel):
        result = Result(call.id, Call.State.PENDING, now + min(wait, LEASE), call.channel)
        result.error = "the provider asked to wait"
        return result
    title, body = wording.call(call.language)
    notice = Notice(call.id, call.patient_id, call.id.hex, title, body, LIFETIME, urgent=True)
    return _push(call, notice, browsers, now) if call.channel == "webpush" else _say(call, notice, now)


def _say(call: Claimed, notice: Notice, now: datetime) -> Result:
    result = Result(call.id, Call.State.SENT, now, call.channel)
    try:
        result.receipt = _notify(call.channel, notice, call.target)
    except ChannelError as error:
        result.error = str(error)
        if error.permanent and call.channel == "email":
            whose = {"user_id": call.user_id} if call.user_id else {"clinic_id": call.clinic_id}
            result.refused = Refusal(call.target, result.error, **whose)
        return _end(result) if error.permanent else _again(call, result, now)
    return result


def _push(call: Claimed, notice: Notice, browsers: Sequence[Browser], now: datetime) -> Result:
    """To all of somebody's browsers; that one of them took it is enough."""
    result = Result(call.id, Call.State.DEAD, now, call.channel, error="no browser")
    trouble = False
    for browser in browsers:
        try:
            result.receipt = _notify(call.channel, notice, browser.target)
        except ChannelError as error:
            result.error = str(error)
            if error.permanent:
                result.dead_browsers.append((browser.pk, result.error))
            trouble = trouble or not error.permanent
        else:
            result.state = Call.State.SENT
    if result.state == Call.State.SENT:
        result.error = ""
        return result
    result = _again(call, result, now) if trouble else result
    if result.state == Call.State.DEAD and call.target:
        result.state, result.channel = Call.State.PENDING, "email"
    return result


def _notify(channel: str, notice: Notice, target: str) -> str:
    wait_for_turn(channel, CHANNELS[channel].PER_SECOND)
    try:
        return CHANNELS[channel].notify(notice, target)
    except ChannelError as error:
        if error.retry_after:
            hold(channel, error.retry_after)
        raise


def _end(result: Result) -> Result:
    result.state = Call.State.DEAD
    return result


def _again(call: Claimed, result: Result, now: datetime) -> Result:
    if call.attempts >= MOST_ATTEMPTS:
        return _end(result)
    result.state, result.due_at = Call.State.PENDING, now + FIRST_WAIT * 2 ** (call.attempts - 1)
    return result


def _keep(results: Sequence[Result], lease: UUID, now: datetime) -> None:
    """A call whose lease ran out meanwhile belongs to somebody else, and is left alone."""
    rows = ((r.id, str(r.state), r.due_at, r.channel, r.receipt[:200], r.error[:200]) for r in results)
    with transaction.atomic(), connection.cursor() as cursor:
        # First the alerts, as an erasure does; so of two channels that fail at once, the second to come here sees both.
        cursor.execute(
            """
            SELECT FROM outcomes_alert WHERE id IN (SELECT alert_id FROM reminders_call WHERE id = ANY(%s))
            ORDER BY id FOR NO KEY UPDATE
            """,
            [[result.id for result in results]],
        )
        cursor.execute(
            """
            UPDATE reminders_call AS call
            SET state = result.state, due_at = result.due_at, lease = NULL, receipt = result.receipt,
                attempts = CASE call.channel WHEN result.channel THEN attempts ELSE 0 END, channel = result.channel,
                error = result.error, sent_at = CASE WHEN result.state = 'sent' THEN %s::timestamptz END
            FROM unnest(%s::uuid[], %s::text[], %s::timestamptz[], %s::text[], %s::text[], %s::text[])
                AS result (id, state, due_at, channel, receipt, error)
            WHERE call.id = result.id AND call.lease = %s
            RETURNING call.alert_id, call.state
            """,
            [now, *map(list, zip(*rows, strict=True)), lease],
        )
        undelivered = [alert for alert, state in cursor.fetchall() if state == "dead"]
        if undelivered:
            cursor.execute(
                """
                UPDATE outcomes_alert AS alert SET tell_at = %s
                WHERE id = ANY(%s) AND state = ANY(%s) AND NOT EXISTS (
                    SELECT FROM reminders_call WHERE alert_id = alert.id AND n = alert.told AND state <> 'dead'
                )
                """,
                [now, undelivered, [str(state) for state in UNACKNOWLEDGED]],
            )
