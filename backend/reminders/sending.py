"""The outbox's other end: messages are claimed with a lease, sent, and what came of it is kept.

Each message is on the wire at least once, with the same id each time, so that a phone shows it once. It is never sent
after the answer was stored before the claim: the claim itself reads whether a slot of it still stands open.
"""

from __future__ import annotations

import random
import time
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID, uuid4

from django.db import connection

from backend.reminders import wording
from backend.reminders.channels import ChannelError, Notice
from backend.reminders.models import Message
from backend.reminders.routes import CHANNELS, Route, disable, routes
from backend.reminders.throttling import held_for, hold, wait_for_turn

# Longer than a batch takes with every request running into its timeout.
LEASE = timedelta(minutes=5)
# Nothing is begun that might end after somebody else has the message.
BEGIN_WITHIN = LEASE / 2
MOST_ATTEMPTS = 8
FIRST_WAIT = timedelta(seconds=30)
LONGEST_WAIT = timedelta(hours=1)
AT_ONCE = 16  # requests under way; they wait for the network, not for each other


@dataclass(frozen=True)
class Claimed:
    """A message that is ours for the time of the lease. `count` is how many open slots it is about."""

    id: UUID
    kind: str
    patient_id: int
    attempts: int
    expires_at: datetime
    count: int
    language: str


@dataclass
class Result:
    """What came of a message: its new state, when to try again if it is to be, and the addresses that are dead.

    Not `tried` is what a provider's limit kept back: that is nobody's failure.
    """

    id: UUID
    state: Message.State
    due_at: datetime
    channel: str = ""
    receipt: str = ""
    error: str = ""
    tried: bool = True
    dead: list[tuple[Route, str]] = field(default_factory=list)


@dataclass(frozen=True)
class Batch:
    """Messages that are on their way, and the lease under which they are ours."""

    lease: UUID
    now: datetime
    results: Sequence[Future[Result]]


class Sender:
    """Sends batch after batch, each on its way while the caller sees to something else.

    Only the caller's thread speaks with the database. On leaving, what is on its way is waited for and kept.
    """

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(AT_ONCE)
        self._under_way: Batch | None = None

    def __enter__(self) -> Sender:
        return self

    def __exit__(self, *_: object) -> None:
        with self._pool:
            self.finish()

    @property
    def is_busy(self) -> bool:
        return self._under_way is not None

    def step(self, now: datetime, limit: int) -> Counter[str]:
        """Begin with up to `limit` messages that are due, oldest first; count what came of those before them.

        They begin as soon as those before them have ended, so that a provider in trouble is not asked by more at once.
        """
        before = self._under_way
        wait(before.results if before else ())
        counts, self._under_way = self._begin(now, limit)
        return counts + _end(before)

    def finish(self) -> Counter[str]:
        """Wait for what is on its way, and count what came of it."""
        before, self._under_way = self._under_way, None
        return _end(before)

    def _begin(self, now: datetime, limit: int) -> tuple[Counter[str], Batch | None]:
        lease = uuid4()
        counts, claimed = claim(now, limit, lease)
        if not claimed:
            return counts, None
        begin_by = time.monotonic() + BEGIN_WITHIN.total_seconds()
        ways = routes({message.patient_id for message in claimed}, now)
        results = [
            self._pool.submit(_send, message, ways.get(message.patient_id, []), now, begin_by) for message in claimed
        ]
        return counts, Batch(lease, now, results)


def send_due(now: datetime, limit: int) -> Counter[str]:
    """Send up to `limit` messages that are due, oldest first; count them by what came of it."""
    with Sender() as sender:
        return sender.step(now, limit) + sender.finish()


def _end(batch: Batch | None) -> Counter[str]:
    if batch is None:
        return Counter()
    results = [result.result() for result in batch.results]
    _keep(results, batch.lease, batch.now)
    disable([dead for result in results for dead in result.dead], batch.now)
    return Counter(result.state for result in results)


