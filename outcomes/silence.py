"""Red flags that time itself raises: a flare that nobody has called over, silence after a high state.

Looked for again and again over all patients. Doing it twice changes nothing: a state that goes on is told once in so
many days (`again_after_days`).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, datetime, timedelta
from typing import Protocol
from zoneinfo import ZoneInfo

import msgspec
from django.db import connection, transaction

from backend.people.models import Origin
from backend.people.writes import Door, hold
from outcomes.alert_decisions import flare_since
from outcomes.alert_history import REACH, read_histories
from outcomes.alert_rules import Rule, rule
from outcomes.alerts import SILENT_ORIGINS, Finding, raise_for, source_of
from outcomes.clinic_rules import rules_of
from outcomes.models import Alert

FLARE = "daily-diary.flare"
PAIN = "daily-diary.pain-average"
DEPRESSION = ("phq-9.total", "phq-8.total")
EXERCISE = ["adherence", "session", "activity"]  # measures that come of sessions: nobody reports them
# What was last said of pain or mood counts as the last state for so long before the silence began.
PAIN_HOLDS, DEPRESSION_HOLDS = timedelta(days=7), timedelta(days=35)
LONGEST_SILENCE = 90  # days; who has been away for longer was told of, more than once
# In SQL, the origin of what time raises about a patient. A record that began with an import has a phone by now; one
# without an account was restored from another server, and nobody is told that its patient can't be heard here yet.
SPOKEN = "CASE WHEN origin = 'simulated' THEN 'simulated' WHEN user_id IS NULL THEN 'import' ELSE 'clinic' END"


class LastHeard(msgspec.Struct, frozen=True):
    """When a patient last reported anything, and the newest values that say how they were. Days are local ones."""

    today: date
    last_day: date
    pain: float | None = None
    pain_day: date | None = None
    depression: float | None = None
    depression_day: date | None = None

    def was_high(self, rule: Rule) -> bool:
        hurt = _held(self.pain, self.pain_day, self.last_day - PAIN_HOLDS) >= rule.number("pain_at_least")
        low = _held(self.depression, self.depression_day, self.last_day - DEPRESSION_HOLDS)
        return hurt or low >= rule.number("depression_at_least")

    def calls_for(self, rule: Rule) -> bool:
        """Nothing for so many days after a high state (MISS-1)."""
        return (self.today - self.last_day).days >= rule.number("silent_days") and self.was_high(rule)


def _held(value: float | None, day: date | None, since: date) -> float:
    return value if value is not None and day is not None and day >= since else -1


def look_for_silence(now: datetime) -> int:
    """Raise what time has made of flares and silences; how many findings that were. A fixed number of statements."""
    with transaction.atomic():
        if not take_turn("silence"):
            return 0
        return raise_by_origin([*_flares(now), *_silences(now)], now)


def take_turn(name: str) -> bool:
    """Whether nobody else looks for the same at this moment; holds until the end of the transaction."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(hashtextextended(%s, 0))", [f"alerts:{name}"])
        return bool(cursor.fetchone()[0])


class State(Protocol):
    """How things are with a patient on their day, and whether that calls for an alert by a clinic's own rule."""

    @property
    def today(self) -> date: ...

    def calls_for(self, rule: Rule, /) -> bool: ...


def findings_of[S: State](
    code: str, states: Sequence[tuple[int, int, str, S]], now: datetime
) -> list[tuple[str, Finding]]:
    """What this rule finds in the states of patients, each given with patient, clinic and the record's origin."""
    rules = rules_of(clinic for _, clinic, _, _ in states)
    return [
        (origin, Finding(patient, clinic, source_of(own, state.today), now, [own]))
        for patient, clinic, origin, state in states
        if state.calls_for(own := rules[clinic][code])
    ]


