"""One look at the clock: opens and closes slots, and writes what is to be said into the outbox.

The cost grows with what is due. Killed at any line, everything stands as before or as after: it is one transaction.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta

from django.db import connection, transaction
from django.db.models import Count, Q
from uuid_utils.compat import uuid7

from backend.people.writes import next_revisions
from backend.reminders.models import Message, ReminderSettings, Slot, SlotState
from backend.reminders.planning import read_lives
from backend.reminders.rhythm import BUNDLED_WITHIN, Listener, OpenSlot, Saying, Wishes, first_reminder, say
from backend.reminders.slots import SlotKey, clock_at, read_rule

WEEK = timedelta(days=7)
LOOK = 4  # times the limit: so many may look at once, and each finds something to do


def tick(now: datetime, limit: int) -> Counter[str]:
    """Look at the patients of up to `limit` due slots, those that wait longest first; count what came of it.

    Counted are `patients`, slots by the state they came into, and messages as `pending` or `skipped`. A fixed number
    of statements. Several may run at once: each takes patients that no other has.
    """
    counts: Counter[str] = Counter()
    with transaction.atomic():
        patient_ids = _take_patients(now, limit)
        if not patient_ids:
            return counts
        looked_at = _due_slots(patient_ids, now)
        listeners = read_listeners(patient_ids, looked_at, now)
        before = {slot.pk: (slot.state, slot.remind_at, slot.nudge) for slots in looked_at.values() for slot in slots}
        messages = [
            (_message(saying, slots[0]), saying.slots)
            for patient_id, slots in looked_at.items()
            for saying in _look_at(slots, listeners[patient_id], now)
        ]
        changed = [
            slot
            for slots in looked_at.values()
            for slot in slots
            if before[slot.pk] != (slot.state, slot.remind_at, slot.nudge)
        ]
        turned = [slot for slot in changed if before[slot.pk][0] != slot.state]
        _write_slots(changed, next_revisions(slot.patient_id for slot in turned) if turned else {})
        _write_messages(messages)
    counts.update(patients=len(patient_ids))
    counts.update(slot.state for slot in turned)
    counts.update(message.state for message, _ in messages)
    return counts


def _take_patients(now: datetime, limit: int) -> list[int]:
    """Lock the revisions of the patients who wait longest. No lock is waited for, so nothing can deadlock here.

    It looks further than it takes: where others have just taken the first, there would seem to be nothing left to do.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT patient_id FROM (
                SELECT patient_id, min(due_at) AS due_at FROM (
                    (SELECT patient_id, opens_at AS due_at FROM reminders_slot
                     WHERE state = 'upcoming' AND opens_at <= %(now)s ORDER BY opens_at LIMIT %(look)s)
                    UNION ALL
                    (SELECT patient_id, remind_at FROM reminders_slot
                     WHERE remind_at <= %(now)s ORDER BY remind_at LIMIT %(look)s)
                    UNION ALL
                    (SELECT patient_id, missed_at FROM reminders_slot
                     WHERE state = 'open' AND missed_at <= %(now)s ORDER BY missed_at LIMIT %(look)s)
                ) AS slot GROUP BY patient_id ORDER BY due_at LIMIT %(look)s
            ) AS due JOIN people_patient_rev AS rev USING (patient_id)
            WHERE NOT rev.erased ORDER BY due_at LIMIT %(limit)s FOR UPDATE OF rev SKIP LOCKED
            """,
            {"now": now, "limit": limit, "look": LOOK * limit},
        )
        return sorted(patient_id for (patient_id,) in cursor)


def _due_slots(patient_ids: Sequence[int], now: datetime) -> dict[int, list[Slot]]:
    """By patient, what is due now, and what is open and reminds so soon that it goes into the same message."""
    rows = (
        Slot.objects.filter(patient_id__in=patient_ids, state__in=[SlotState.UPCOMING, SlotState.OPEN])
        .filter(
            Q(state=SlotState.UPCOMING, opens_at__lte=now)
            | Q(state=SlotState.OPEN, remind_at__lte=now + BUNDLED_WITHIN)
            | Q(state=SlotState.OPEN, missed_at__lte=now)
        )
        .select_related("schedule")
        .order_by("opens_at", "schedule", "local_date", "n")
    )
    found: dict[int, list[Slot]] = defaultdict(list)
    for slot in rows:
        found[slot.patient_id].append(slot)
    return found


def read_listeners(
    patient_ids: Sequence[int], looked_at: Mapping[int, Sequence[Slot]], now: datetime
) -> dict[int, Listener | None]:
    """None for who takes no part any more: they are asked nothing. Eight statements, however many patients."""
    settings = ReminderSettings.objects.in_bulk(patient_ids)
    last_heard = _last_heard(patient_ids)
    said = dict(
        Message.objects.filter(patient_id__in=patient_ids, planned_at__gt=now - WEEK)
        .exclude(state__in=[Message.State.CANCELLED, Message.State.SKIPPED])
        .values_list("patient_id")
        .annotate(Count("id"))
    )
    return {
        patient_id: Listener(
            life.zones,
            _wishes(settings.get(patient_id)),
            max(
                [
                    last_heard.get(patient_id, date.min),
                    *(clock_at(slot.schedule.created_at, life.zones).date() for slot in looked_at.get(patient_id, [])),
                ]
            ),
            said.get(patient_id, 0),
            life.absences,
        )
        if life.takes_part
        else None
        for patient_id, life in read_lives(patient_ids).items()
    }


def _last_heard(patient_ids: Sequence[int]) -> dict[int, date]:
    """The local day of the last slot that each patient answered or declined; one row of an index each."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT patient_id, local_date FROM unnest(%s::bigint[]) AS patient_id CROSS JOIN LATERAL (
                SELECT local_date FROM reminders_slot
                WHERE reminders_slot.patient_id = patient_id.patient_id AND state IN ('completed', 'late', 'declined')
                ORDER BY local_date DESC LIMIT 1
            ) AS heard
            """,
            [list(patient_ids)],
        )
        return dict(cursor.fetchall())


def _wishes(settings: ReminderSettings | None) -> Wishes:
    if settings is None:
        return Wishes()
    return Wishes(
        settings.channel != ReminderSettings.Channel.NONE,
        settings.quiet_from,
        settings.quiet_to,
        settings.weekly_cap,
        settings.tell_week,
        settings.tell_seen,
    )


def _look_at(slots: Sequence[Slot], listener: Listener | None, now: datetime) -> list[Saying]:
    """Move one patient's slots on, and return what is to be said of them."""
    if listener is None:
        for slot in slots:
            slot.state, slot.remind_at = SlotState.WITHDRAWN, None
        return []
    open_slots = []
    for slot in slots:
        key = SlotKey(slot.schedule_id, slot.local_date, slot.n)
        open_slot = OpenSlot(key, slot.closes_at, read_rule(slot.schedule.rule).remind, slot.remind_at, slot.nudge)
        if slot.state == SlotState.UPCOMING:
            slot.state = SlotState.OPEN
            open_slot.remind_at = first_reminder(open_slot, slot.opens_at, listener)
        open_slots.append(open_slot)
    sayings = say(open_slots, now, listener)
    for slot, open_slot in zip(slots, open_slots, strict=True):
        slot.remind_at, slot.nudge = open_slot.remind_at, open_slot.nudge
        if slot.missed_at <= now:
            slot.state, slot.remind_at = SlotState.MISSED, None
    return sayings