def claim(now: datetime, limit: int, lease: UUID) -> tuple[Counter[str], list[Claimed]]:
    """Take due messages, oldest first, that nobody else has. One statement, which ends its own transaction.

    A reminder all of whose slots are answered or gone is cancelled on the way, and so is news for who takes part no
    more; what came too late is skipped. They are counted, the others are returned. OFFSET 0 has each slot looked up by
    its key: where many have opened since the planner last counted them, it would read all open ones for each message.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            """
            WITH due AS MATERIALIZED (
                SELECT id, kind, patient_id, planned_at, expires_at FROM reminders_message
                WHERE state IN ('pending', 'claimed') AND due_at <= %(now)s
                ORDER BY due_at LIMIT %(limit)s
                FOR UPDATE SKIP LOCKED
            ), judged AS MATERIALIZED (
                SELECT due.id, open_slots, patient.language,
                    CASE WHEN kind = 'reminder' AND open_slots = 0 THEN 'cancelled'
                         WHEN kind <> 'reminder' AND NOT (patient.status = 'active' AND EXISTS (
                             SELECT FROM people_consent AS consent
                             WHERE consent.patient_id = due.patient_id AND withdrawn_at IS NULL
                         )) THEN 'cancelled'
                         WHEN expires_at <= %(now)s THEN 'skipped'
                         ELSE 'claimed' END AS state
                FROM due JOIN people_patient AS patient ON patient.id = patient_id CROSS JOIN LATERAL (
                    SELECT count(*) AS open_slots
                    FROM reminders_mention AS mention CROSS JOIN LATERAL (
                        SELECT state, closes_at, snoozed_at FROM reminders_slot AS slot
                        WHERE (slot.patient_id, slot.schedule_id, slot.local_date, slot.n)
                            = (mention.patient_id, mention.schedule_id, mention.local_date, mention.n)
                        OFFSET 0
                    ) AS slot
                    WHERE mention.message_id = due.id AND slot.state = 'open' AND slot.closes_at > %(now)s
                        AND (slot.snoozed_at IS NULL OR slot.snoozed_at < due.planned_at)
                ) AS said
            )
            UPDATE reminders_message AS message
            SET state = judged.state, lease = CASE WHEN judged.state = 'claimed' THEN %(lease)s::uuid END,
                attempts = attempts + (judged.state = 'claimed')::int,
                due_at = CASE WHEN judged.state = 'claimed' THEN %(until)s ELSE due_at END,
                error = CASE judged.state WHEN 'skipped' THEN 'too late to say' ELSE error END
            FROM judged WHERE message.id = judged.id
            RETURNING message.state, planned_at, message.id, kind, patient_id, attempts, expires_at, open_slots,
                language
            """,
            {"now": now, "limit": limit, "lease": lease, "until": now + LEASE},
        )
        rows = cursor.fetchall()
    counts = Counter(state for state, *_ in rows if state != "claimed")
    claimed = [Claimed(*row) for state, _, *row in sorted(rows, key=lambda row: row[1]) if state == "claimed"]
    return counts, claimed


def _send(message: Claimed, ways: Sequence[Route], now: datetime, begin_by: float) -> Result:
    """Try the patient's ways in their order: a dead address gives way to the next, trouble makes the message wait."""
    result = Result(message.id, Message.State.DEAD, now, error="no way to this patient")
    title, body = wording.message(message.kind, message.language, message.count)
    for way in ways:
        notice = Notice(message.id, message.patient_id, message.kind, title, body, message.expires_at - now)
        result.channel = way.channel
        if wait := held_for(way.channel):
            result.tried = False
            return _later(result, now + wait * random.uniform(1, 1.5), "the provider asked to wait")
        wait_for_turn(way.channel, CHANNELS[way.channel].PER_SECOND)
        if time.monotonic() > begin_by:
            result.tried = False
            return _later(result, now, "not come to within half the lease")
        try:
            result.receipt = CHANNELS[way.channel].notify(notice, way.target)
        except ChannelError as error:
            result.error = str(error)
            if error.permanent:
                result.dead.append((way, str(error)))
                continue
            if error.retry_after:
                hold(way.channel, error.retry_after)
            if message.attempts >= MOST_ATTEMPTS:
                return result
            return _later(result, now + max(_wait(message.attempts), error.retry_after or timedelta()), str(error))
        result.state = Message.State.SENT
        return result
    return result


def _later(result: Result, due_at: datetime, error: str) -> Result:
    result.state, result.due_at, result.error = Message.State.PENDING, due_at, error
    return result


def _wait(attempts: int) -> timedelta:
    """Twice as long each time, with jitter, so that what failed together doesn't come back together."""
    longest = min(FIRST_WAIT * 2.0 ** (attempts - 1), LONGEST_WAIT)
    return longest * random.uniform(0.5, 1)


def _keep(results: Sequence[Result], lease: UUID, now: datetime) -> None:
    """A message whose lease ran out meanwhile belongs to somebody else, and is left alone."""
    if not results:
        return
    rows = ((r.id, str(r.state), r.due_at, r.channel, r.receipt[:200], r.error[:200], r.tried) for r in results)
    with connection.cursor() as cursor:
        cursor.execute(
            """
            UPDATE reminders_message AS message
            SET state = result.state, due_at = result.due_at, lease = NULL, channel = result.channel,
                receipt = result.receipt, error = result.error,
                attempts = attempts - (NOT result.tried)::int,
                sent_at = CASE WHEN result.state = 'sent' THEN %s::timestamptz END
            FROM unnest(%s::uuid[], %s::text[], %s::timestamptz[], %s::text[], %s::text[], %s::text[],
                        %s::boolean[])
                AS result (id, state, due_at, channel, receipt, error, tried)
            WHERE message.id = result.id AND message.lease = %s
            """,
            [now, *map(list, zip(*rows, strict=True)), lease],
        )
