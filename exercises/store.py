"""Set-wise reads and writes of sessions: one statement each, however many rows."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import date, datetime, timedelta
from uuid import UUID

import msgspec
from django.db import connection

from backend.people.writes import Door
from exercises.alarms import PainOfSession
from exercises.entry import Exercise
from exercises.items import AdverseEventItem, Draft, FollowupItem
from exercises.plan import Plan
from outcomes.models import AlertEvent
from outcomes.store import columns

Key = tuple[int, UUID]


class Standing(msgspec.Struct, frozen=True):
    """What the database already holds under a session's key."""

    digest: bytes
    local_day: date
    live: bool
    withdrawn: bool
    time_zone: str


class Prescribed(msgspec.Struct, frozen=True):
    """One prescription that sessions name."""

    programme: UUID
    starts_on: date
    ends_on: date | None
    plan: Plan
    exercises: dict[str, Exercise]


class SessionRow(msgspec.Struct, frozen=True):
    """A session about to be stored. `content` is JSON text, `marks` are joined by commas."""

    patient_id: int
    id: UUID
    clinic_id: int
    programme: UUID | None
    prescription: UUID | None
    rev: int
    authored_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    local_day: date
    minutes: float | None
    share: float
    met_minutes: float
    utc_offset: int
    rpe: int | None
    pain_before: int | None
    pain_during: int | None
    pain_after: int | None
    going_on: bool
    skipped: str
    time_zone: str
    digest: bytes
    content: str
    replaces: UUID | None
    marks: str


def row_of(
    draft: Draft, found: Prescribed | None, share: float, met_minutes: float, marks: list[str], rev: int
) -> SessionRow:
    item = draft.item
    offset = draft.authored_at.utcoffset() or timedelta()
    return SessionRow(
        patient_id=draft.patient_id,
        id=item.id,
        clinic_id=draft.clinic_id,
        programme=found.programme if found else None,
        prescription=item.prescription,
        rev=rev,
        authored_at=draft.authored_at,
        started_at=item.started_at,
        finished_at=item.finished_at,
        local_day=draft.local_day,
        minutes=draft.minutes,
        share=share,
        met_minutes=met_minutes,
        utc_offset=int(offset.total_seconds()) // 60,
        rpe=item.rpe,
        pain_before=item.pain_before,
        pain_during=item.pain_during,
        pain_after=item.pain_after,
        going_on=draft.going_on,
        skipped=item.skipped or "",
        time_zone=item.time_zone,
        digest=draft.digest,
        content=msgspec.json.encode(item).decode(),
        replaces=item.replaces,
        marks=",".join(marks),
    )


def standing_sessions(keys: Iterable[Key]) -> dict[Key, Standing]:
    """The stored sessions among `keys` (patient, id)."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT patient_id, id, digest, local_day, live, withdrawn_at IS NOT NULL, time_zone
            FROM exercises_session JOIN unnest(%s::bigint[], %s::uuid[]) AS key (patient_id, id) USING (patient_id, id)
            """,
            columns(sorted(set(keys)), 2),
        )
        return {(row[0], row[1]): Standing(bytes(row[2]), *row[3:]) for row in cursor.fetchall()}


