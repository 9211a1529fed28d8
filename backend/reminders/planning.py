"""From schedules to standing slots: only the difference between what should stand and what does is written."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db import connection, transaction
from django.db.models import Q

from backend.people.models import Patient, ZoneHistory
from backend.people.writes import next_revisions
from backend.reminders.models import Absence, Schedule, Slot, SlotState
from backend.reminders.programmes import Stretch, read_programmes
from backend.reminders.slots import DAY, Due, Rule, Span, Zones, clock_at, due, read_rule
from backend.reminders.weeks import expect, monday_of
from exercises.models import Pause

# A phone that is away for a week still knows its next days; planned anew when half of it is used up.
HORIZON = timedelta(days=14)
PLAN_AGAIN = timedelta(days=7)
LONGEST_WINDOW = timedelta(days=92)  # what slots.Window allows

# Slots in these states follow their schedule; in the others something has happened that no edit undoes.
MOVABLE = (SlotState.UPCOMING, SlotState.OPEN, SlotState.PAUSED, SlotState.WITHDRAWN)


@dataclass
class Life:
    """What of a patient's life decides when their slots are: where they were, and when nothing is asked.

    `takes_part` is false after discharge and without a consent in force: then nothing is asked at all.
    """

    patient: Patient
    zones: Zones
    takes_part: bool
    absences: list[Span] = field(default_factory=list)
    programme_pauses: dict[str, list[Span]] = field(default_factory=lambda: defaultdict(list))


@dataclass
class Change:
    """A slot as it should stand."""

    patient_id: int
    clinic_id: int
    schedule_id: UUID
    due: Due
    state: SlotState


def plan(patient_ids: Iterable[int], now: datetime) -> int:
    """Make the slots of these patients stand as their schedules, zones and pauses say; return how many changed.

    The same number of statements for one patient and for a thousand. Takes the patients' next revisions.
    """
    ids = sorted(set(patient_ids))
    with transaction.atomic():
        revisions = next_revisions(ids)
        lives = read_lives(ids)
        today = now.astimezone(UTC).date()
        schedules = list(
            Schedule.objects.filter(patient_id__in=ids).filter(Q(active=True) | Q(planned_until__gte=today - DAY))
        )
        programmes = read_programmes(schedules)
        standing = _standing(schedules, now)
        new: list[Change] = []
        moved: list[Change] = []
        for schedule in schedules:
            life = lives[schedule.patient_id]
            slots = standing.get(schedule.id, {})
            days = _days(now, life.zones)
            wanted = {(slot.local_date, slot.n): slot for slot in _wanted(schedule, life, programmes, days)}
            for key, slot in wanted.items():
                if (stands := slots.pop(key, None)) is not None:
                    state = _state(slot, stands, now)
                    if stands.state in MOVABLE and (state, *_times(slot)) != (stands.state, *_times(stands)):
                        moved.append(Change(schedule.patient_id, schedule.clinic_id, schedule.id, slot, state))
                elif slot.closes_at > now:
                    new.append(
                        Change(schedule.patient_id, schedule.clinic_id, schedule.id, slot, _state(slot, None, now))
                    )
            for stands in slots.values():
                if stands.state in MOVABLE[:3] and stands.closes_at > now and stands.local_date <= days.last:
                    gone = Due(stands.local_date, stands.n, *_times(stands), paused=False)
                    moved.append(
                        Change(schedule.patient_id, schedule.clinic_id, schedule.id, gone, SlotState.WITHDRAWN)
                    )
        _insert(new, revisions)
        _move(moved, revisions)
        asked = {schedule.patient_id: schedule.clinic_id for schedule in schedules if schedule.active}
        expect(
            (patient_id, clinic_id, monday_of(now, lives[patient_id].zones), lives[patient_id].zones)
            for patient_id, clinic_id in sorted(asked.items())
            if lives[patient_id].takes_part
        )
        Schedule.objects.filter(pk__in=[schedule.pk for schedule in schedules]).update(planned_until=today + HORIZON)
        if over := [schedule.pk for schedule in schedules if _is_over(schedule, programmes, today)]:
            Schedule.objects.filter(pk__in=over).update(active=False)
    return len(new) + len(moved)


def plan_ahead(now: datetime, limit: int) -> int:
    """Plan the patients whose slots will run out within a week, the first of them; return how many patients it were.

    Two workers don't wait for each other: each takes patients that the other hasn't.
    """
    soon = (now + PLAN_AGAIN).astimezone(UTC).date()
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute(
                """
                SELECT patient_id FROM people_patient_rev WHERE NOT erased AND patient_id IN (
                    SELECT patient_id FROM reminders_schedule
                    WHERE active AND (planned_until IS NULL OR planned_until < %s)
                    ORDER BY planned_until NULLS FIRST LIMIT %s
                ) ORDER BY patient_id FOR UPDATE SKIP LOCKED
                """,
                [soon, limit],
            )
            ids = [patient_id for (patient_id,) in cursor]
        if ids:
            plan(ids, now)
    return len(ids)


def read_lives(patient_ids: Sequence[int]) -> dict[int, Life]:
    """Five statements, however many patients."""
    lives = {}
    consenting = set(Patient.objects.filter(pk__in=patient_ids).consenting().values_list("pk", flat=True))
    zones: dict[int, list[tuple[datetime, ZoneInfo]]] = defaultdict(list)
    for row in ZoneHistory.objects.filter(patient_id__in=patient_ids).order_by("since"):
        zones[row.patient_id].append((row.since, ZoneInfo(row.time_zone)))
    for patient in Patient.objects.filter(pk__in=patient_ids):
        known = zones[patient.pk] or [(patient.created_at, ZoneInfo(patient.time_zone))]
        takes_part = patient.status == Patient.Status.ACTIVE and patient.pk in consenting
        lives[patient.pk] = Life(patient, known, takes_part)
    for absence in Absence.objects.filter(patient_id__in=patient_ids, cancelled=False):
        lives[absence.patient_id].absences.append(Span(absence.first_day, absence.last_day))
    for pause in Pause.objects.filter(patient_id__in=patient_ids):
        span = Span(pause.from_day, pause.to_day or date.max)
        lives[pause.patient_id].programme_pauses[str(pause.programme)].append(span)
    return lives


def anchor_of(schedule: Schedule, rule: Rule, life: Life) -> date | None:
    """The local day that the rule counts from; None while it is not known, and then nothing is asked."""
    if rule.anchor == "programme-start":
        return life.patient.programme_started_on
    if rule.anchor == "enrolment":
        enrolled_at = life.patient.enrolled_at
        return enrolled_at and clock_at(enrolled_at, life.zones).date()
    return schedule.anchor_on


def _wanted(
    schedule: Schedule, life: Life, programmes: Mapping[tuple[int, str], Sequence[Stretch]], days: Span
) -> list[Due]:
    if not schedule.active or not life.takes_part:
        return []
    rule = read_rule(schedule.rule)
    pauses = [*life.absences, *life.programme_pauses.get(schedule.code, [])]
    if rule.anchor == "prescription":
        stretches = programmes.get((schedule.patient_id, schedule.code), ())
        rules = [(stretch.rule(rule), stretch.first) for stretch in stretches if stretch.was_in_force]
    else:
        anchor = anchor_of(schedule, rule, life)
        rules = [] if anchor is None else [(rule, anchor)]
    return [
        slot
        for each, anchor in rules
        for slot in due(each, anchor, life.zones, pauses, Span(days.first - _longest(each) * DAY, days.last))
    ]


def _is_over(schedule: Schedule, programmes: Mapping[tuple[int, str], Sequence[Stretch]], today: date) -> bool:
    """A programme that has been stopped, or what was asked once, comes no more: it is planned no more either."""
    if schedule.because is not None and schedule.anchor_on is not None:
        return schedule.active and schedule.anchor_on < today - PLAN_AGAIN
    stretches = programmes.get((schedule.patient_id, schedule.code), ())
    lasts = [stretch.last for stretch in stretches]
    return schedule.active and bool(lasts) and all(last is not None and last < today - DAY for last in lasts)


def _longest(rule: Rule) -> int:
    return max(window.days for window in rule.windows)


def _days(now: datetime, zones: Zones) -> Span:
    today = clock_at(now, zones).date()
    return Span(today - DAY, today + HORIZON)


def _state(slot: Due, stands: Slot | None, now: datetime) -> SlotState:
    if slot.paused:
        return SlotState.PAUSED
    if stands is not None and slot.closes_at <= now and (stands.closes_at > now or stands.state == SlotState.WITHDRAWN):
        return SlotState.WITHDRAWN  # moved to hours that are over: nobody was asked in them
    if stands is not None and stands.state == SlotState.OPEN and slot.opens_at <= now:
        return SlotState.OPEN
    return SlotState.UPCOMING


def _times(slot: Due | Slot) -> tuple[datetime, datetime, datetime]:
    return slot.opens_at, slot.closes_at, slot.missed_at


def _standing(schedules: Sequence[Schedule], now: datetime) -> dict[UUID, dict[tuple[date, int], Slot]]:
    """The slots that a change could still reach, by schedule, day and number."""
    today = now.astimezone(UTC).date()
    rows = Slot.objects.filter(
        Q(local_date__gte=today - 2 * DAY) | Q(closes_at__gt=now),
        patient_id__in={schedule.patient_id for schedule in schedules},
        schedule_id__in=[schedule.id for schedule in schedules],
        local_date__gte=today - 2 * DAY - LONGEST_WINDOW,
    )
    found: dict[UUID, dict[tuple[date, int], Slot]] = defaultdict(dict)
    for slot in rows:
        found[slot.schedule_id][slot.local_date, slot.n] = slot
    return found


COLUMNS = """
    unnest(%s::bigint[], %s::bigint[], %s::uuid[], %s::date[], %s::smallint[], %s::timestamptz[], %s::timestamptz[],
           %s::timestamptz[], %s::text[], %s::bigint[])
    AS due (patient_id, clinic_id, schedule_id, local_date, n, opens_at, closes_at, missed_at, state, rev)
