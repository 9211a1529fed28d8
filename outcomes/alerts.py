"""Red flags on record: an alert is written in the transaction that stores what raised it.

There is no answer without its alert. Which rules there are stands in `alert_rules.toml`, whether one applies in
`alert_decisions.py`, what people do about an alert in `alert_handling.py`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from uuid import UUID, uuid5

import msgspec
from django.db import connection

from backend.people.hours import Hours, hours_of
from backend.people.writes import Door
from outcomes.alert_decisions import History, decide
from outcomes.alert_rules import RULES, SEVERITIES, Rule
from outcomes.clinic_rules import rules_of
from outcomes.instrument import Instrument
from outcomes.scoring import Scored
from outcomes.store import columns

# A phone that was offline for longer than this still raises its alert, labelled late.
LATE_AFTER = timedelta(hours=48)
# Imported and simulated answers older than this go to the review list.
REVIEW_AFTER = timedelta(days=14)
SILENT_ORIGINS = frozenset({"import", "simulated"})

HIGH = SEVERITIES.index("high")
CRITICAL = SEVERITIES.index("critical")

AGAIN_AFTER = {rule.code: rule.again_after_days for rule in RULES if rule.again_after_days is not None}
_SPACE = UUID("0f3f0a52-7d0e-5c5e-8a35-5d1c1f1b7a41")  # of what raises an alert without anybody having sent anything


class Finding(msgspec.Struct, frozen=True):
    """The rules that something a patient sent, or a silence, sets off, each at the grade that it has here.

    `source` is the response or session, the quarantined item, or `source_of` a day.
    """

    patient_id: int
    clinic_id: int
    source: UUID
    authored_at: datetime
    rules: Sequence[Rule]


def flagged(scored: Scored) -> list[Rule]:
    """The rules that a response sets off whatever came before it and whatever a clinic has set, most urgent first."""
    return [rule for rule in RULES if rule.flag in scored.flags]


def seen_alone(instrument: Instrument, scored: Scored) -> list[Rule]:
    """The rules that can be told from a response that is not in the record, and has no history."""
    alone = [rule for rule in RULES if rule.kind == "level"]
    histories = {
        f"{instrument.code}.{name}": History.of([(date.min, value)])
        for name, value in scored.scores.items()
        if value is not None
    }
    return flagged(scored) + decide(alone, histories)


def source_of(rule: Rule, day: date) -> UUID:
    """What stands for a finding that time itself makes: the rule, on one day."""
    return uuid5(_SPACE, f"{rule.code}:{day}")


class _Raised(msgspec.Struct):
    patient_id: int
    clinic_id: int
    rule: str
    rule_version: str
    severity: int
    state: str
    source: UUID
    authored_at: datetime
    late: bool
    due_at: datetime | None
    tell_at: datetime | None


def raise_for(findings: Iterable[Finding], door: Door) -> None:
    """Write the alerts that findings call for; a fixed number of statements, none where there is nothing to write.

    While an alert stands, the same rule adds to it: a repeat after somebody took it on opens it again and starts its
    clock anew. A state that goes on (`again_after_days`) counts as a repeat only after so many days; a rise in
    severity always does. What is imported or simulated tells nobody and leaves alerts of others alone; what of it is
    old waits on the review list.
    """
    findings = [finding for finding in findings if finding.rules]
    if not findings:
        return
    clinics = {finding.clinic_id for finding in findings}
    rules = rules_of(clinics)
    hours = hours_of(clinics)
    raised = [
        _raised(finding, found, rules[finding.clinic_id][found.code], hours[finding.clinic_id], door)
        for finding in findings
        for found in finding.rules
    ]
    # One statement can't touch a row twice, so several answers that raise the same rule become its gravest, latest one.
    _insert(_once([each for each in raised if each.state == "review"], lasting=AGAIN_AFTER), door)
    _insert(_once([each for each in raised if each.state == "open"]), door)


def _raised(finding: Finding, found: Rule, clinics: Rule, hours: Hours, door: Door) -> _Raised:
    silent = door.origin in SILENT_ORIGINS
    age = door.received_at - finding.authored_at
    rule = clinics.at(found.severity)
    due_at = due(rule, door.received_at, hours)
    return _Raised(
        patient_id=finding.patient_id,
        clinic_id=finding.clinic_id,
        rule=rule.code,
        rule_version=rule.version,
        severity=rule.grade,
        state="review" if silent and age > REVIEW_AFTER else "open",
        source=finding.source,
        authored_at=finding.authored_at,
        late=age > LATE_AFTER,
        due_at=due_at,
        tell_at=None if silent else first_told(rule, door.received_at, due_at, hours),
    )


def due(rule: Rule, at: datetime, hours: Hours) -> datetime | None:
    """By when it must have been acknowledged. Minutes run by the wall clock: what is critical never waits."""
    if rule.limit is None:
        return None
    if rule.limit.unit == "minutes":
        return at + timedelta(minutes=rule.limit.value)
    return hours.after_working_days(at, int(rule.limit.value))


def first_told(rule: Rule, at: datetime, due_at: datetime | None, hours: Hours) -> datetime | None:
    """When the first of the chain is told: of what is critical at once, of what is high as soon as the clinic is open.

    The rest stands on the work list, and is told only when its clock has run out.
    """
    if due_at is None or rule.grade >= CRITICAL:
        return due_at and at
    return hours.next_opening(at) if rule.grade >= HIGH else due_at


def _once(raised: Iterable[_Raised], lasting: Mapping[str, int] | None = None) -> list[_Raised]:
    """One for each patient and rule: the gravest, and of these the latest. With `lasting`, for those rules only."""
    kept: dict[tuple[object, ...], _Raised] = {}
    for each in raised:
        alone = lasting is not None and each.rule not in lasting
        key = (each.patient_id, each.rule, each.source) if alone else (each.patient_id, each.rule)
        best = kept.get(key)
        if best is None or (best.severity, best.authored_at) <= (each.severity, each.authored_at):
            kept[key] = each
    return sorted(kept.values(), key=lambda each: (each.patient_id, each.rule, each.source))


def _insert(raised: Sequence[_Raised], door: Door) -> None:
    """Write alerts and the event of each in one statement."""
    if not raised:
        return
    with connection.cursor() as cursor:
        cursor.execute(
            """
            WITH alert AS (
                INSERT INTO outcomes_alert AS mine (patient_id, clinic_id, rule, rule_version, severity, state, source,
                    authored_at, late, due_at, tell_at, origin, received_at, opened_at, told, position)
                SELECT new.*, %(origin)s, %(received_at)s, %(received_at)s, 0, 0
                FROM unnest(%(patients)s::bigint[], %(clinics)s::bigint[], %(rules)s::text[], %(versions)s::text[],
                    %(severities)s::smallint[], %(states)s::text[], %(sources)s::uuid[], %(authored)s::timestamptz[],
                    %(lates)s::bool[], %(dues)s::timestamptz[], %(tells)s::timestamptz[])
                    AS new (patient_id, clinic_id, rule, rule_version, severity, state, source)
                WHERE NOT EXISTS (
                    SELECT FROM outcomes_alert AS old
                    WHERE old.patient_id = new.patient_id AND old.rule = new.rule AND (
                        old.source = new.source
                        OR old.state = 'resolved' AND old.severity >= new.severity AND old.received_at
                            > %(received_at)s - make_interval(days => (%(again)s::jsonb ->> new.rule)::int)
                        OR old.state = 'review' AND new.state = 'review' AND %(again)s::jsonb ? new.rule))
                ON CONFLICT (patient_id, rule) WHERE state NOT IN ('resolved', 'review') DO UPDATE SET
                    severity = excluded.severity,
                    due_at = CASE WHEN mine.state IN ('open', 'escalated') THEN least(mine.due_at, excluded.due_at)
                        ELSE excluded.due_at END,
                    tell_at = CASE WHEN mine.state IN ('open', 'escalated') AND mine.severity >= excluded.severity
                        THEN coalesce(mine.tell_at, excluded.tell_at) ELSE excluded.tell_at END,
                    position = CASE WHEN mine.state IN ('open', 'escalated') AND mine.severity >= excluded.severity
                        THEN mine.position ELSE 0 END,
                    state = CASE WHEN mine.state = 'escalated' AND mine.severity >= excluded.severity
                        THEN 'escalated' ELSE 'open' END,
                    source = excluded.source,
                    origin = excluded.origin,
                    rule_version = excluded.rule_version,
                    authored_at = excluded.authored_at,
                    received_at = excluded.received_at,
                    late = excluded.late
                WHERE (mine.origin = ANY(%(silent)s) OR excluded.origin <> ALL(%(silent)s)) AND (
                    excluded.severity > mine.severity
                    OR excluded.severity = mine.severity AND (
                        NOT %(again)s::jsonb ? excluded.rule
                        OR excluded.received_at - mine.received_at
                            >= make_interval(days => (%(again)s::jsonb ->> excluded.rule)::int)))
                RETURNING id, clinic_id, patient_id, source, received_at, xmax = 0 AS new
            )
            INSERT INTO outcomes_alert_event (alert_id, clinic_id, patient_id, source, at, kind, note)
            SELECT id, clinic_id, patient_id, source, received_at, CASE WHEN new THEN 'raised' ELSE 'repeated' END, ''
            FROM alert
            """,
            {
                "origin": door.origin,
                "received_at": door.received_at,
                "again": msgspec.json.encode(AGAIN_AFTER).decode(),
                "silent": sorted(SILENT_ORIGINS),
                **dict(zip(_COLUMNS, columns([msgspec.structs.astuple(each) for each in raised], 11), strict=True)),
            },
        )


_COLUMNS = (
    "patients",
    "clinics",
    "rules",
    "versions",
    "severities",
    "states",
    "sources",
    "authored",
    "lates",
    "dues",
    "tells",
)