def prescriptions(keys: Collection[tuple[int, UUID | None]]) -> dict[Key, Prescribed]:
    """The prescriptions among `keys` (patient, id), with what they prescribe."""
    named = sorted((patient, number) for patient, number in keys if number)
    if not named:
        return {}
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT patient_id, id, programme, starts_on, ends_on, plan::text, exercises::text
            FROM exercises_prescription
                JOIN unnest(%s::bigint[], %s::uuid[]) AS key (patient_id, id) USING (patient_id, id)
            """,
            columns(named, 2),
        )
        return {
            (row[0], row[1]): Prescribed(row[2], row[3], row[4], _plan.decode(row[5]), _exercises.decode(row[6]))
            for row in cursor.fetchall()
        }


_plan = msgspec.json.Decoder(Plan)
_exercises = msgspec.json.Decoder(dict[str, Exercise])


def overlapping(drafts: Sequence[Draft]) -> set[Key]:
    """Those of `drafts` whose time overlaps another session's, stored or among them; a replaced one does not count."""
    timed = [
        (draft.patient_id, draft.item.id, draft.item.started_at, _ended(draft, draft.item.started_at))
        for draft in drafts
        if draft.item.started_at and not draft.item.skipped
    ]
    replaced = {(draft.patient_id, draft.item.replaces) for draft in drafts}
    if not timed:
        return set()
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT patient_id, id, started_at,
                coalesce(finished_at, started_at + minutes * interval '1 minute', authored_at) FROM exercises_session
            WHERE patient_id = ANY(%s) AND live AND skipped = '' AND started_at IS NOT NULL
                AND local_day BETWEEN %s AND %s
            """,
            [
                list({patient for patient, *_ in timed}),
                min(draft.local_day for draft in drafts) - timedelta(days=1),
                max(draft.local_day for draft in drafts) + timedelta(days=1),
            ],
        )
        known = cursor.fetchall()
    every = sorted(
        (patient, started, ended, number)
        for patient, number, started, ended in {*known, *timed}
        if (patient, number) not in replaced
    )
    found: set[Key] = set()
    furthest: dict[int, tuple[datetime, UUID]] = {}
    for patient, started, ended, number in every:
        if patient in furthest and started < furthest[patient][0]:
            found |= {(patient, number), (patient, furthest[patient][1])}
        if patient not in furthest or ended > furthest[patient][0]:
            furthest[patient] = (ended, number)
    return found & {(patient, number) for patient, number, *_ in timed}


def _ended(draft: Draft, started_at: datetime) -> datetime:
    """When a session ended: many a phone tells the minutes alone."""
    if draft.item.finished_at is None and draft.minutes is not None:
        return started_at + timedelta(minutes=draft.minutes)
    return draft.item.finished_at or draft.authored_at


def insert_sessions(rows: Sequence[SessionRow], door: Door) -> None:
    """Store sessions. A row whose key exists is left as it stands."""
    ordered = sorted(rows, key=lambda row: (row.patient_id, row.id))
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO exercises_session (received_at, origin, device, clock_skew, live, withdrawn_reason,
                patient_id, id, clinic_id, programme, prescription, rev, authored_at, started_at, finished_at,
                local_day, minutes, share, met_minutes, utc_offset, rpe, pain_before, pain_during, pain_after,
                going_on, skipped, time_zone, digest, content, replaces, marks)
            SELECT %s, %s, %s, %s, true, '',
                patient_id, id, clinic_id, programme, prescription, rev, authored_at, started_at, finished_at,
                local_day, minutes, share, met_minutes, utc_offset, rpe, pain_before, pain_during, pain_after,
                going_on, skipped, time_zone, digest, content::jsonb, replaces, string_to_array(marks, ',')
            FROM unnest(%s::bigint[], %s::uuid[], %s::int[], %s::uuid[], %s::uuid[], %s::bigint[], %s::timestamptz[],
                %s::timestamptz[], %s::timestamptz[], %s::date[], %s::float8[], %s::float8[], %s::float8[],
                %s::smallint[], %s::smallint[], %s::smallint[], %s::smallint[], %s::smallint[], %s::bool[], %s::text[],
                %s::text[], %s::bytea[], %s::text[], %s::uuid[], %s::text[])
                AS new (patient_id, id, clinic_id, programme, prescription, rev, authored_at, started_at, finished_at,
                    local_day, minutes, share, met_minutes, utc_offset, rpe, pain_before, pain_during, pain_after,
                    going_on, skipped, time_zone, digest, content, replaces, marks)
            ON CONFLICT DO NOTHING
            """,
            [
                door.received_at,
                door.origin,
                door.device_id,
                door.clock_skew,
                *columns([msgspec.structs.astuple(row) for row in ordered], len(SessionRow.__struct_fields__)),
            ],
        )


def retire_sessions(replaced: Sequence[tuple[int, UUID, int, UUID]]) -> None:
    """Take sessions (patient, id, rev, replaced by) out of what counts; they stay on record as they are."""
    if not replaced:
        return
    with connection.cursor() as cursor:
        cursor.execute(
            """
            UPDATE exercises_session AS mine SET live = false, rev = old.rev, replaced_by = old.by
            FROM unnest(%s::bigint[], %s::uuid[], %s::bigint[], %s::uuid[]) AS old (patient_id, id, rev, by)
            WHERE mine.patient_id = old.patient_id AND mine.id = old.id
            """,
            columns(sorted(replaced), 4),
        )


