"""ADH-1: a programme of which nothing, or too little, is done. Looked for again and again over all patients."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta

import msgspec
from django.db import connection, transaction

from outcomes.alert_rules import Rule, rule
from outcomes.silence import SPOKEN, findings_of, raise_by_origin, take_turn


class Programme(msgspec.Struct, frozen=True):
    """A patient's home programme as of today: since when it asks, the last session, the adherence of each day due."""

    today: date
    since: date
    last_session: date | None = None
    days: Sequence[date] = ()
    shares: Sequence[float] = ()

    def calls_for(self, rule: Rule) -> bool:
        """No session for so many days, or too little of the dose due. Days of a pause count for neither."""
        silent = (self.today - max(self.since, self.last_session or self.since)).days
        return silent >= rule.number("silent_days") or self._too_little(rule)

    def _too_little(self, rule: Rule) -> bool:
        over = timedelta(days=rule.number("over_days"))
        if self.today - self.since < over:
            return False
        shares = [
            share for day, share in zip(self.days, self.shares, strict=True) if self.today - over <= day < self.today
        ]
        return bool(shares) and sum(shares) / len(shares) < rule.number("share_below")


def look_for_lapses(now: datetime) -> int:
    """Raise ADH-1 where a programme in force has lapsed; how many findings that were. A fixed number of statements."""
    with transaction.atomic():
        if not take_turn("lapses"):
            return 0
        return raise_by_origin(findings_of("ADH-1", _programmes(now), now), now)


def _programmes(now: datetime) -> list[tuple[int, int, str, Programme]]:
    """Every programme that is in force today and not paused: a pause that ended begins the count anew."""
    reach = int(rule("ADH-1").thresholds["over_days"].most)
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            WITH here AS (
                SELECT id, clinic_id, {SPOKEN} AS origin, (%(now)s AT TIME ZONE time_zone)::date AS today
                FROM people_patient AS patient
                WHERE status = 'active'
                    AND EXISTS (SELECT FROM people_consent WHERE patient_id = patient.id AND withdrawn_at IS NULL)
            ), asked AS (
                SELECT here.id, here.clinic_id, here.origin, here.today,
                    min(greatest(begun.starts_on, rested.until)) AS since
                FROM here
                JOIN exercises_prescription AS mine ON mine.patient_id = here.id AND mine.starts_on <= today
                    AND (mine.ends_on IS NULL OR mine.ends_on >= today)
                CROSS JOIN LATERAL (
                    SELECT min(starts_on) AS starts_on FROM exercises_prescription AS version
                    WHERE version.patient_id = here.id AND version.programme = mine.programme
                ) AS begun
                CROSS JOIN LATERAL (
                    SELECT max(to_day) + 1 AS until, coalesce(bool_or(to_day IS NULL OR to_day >= today), false) AS now
                    FROM exercises_pause AS pause
                    WHERE pause.patient_id = here.id AND pause.programme = mine.programme AND pause.from_day <= today
                ) AS rested
                WHERE NOT rested.now
                GROUP BY here.id, here.clinic_id, here.origin, here.today
            )
            SELECT asked.id, asked.clinic_id, asked.origin, asked.today, asked.since, (
                    SELECT max(local_day) FROM exercises_session AS session
                    WHERE session.patient_id = asked.id AND live AND skipped = '' AND local_day <= asked.today
                ), coalesce(done.days, '{{}}'), coalesce(done.shares, '{{}}')
            FROM asked CROSS JOIN LATERAL (
                SELECT array_agg(local_day) AS days, array_agg(value) AS shares
                FROM outcomes_score AS score JOIN outcomes_measure AS measure ON measure.id = score.measure_id
                WHERE score.patient_id = asked.id AND measure.code = 'adherence.day' AND live
                    AND local_day BETWEEN asked.today - %(reach)s AND asked.today
            ) AS done
            """,  # noqa: S608 - a constant
            {"now": now, "reach": reach},
        )
        return [(patient, clinic, origin, Programme(*rest)) for patient, clinic, origin, *rest in cursor.fetchall()]
