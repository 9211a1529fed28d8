"""Who has stopped answering: reminders grow rare and end, and the clinic is told instead (MISS-2)."""

from __future__ import annotations

from datetime import date, datetime

import msgspec
from django.db import connection, transaction

from outcomes.alert_rules import Rule, rule
from outcomes.silence import EXERCISE, LONGEST_SILENCE, SPOKEN, findings_of, raise_by_origin, take_turn


class Asked(msgspec.Struct, frozen=True):
    """A patient's day, and the local day since which they were asked and said nothing."""

    today: date
    since: date

    def calls_for(self, rule: Rule) -> bool:
        return (self.today - self.since).days >= rule.number("silent_days")


def look_for_the_silent(now: datetime) -> int:
    """Raise MISS-2 for who was asked and said nothing; how many findings that were. A fixed number of statements."""
    with transaction.atomic():
        if not take_turn("asked in vain"):
            return 0
        return raise_by_origin(findings_of("MISS-2", _silent(now), now), now)


def _silent(now: datetime) -> list[tuple[int, int, str, Asked]]:
    """Those who let pass what they were asked for, without a word since.

    Not those who are away, nor those of whose silence the clinic has been told already.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            WITH here AS (
                SELECT id, clinic_id, {SPOKEN} AS origin, (%(now)s AT TIME ZONE time_zone)::date AS today
                FROM people_patient AS patient
                WHERE status = 'active'
                    AND EXISTS (SELECT FROM people_consent WHERE patient_id = patient.id AND withdrawn_at IS NULL)
            )
            SELECT here.id, here.clinic_id, here.origin, today, missed.first
            FROM here
            CROSS JOIN LATERAL (
                SELECT greatest(
                    (SELECT max(last_day)
                     FROM outcomes_trend JOIN outcomes_measure AS measure ON measure.id = measure_id
                     WHERE patient_id = here.id AND split_part(code, '.', 1) <> ALL(%(exercise)s)),
                    (SELECT max(local_day) FROM exercises_session WHERE patient_id = here.id AND live),
                    (SELECT max(local_date) FROM reminders_slot
                     WHERE patient_id = here.id AND state IN ('completed', 'late', 'declined')),
                    today - %(longest)s
                ) AS day
            ) AS heard
            CROSS JOIN LATERAL (
                SELECT min(local_date) AS first FROM reminders_slot
                WHERE patient_id = here.id AND state = 'missed' AND local_date > heard.day AND local_date <= today
            ) AS missed
            WHERE missed.first <= today - %(least)s
                AND NOT EXISTS (SELECT FROM outcomes_trend_due WHERE patient_id = here.id)
                AND NOT EXISTS (
                    SELECT FROM outcomes_alert WHERE patient_id = here.id AND rule IN ('MISS-1', 'ADH-1')
                        AND state NOT IN ('resolved', 'review')
                )
                AND NOT EXISTS (
                    SELECT FROM reminders_absence
                    WHERE patient_id = here.id AND NOT cancelled AND today BETWEEN first_day AND last_day
                )
            """,  # noqa: S608 - a constant
            {
                "now": now,
                "exercise": EXERCISE,
                "longest": LONGEST_SILENCE,
                "least": int(rule("MISS-2").thresholds["silent_days"].least),
            },
        )
        return [(patient, clinic, origin, Asked(*days)) for patient, clinic, origin, *days in cursor.fetchall()]