def withdraw_sessions(withdrawn: Sequence[tuple[int, UUID, int, str]], door: Door) -> None:
    """Mark sessions (patient, id, rev, reason) as taken back; they stay on record as they are."""
    if not withdrawn:
        return
    with connection.cursor() as cursor:
        cursor.execute(
            """
            UPDATE exercises_session AS mine
            SET live = false, rev = old.rev, withdrawn_at = %s, withdrawn_by_id = %s, withdrawn_reason = old.reason
            FROM unnest(%s::bigint[], %s::uuid[], %s::bigint[], %s::text[]) AS old (patient_id, id, rev, reason)
            WHERE mine.patient_id = old.patient_id AND mine.id = old.id
            """,
            [door.received_at, door.user_id, *columns(sorted(withdrawn), 4)],
        )


def standing_followups(patient_id: int, ids: list[UUID]) -> dict[UUID, bytes]:
    return _standing("exercises_session_followup", patient_id, ids)


def standing_adverse_events(patient_id: int, ids: list[UUID]) -> dict[UUID, bytes]:
    return _standing("exercises_adverse_event", patient_id, ids)


def _standing(table: str, patient_id: int, ids: list[UUID]) -> dict[UUID, bytes]:
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT id, digest FROM {table} WHERE patient_id = %s AND id = ANY(%s)",  # noqa: S608  ours
            [patient_id, ids],
        )
        return {row[0]: bytes(row[1]) for row in cursor.fetchall()}


def insert_followups(
    rows: Sequence[tuple[FollowupItem, bytes]], patient_id: int, clinic_id: int, door: Door, rev: int
) -> None:
    if not rows:
        return
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO exercises_session_followup
                (patient_id, clinic_id, rev, received_at, origin, id, session, authored_at, pain_next_day, note, digest)
            SELECT %s, %s, %s, %s, %s, *
            FROM unnest(%s::uuid[], %s::uuid[], %s::timestamptz[], %s::smallint[], %s::text[], %s::bytea[])
            ON CONFLICT DO NOTHING
            """,
            [
                *(patient_id, clinic_id, rev, door.received_at, door.origin),
                *columns(
                    [
                        (item.id, item.session, item.authored_at, item.pain_next_day, item.note, digest)
                        for item, digest in rows
                    ],
                    6,
                ),
            ],
        )


def insert_adverse_events(
    rows: Sequence[tuple[AdverseEventItem, bytes]], patient_id: int, clinic_id: int, door: Door, rev: int
) -> None:
    if not rows:
        return
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO exercises_adverse_event (patient_id, clinic_id, rev, received_at, origin, id, session,
                authored_at, local_day, severity, kind, during, note, digest)
            SELECT %s, %s, %s, %s, %s, *
            FROM unnest(%s::uuid[], %s::uuid[], %s::timestamptz[], %s::date[], %s::smallint[], %s::text[], %s::text[],
                %s::text[], %s::bytea[])
            ON CONFLICT DO NOTHING
            """,
            [
                *(patient_id, clinic_id, rev, door.received_at, door.origin),
                *columns(
                    [
                        (
                            *(item.id, item.session, item.authored_at, item.authored_at.date(), item.severity),
                            *(item.kind, item.during, item.note, digest),
                        )
                        for item, digest in rows
                    ],
                    9,
                ),
            ],
        )


def pain_of_sessions(patient_ids: Sequence[int], since: datetime) -> dict[tuple[int, int], list[PainOfSession]]:
    """How the sessions since then hurt, by patient and the clinic where they are now. One statement."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT patient_id, patient.clinic_id, mine.id, authored_at, pain_before,
                greatest(pain_during, pain_after), (
                SELECT pain_next_day FROM exercises_session_followup AS after
                WHERE after.patient_id = mine.patient_id AND after.session = mine.id
                ORDER BY authored_at DESC, id DESC LIMIT 1)
            FROM exercises_session AS mine JOIN people_patient AS patient ON patient.id = mine.patient_id
            WHERE patient_id = ANY(%s) AND live AND skipped = '' AND authored_at >= %s
            """,
            [list(patient_ids), since],
        )
        found: dict[tuple[int, int], list[PainOfSession]] = {}
        for patient, clinic, *pain in cursor.fetchall():
            found.setdefault((patient, clinic), []).append(PainOfSession(*pain))
        return found


def said_of_exercise(patient_ids: Sequence[int]) -> set[tuple[int, UUID]]:
    """The sessions that EX-1 was raised by already, with their patients."""
    events = AlertEvent.objects.filter(patient__in=patient_ids, alert__rule="EX-1", source__isnull=False)
    return {(patient, source) for patient, source in events.values_list("patient", "source") if source}
