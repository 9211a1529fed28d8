"""What is told besides reminders: a week that can be looked back on, and that the team has seen something.

Both are brought by the phone's pull. Whether something is said of it as well is for the patient to decide.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from datetime import date, datetime, timedelta
from typing import Any

from django.db import connection, transaction
from django.db.models.signals import post_save
from django.dispatch import receiver
from uuid_utils.compat import uuid7

from backend.people.writes import next_revisions
from backend.reminders import wording
from backend.reminders.models import Message, Seen, Week
from backend.reminders.planning import read_lives
from backend.reminders.rhythm import Listener, news
from backend.reminders.ticking import read_listeners
from backend.reminders.weeks import WEEK, expect
from outcomes import library
from outcomes.models import AlertEvent

STALE = timedelta(days=2)  # older news are in the app, and nobody is told of them

# The counts of a week, in the order in which they are told.
COUNTED = ("diary", "session", "questionnaire", "seen")


@receiver(post_save, sender=AlertEvent)
def note_seen(instance: AlertEvent, *, created: bool, **_: Any) -> None:
    """Somebody took on what a response or session had raised. The patient's row is left to the worker: it is locked by
    whoever stores answers, who may be waiting for this alert."""
    seen = created and instance.kind in (AlertEvent.Kind.ACKNOWLEDGED, AlertEvent.Kind.CONTACTED) and instance.user_id
    source = instance.alert.source
    if seen and source.version != 5:  # what time itself has raised, the patient has not sent
        row = Seen(patient_id=instance.patient_id, clinic_id=instance.clinic_id, source=source, seen_at=instance.at)
        Seen.objects.bulk_create([row], ignore_conflicts=True)


def tell_seen(now: datetime, limit: int) -> Counter[str]:
    """Let the phones of up to `limit` patients know what has been seen; count it. A fixed number of statements."""
    with transaction.atomic():
        ids = _take_patients("reminders_seen", "rev IS NULL", "seen_at", limit)
        if not ids:
            return Counter()
        revisions, listeners = next_revisions(ids), read_listeners(ids, {}, now)
        rows = list(Seen.objects.filter(patient__in=ids, rev=None).order_by("seen_at"))
        for row in rows:
            row.rev = revisions[row.patient_id]
        Seen.objects.bulk_update(rows, ["rev"])
        newest = {row.patient_id: row for row in rows}
        told = [
            message
            for row in newest.values()
            if (listener := listeners[row.patient_id]) and now - row.seen_at < STALE
            if (message := _message(row, Message.Kind.SEEN, listener.wishes.tell_seen, now, listener))
        ]
        Message.objects.bulk_create(told)
    return Counter(seen=len(rows))


def look_back(now: datetime, limit: int) -> Counter[str]:
    """Put the weeks of up to `limit` patients that are over into words; count them. A fixed number of statements."""
    with transaction.atomic():
        ids = _take_patients("reminders_week", "made_at IS NULL AND due_at <= %(now)s", "due_at", limit, now)
        if not ids:
            return Counter()
        lives, listeners = read_lives(ids), read_listeners(ids, {}, now)
        weeks = list(Week.objects.filter(patient__in=ids, made_at=None, due_at__lte=now).order_by("first_day"))
        counts = _counts(ids, now)
        for week in weeks:
            week.made_at = now
            if listeners[week.patient_id]:
                language = lives[week.patient_id].patient.language
                week.words = wording.week(language, counts[week.patient_id, week.first_day])
        filled = [week for week in weeks if week.words]
        revisions = next_revisions({week.patient_id for week in filled}) if filled else {}
        for week in filled:
            week.rev = revisions[week.patient_id]
        Week.objects.bulk_update(weeks, ["made_at", "words", "rev"])
        expect(
            (week.patient_id, week.clinic_id, week.first_day + WEEK, lives[week.patient_id].zones)
            for week in weeks
            if listeners[week.patient_id]
        )
        told = [
            message
            for week in filled
            if (listener := listeners[week.patient_id]) and now - week.due_at < STALE
            if (message := _message(week, Message.Kind.WEEK, listener.wishes.tell_week, now, listener))
        ]
        Message.objects.bulk_create(told)
    return Counter(weeks=len(weeks))


def _take_patients(table: str, waits: str, order: str, limit: int, now: datetime | None = None) -> list[int]:
    """Lock the revisions of patients of whom something waits in `table`. No lock is waited for."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            SELECT patient_id FROM people_patient_rev WHERE NOT erased AND patient_id IN (
                SELECT patient_id FROM {table} WHERE {waits} ORDER BY {order} LIMIT %(limit)s
            ) FOR UPDATE SKIP LOCKED
            """,  # noqa: S608 - constants
            {"now": now, "limit": limit},
        )
        return sorted(patient_id for (patient_id,) in cursor)


def _message(row: Week | Seen, kind: Message.Kind, wanted: bool, now: datetime, listener: Listener) -> Message | None:
    saying = news(wanted, now, listener)
    if saying is None:
        return None
    return Message(
        id=uuid7(),
        clinic_id=row.clinic_id,
        patient_id=row.patient_id,
        kind=kind,
        planned_at=saying.planned_at,
        due_at=saying.planned_at,
        expires_at=saying.expires_at,
    )


def _counts(patient_ids: Collection[int], now: datetime) -> dict[tuple[int, date], dict[str, int]]:
    """What was done in each week that waits, by patient and Monday."""
    daily = [each.code for each in library.newest() if each.cadence == "daily"]
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT week.patient_id, week.first_day, said.days, (
                    SELECT count(*) FROM exercises_session AS session
                    WHERE session.patient_id = week.patient_id AND live AND skipped = '' AND NOT going_on
                        AND local_day BETWEEN week.first_day AND week.first_day + 6
                ), said.questionnaires, (
                    SELECT count(*) FROM reminders_seen AS seen
                    WHERE seen.patient_id = week.patient_id
                        AND seen_at BETWEEN week.due_at - interval '7 days' AND week.due_at
                )
            FROM reminders_week AS week CROSS JOIN LATERAL (
                SELECT count(DISTINCT local_day) FILTER (WHERE code = ANY(%(daily)s)) AS days,
                    count(*) FILTER (WHERE code <> ALL(%(daily)s)) AS questionnaires
                FROM outcomes_response AS response JOIN outcomes_instrumentversion AS version
                    ON version.id = response.instrument_id
                WHERE response.patient_id = week.patient_id AND live AND origin <> 'import'
                    AND local_day BETWEEN week.first_day AND week.first_day + 6
            ) AS said
            WHERE week.patient_id = ANY(%(ids)s) AND made_at IS NULL AND due_at <= %(now)s
            """,
            {"daily": daily, "ids": list(patient_ids), "now": now},
        )
        return {(patient, day): dict(zip(COUNTED, counts, strict=True)) for patient, day, *counts in cursor}