"""


def _columns(changes: Sequence[Change], revisions: Mapping[int, int]) -> list[list[object]]:
    rows = (
        (
            change.patient_id,
            change.clinic_id,
            change.schedule_id,
            change.due.local_date,
            change.due.n,
            *_times(change.due),
            str(change.state),
            revisions[change.patient_id],
        )
        for change in changes
    )
    return [list(column) for column in zip(*rows, strict=True)]


def _insert(changes: Sequence[Change], revisions: Mapping[int, int]) -> None:
    if not changes:
        return
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            INSERT INTO reminders_slot (patient_id, clinic_id, schedule_id, local_date, n, opens_at, closes_at,
                                        missed_at, state, rev, nudge, reason)
            SELECT *, 0, '' FROM {COLUMNS} ON CONFLICT DO NOTHING
            """,  # noqa: S608 - a constant
            _columns(changes, revisions),
        )


def _move(changes: Sequence[Change], revisions: Mapping[int, int]) -> None:
    """What is no longer open has nothing to say; a reminder that was said stays said (`nudge`)."""
    if not changes:
        return
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            UPDATE reminders_slot AS slot
            SET opens_at = due.opens_at, closes_at = due.closes_at, missed_at = due.missed_at, state = due.state,
                rev = due.rev, remind_at = CASE WHEN due.state = 'open' THEN remind_at END
            FROM {COLUMNS}
            WHERE slot.patient_id = due.patient_id AND slot.schedule_id = due.schedule_id
                AND slot.local_date = due.local_date AND slot.n = due.n
            """,  # noqa: S608 - a constant
            _columns(changes, revisions),
        )
