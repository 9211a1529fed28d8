"""Generated patients by the thousand, by SQL: enrolled, consenting, each with a phone and a diary to fill in."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import msgspec
from django.db import connection

from backend.people.models import CareTeam, Clinic, ClinicText
from backend.reminders.slots import Rule


def make_patients(number: int, rule: Rule, now: datetime, *, zone: str = "UTC") -> list[int]:
    """Return their ids. Nothing is planned yet. Each phone's push token is its patient's id."""
    since = now - timedelta(days=1)
    clinic = Clinic.objects.create(name="Generated", time_zone=zone, languages=["en"], simulated=True)
    team = CareTeam.objects.create(clinic=clinic, name="Generated")
    text = ClinicText.objects.create(clinic=clinic, kind="consent", language="en", version=1, body="Generated.")
    given: dict[str, Any] = {
        "number": number,
        "clinic": clinic.pk,
        "team": team.pk,
        "text": text.pk,
        "zone": zone,
        "since": since,
        "rule": msgspec.json.encode(rule.to_json()).decode(),
    }
    with connection.cursor() as cursor:
        cursor.execute("SET statement_timeout = 0")
        for statement in STATEMENTS:
            cursor.execute(statement, given)
        cursor.execute("SELECT id FROM people_patient WHERE clinic_id = %s ORDER BY id", [clinic.pk])
        return [patient for (patient,) in cursor]


def daytime(now: datetime) -> str:
    """A zone in which it is about noon: at night nobody is reminded."""
    return f"Etc/GMT{now.hour - 12:+d}"


def make_due(first: datetime, within: timedelta, zone: str, *, opened: bool = False) -> None:
    """One slot each, which is to be reminded of at its own moment of the time `within` after `first`.

    It opens at that moment; with `opened` every other one stands open since an hour before `first`.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO reminders_slot (patient_id, schedule_id, clinic_id, local_date, n, opens_at, closes_at,
                missed_at, state, remind_at, rev, nudge, reason)
            SELECT patient_id, id, clinic_id, (%(first)s AT TIME ZONE %(zone)s)::date, 0,
                CASE WHEN opened THEN %(first)s - interval '1 hour' ELSE moment END,
                %(first)s + interval '4 hours', %(first)s + interval '8 hours',
                CASE WHEN opened THEN 'open' ELSE 'upcoming' END, CASE WHEN opened THEN moment END, 1, 0, ''
            FROM (
                SELECT patient_id, id, clinic_id, place %% 2 = 0 AND %(opened)s AS opened,
                    %(first)s + make_interval(secs => %(seconds)s * (place - 1) / count(*) OVER ()) AS moment
                FROM (
                    SELECT patient_id, id, clinic_id, row_number() OVER (ORDER BY md5(id::text)) AS place
                    FROM reminders_schedule
                ) AS shuffled
            ) AS due
            """,
            {"first": first, "seconds": within.total_seconds(), "zone": zone, "opened": opened},
        )
        cursor.execute("ANALYZE")


OURS = "FROM people_patient AS patient WHERE clinic_id = %(clinic)s"
STATEMENTS = (
    """
    INSERT INTO people_patient (clinic_id, care_team_id, identifier, name, language, time_zone, status, origin,
        created_at, enrolled_at)
    SELECT %(clinic)s, %(team)s, 'G' || n, '', 'en', %(zone)s, 'active', 'clinic', %(since)s, %(since)s
    FROM generate_series(1, %(number)s) AS n
    """,
    f"INSERT INTO people_patient_rev (patient_id, rev) SELECT id, 1 {OURS}",
    f"""
    INSERT INTO people_consent (clinic_id, patient_id, text_id, given_at)
    SELECT clinic_id, id, %(text)s, %(since)s {OURS}
    """,
    f"""
    INSERT INTO people_zonehistory (clinic_id, patient_id, since, time_zone)
    SELECT clinic_id, id, %(since)s, %(zone)s {OURS}
    """,
    f"""
    INSERT INTO people_device (id, clinic_id, patient_id, name, session_key, created_at)
    SELECT uuidv7(), clinic_id, id, '', 'generated ' || id, %(since)s {OURS}
    """,
    """
    INSERT INTO reminders_address (device_id, clinic_id, patient_id, channel, target, updated_at, disabled_why)
    SELECT id, clinic_id, patient_id, 'fcm', patient_id::text, %(since)s, ''
    FROM people_device WHERE clinic_id = %(clinic)s
    """,
    f"""
    INSERT INTO reminders_schedule (id, clinic_id, patient_id, asks, code, rule, version, active, origin, created_at)
    SELECT uuidv7(), clinic_id, id, 'instrument', 'daily-diary', %(rule)s::jsonb, 1, true, 'clinic', %(since)s {OURS}
    """,
)