def raise_by_origin(found: Iterable[tuple[str, Finding]], now: datetime) -> int:
    """Raise findings, each by the origin of what it is about: what is simulated tells nobody here either.

    An erasure waits for this, or has come first: an alert doesn't outlive its patient.
    """
    found = list(found)
    living = hold(finding.patient_id for _, finding in found)
    by_origin: dict[str, list[Finding]] = {}
    for origin, finding in found:
        if finding.patient_id in living:
            by_origin.setdefault(origin, []).append(finding)
    for origin, findings in sorted(by_origin.items()):
        raise_for(findings, Door(origin=origin, received_at=now))
    return sum(map(len, by_origin.values()))


def _flares(now: datetime) -> list[tuple[str, Finding]]:
    """The flares that were information only and have lasted too long."""
    least = rule("FLARE").thresholds["lasting_days"].least
    standing = list(
        Alert.objects.filter(rule="FLARE", severity=Alert.Severity.INFO, opened_at__lte=now - timedelta(days=least - 1))
        .exclude(state__in=[Alert.State.RESOLVED, Alert.State.REVIEW])
        .values_list("patient_id", "clinic_id", "origin", "patient__user", "patient__time_zone")
    )
    if not standing:
        return []
    turned = now - timedelta(hours=4)
    today = {patient: turned.astimezone(ZoneInfo(zone)).date() for patient, _, _, _, zone in standing}
    spans = {(patient, FLARE): (day - REACH[FLARE], day) for patient, day in today.items()}
    histories = read_histories(spans)
    rules = rules_of(clinic for _, clinic, _, _, _ in standing)
    found = []
    for patient, clinic, origin, account, _ in standing:
        own = rules[clinic]["FLARE"]
        if flare_since(own, histories[patient, FLARE], today[patient]) == own.severity:
            source = source_of(own, today[patient])
            spoken = origin if account or origin in SILENT_ORIGINS else Origin.IMPORT
            found.append((spoken, Finding(patient, clinic, source, now, [own])))
    return found


def _silences(now: datetime) -> list[tuple[str, Finding]]:
    """The patients who have reported nothing since they were last in a high state.

    What the trends say of them is enough, unless something came in that the trends have not seen yet.
    """
    least = int(rule("MISS-1").thresholds["silent_days"].least)
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            SELECT patient.id, patient.clinic_id, {SPOKEN}, (%(now)s AT TIME ZONE patient.time_zone)::date,
                max(last_day) FILTER (WHERE split_part(code, '.', 1) <> ALL(%(exercise)s)),
                max(last_value) FILTER (WHERE code = %(pain)s), max(last_day) FILTER (WHERE code = %(pain)s),
                (array_agg(last_value ORDER BY last_day DESC) FILTER (WHERE code = ANY(%(depression)s)))[1],
                max(last_day) FILTER (WHERE code = ANY(%(depression)s))
            FROM people_patient AS patient
            JOIN outcomes_trend AS trend ON trend.patient_id = patient.id AND trend.last_day IS NOT NULL
            JOIN outcomes_measure AS measure ON measure.id = trend.measure_id
            WHERE patient.status = 'active'
                AND EXISTS (SELECT FROM people_consent WHERE patient_id = patient.id AND withdrawn_at IS NULL)
                AND NOT EXISTS (SELECT FROM outcomes_trend_due AS due WHERE due.patient_id = patient.id)
            GROUP BY patient.id
            HAVING max(last_day) FILTER (WHERE split_part(code, '.', 1) <> ALL(%(exercise)s))
                BETWEEN (%(now)s AT TIME ZONE patient.time_zone)::date - %(longest)s
                    AND (%(now)s AT TIME ZONE patient.time_zone)::date - %(least)s
            """,  # noqa: S608 - a constant
            {
                "now": now,
                "exercise": EXERCISE,
                "pain": PAIN,
                "depression": list(DEPRESSION),
                "longest": LONGEST_SILENCE,
                "least": least,
            },
        )
        heard = [(patient, clinic, origin, LastHeard(*last)) for patient, clinic, origin, *last in cursor.fetchall()]
    return findings_of("MISS-1", heard, now)
