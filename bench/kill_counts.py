"""What was lost and what was doubled, by the phones, the provider and the database."""

from __future__ import annotations

import math
import re
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING

from django.db import OperationalError, connection

if TYPE_CHECKING:
    from bench.kill_phones import Phones
    from bench.provider import Provider

PROMISES = (
    "answers_lost",
    "answers_doubled",
    "alerts_lost",
    "alerts_doubled",
    "calls_lost",
    "calls_doubled",
    "reminders_lost",
    "shown_twice",
    "sent_after_the_answer",
    "left_over",
)


@dataclass
class Counts:
    """What came of it. Those of `PROMISES` must be zero."""

    answers_lost: int = 0  # got a verdict, and are not in the database; or never got one
    answers_doubled: int = 0  # were stored twice, by the verdicts or by what stands
    alerts_lost: int = 0  # red flags in answers that got a verdict, without their alert
    alerts_doubled: int = 0
    calls_lost: int = 0  # alerts of which nobody was told
    calls_doubled: int = 0
    reminders_lost: int = 0  # slots that stand open, unanswered, and were never reminded of
    shown_twice: int = 0  # reminders of one slot under two message ids
    sent_after_the_answer: int = 0
    left_over: int = 0  # messages, calls and trends that were due and not done at the end
    answers: int = 0
    pushed_again: int = 0  # a duplicate, said the server
    requests_failed: int = 0
    alerts: int = 0
    calls: int = 0
    reminders: int = 0
    sent_again: int = 0  # the same id twice on the wire: a phone shows it once
    cancelled: int = 0  # answered before they went out
    killed: dict[str, int] = field(default_factory=dict)


def note_claims() -> None:
    """Let the database keep when each message was claimed, by the start of the statement that did it.

    When it reached the provider says less: on a busy machine a request waits to be read for longer than any lease.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            """
            CREATE TABLE bench_claim (message_id uuid, at timestamptz);
            CREATE FUNCTION bench_note_claim() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
                INSERT INTO bench_claim VALUES (NEW.id, statement_timestamp());
                RETURN NULL;
            END $$;
            CREATE TRIGGER bench_note_claim AFTER UPDATE ON reminders_message FOR EACH ROW
            WHEN (NEW.lease IS DISTINCT FROM OLD.lease AND NEW.lease IS NOT NULL) EXECUTE FUNCTION bench_note_claim();
            """
        )


def last_claims() -> dict[str, float]:
    """By message, when it was claimed last."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT message_id::text, extract(epoch FROM max(at))::float FROM bench_claim GROUP BY message_id"
        )
        return dict(cursor.fetchall())


def is_settled() -> bool:
    """Whether all that was due is done. A connection from before a kill says nothing, and is replaced."""
    try:
        return not _left_over()
    except OperationalError:
        connection.close()
        return False


def _left_over() -> int:
    from backend.reminders.models import Call, Message, Slot
    from outcomes.models import Alert, TrendDue

    now = datetime.now(UTC)
    return (
        Message.objects.filter(state__in=["pending", "claimed"]).count()
        + Call.objects.filter(state__in=["pending", "claimed"]).count()
        + Slot.objects.filter(remind_at__lte=now).count()
        + Slot.objects.filter(state="upcoming", opens_at__lte=now).count()
        + Alert.objects.filter(state="open", tell_at__lte=now).count()
        + TrendDue.objects.count()
    )


def count(phones: Phones, provider: Provider, console: str) -> Counts:
    counts = Counts(left_over=_left_over(), requests_failed=phones.failed)
    _count_answers(counts, phones)
    _count_alerts(counts, phones, Counter(re.findall(r"reminder ([0-9a-f-]{36}) to ", console)))
    _count_reminders(counts, phones, provider)
    return counts


def _count_answers(counts: Counts, phones: Phones) -> None:
    from backend.sync.models import Quarantine
    from exercises.models import AdverseEvent
    from outcomes.models import Response, Score

    stands = Counter(
        str(found) for rows in (Response, AdverseEvent) for found in rows.objects.values_list("id", flat=True)
    )
    kept = Counter(map(str, Quarantine.objects.values_list("client_id", flat=True)))
    for push in {push.item["id"]: push for push in phones.pushes}.values():
        verdicts = phones.verdicts[push.item["id"]]
        where = kept if push.kind == "refused-item-9" else stands
        counts.answers_lost += not verdicts or where[push.item["id"]] == 0
        counts.answers_doubled += where[push.item["id"]] > 1 or verdicts.count("stored") > 1
        counts.pushed_again += verdicts.count("duplicate")
    counts.answers = len(stands) + len(kept)
    values = Counter(Score.objects.filter(live=True).values_list("source", "measure"))
    counts.answers_doubled += sum(times - 1 for times in values.values())


def _count_alerts(counts: Counts, phones: Phones, told: Counter[str]) -> None:
    from backend.reminders.models import Call
    from backend.sync.models import Quarantine
    from outcomes.models import Alert, AlertEvent

    events = AlertEvent.objects.filter(kind__in=["raised", "repeated"])
    raised = Counter(map(str, events.values_list("source", flat=True)))
    quarantined = {str(client): str(own) for client, own in Quarantine.objects.values_list("client_id", "id")}
    flagged = {push.item["id"] for push in phones.pushes if push.kind in ("item-9", "refused-item-9", "syncope")}
    for item in flagged:
        if phones.verdicts[item]:
            counts.alerts_lost += raised[quarantined.get(item, item)] == 0
            counts.alerts_doubled += raised[quarantined.get(item, item)] > 1
    calls: dict[int, list[str]] = defaultdict(list)
    for alert, call in Call.objects.values_list("alert", "id"):
        calls[alert].append(str(call))
    for alert in Alert.objects.values_list("pk", flat=True):
        counts.alerts += 1
        counts.calls_lost += not any(told[call] for call in calls[alert])
        counts.calls_doubled += max(0, len(calls[alert]) - 1)
    counts.calls = sum(map(len, calls.values()))


def _count_reminders(counts: Counts, phones: Phones, provider: Provider) -> None:
    from backend.reminders.models import Mention, Message, Slot

    wire = Counter(taken.message for taken in provider.taken)
    counts.sent_again = sum(times - 1 for times in wire.values())
    said: dict[tuple[int, date, int], set[str]] = defaultdict(set)
    for patient, day, nudge, message in Mention.objects.values_list("patient", "local_date", "nudge", "message"):
        if str(message) in wire:
            said[patient, day, nudge].add(str(message))
    counts.reminders = len(said)
    counts.shown_twice = sum(len(messages) - 1 for messages in said.values())
    claims = last_claims()
    for slot in Slot.objects.all():
        messages = said[slot.patient_id, slot.local_date, 0]
        if slot.state == "open":
            counts.reminders_lost += not messages
        elif slot.completed_by:
            answered = phones.stored_at.get(str(slot.completed_by), math.inf)  # never told: counted as lost above
            counts.sent_after_the_answer += sum(claims.get(message, math.inf) > answered for message in messages)
    counts.cancelled = Message.objects.filter(state="cancelled").count()