def _message(saying: Saying, slot: Slot) -> Message:
    return Message(
        id=uuid7(),
        clinic_id=slot.clinic_id,
        patient_id=slot.patient_id,
        state=Message.State.SKIPPED if saying.why_not else Message.State.PENDING,
        planned_at=saying.planned_at,
        expires_at=saying.expires_at,
        error=saying.why_not,
    )


def _write_slots(slots: Sequence[Slot], revisions: dict[int, int]) -> None:
    if not slots:
        return
    rows = (
        (
            slot.patient_id,
            slot.schedule_id,
            slot.local_date,
            slot.n,
            str(slot.state),
            slot.remind_at,
            slot.nudge,
            revisions.get(slot.patient_id, slot.rev),
        )
        for slot in slots
    )
    with connection.cursor() as cursor:
        cursor.execute(
            """
            UPDATE reminders_slot AS slot
            SET state = new.state, remind_at = new.remind_at, nudge = new.nudge, rev = new.rev
            FROM unnest(%s::bigint[], %s::uuid[], %s::date[], %s::smallint[], %s::text[], %s::timestamptz[],
                        %s::smallint[], %s::bigint[])
                AS new (patient_id, schedule_id, local_date, n, state, remind_at, nudge, rev)
            WHERE slot.patient_id = new.patient_id AND slot.schedule_id = new.schedule_id
                AND slot.local_date = new.local_date AND slot.n = new.n
            """,
            [list(column) for column in zip(*rows, strict=True)],
        )


def _write_messages(messages: Sequence[tuple[Message, list[tuple[SlotKey, int]]]]) -> None:
    if not messages:
        return
    rows = (
        (
            message.id,
            message.clinic_id,
            message.patient_id,
            str(message.state),
            message.planned_at,
            message.expires_at,
            message.error,
        )
        for message, _ in messages
    )
    mentions = (
        (message.patient_id, message.clinic_id, message.id, key.schedule_id, key.local_date, key.n, nudge)
        for message, mentioned in messages
        for key, nudge in mentioned
    )
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO reminders_message (id, clinic_id, patient_id, state, planned_at, expires_at, error, due_at,
                                           kind, attempts, channel, receipt)
            SELECT *, planned_at, 'reminder', 0, '', ''
            FROM unnest(%s::uuid[], %s::bigint[], %s::bigint[], %s::text[], %s::timestamptz[], %s::timestamptz[],
                        %s::text[])
                AS new (id, clinic_id, patient_id, state, planned_at, expires_at, error)
            """,
            [list(column) for column in zip(*rows, strict=True)],
        )
        cursor.execute(
            """
            INSERT INTO reminders_mention (patient_id, clinic_id, message_id, schedule_id, local_date, n, nudge)
            SELECT * FROM unnest(%s::bigint[], %s::bigint[], %s::uuid[], %s::uuid[], %s::date[], %s::smallint[],
                                 %s::smallint[])
            """,
            [list(column) for column in zip(*mentions, strict=True)],
        )
