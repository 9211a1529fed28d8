"""Red flags: which answers raise them, how soon somebody must have seen them, and what the patient is shown.

The rules that one response decides are here. An alert is written in the transaction that stores the answer, so there is
no answer without its alert. Time limits are defaults of our own for a clinic to ratify.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from uuid import UUID

import msgspec
from django.db import connection

from backend.people.writes import Door
from outcomes.instrument import Instrument
from outcomes.models import Alert
from outcomes.scoring import Scored

# A phone that was offline for longer than this still raises its alert, labelled late.
LATE_AFTER = timedelta(hours=48)
# Imported and simulated answers older than this go to the review list.
REVIEW_AFTER = timedelta(days=14)

Severity = Alert.Severity


class Rule(msgspec.Struct, frozen=True):
    """A red flag that a single response decides: by a flag of its scoring, or by a score that reaches a threshold.

    `limit` is how long it may wait for somebody to acknowledge it; `text` the kind of the clinic's text that the
    patient is shown at once.
    """

    code: str
    version: str
    severity: Alert.Severity
    limit: timedelta
    source: str
    text: str | None = None
    flag: str | None = None
    at_least: tuple[tuple[str, float], ...] = ()

    def fires(self, instrument: Instrument, scored: Scored) -> bool:
        if self.flag is not None:
            return self.flag in scored.flags
        for measure, threshold in self.at_least:
            code, _, name = measure.partition(".")
            value = scored.scores.get(name) if code == instrument.code else None
            if value is not None and value >= threshold:
                return True
        return False


# Most urgent first: a patient who raises several is shown the texts in this order.
RULES = (
    Rule(
        code="CES-1",
        version="1",
        severity=Severity.CRITICAL,
        limit=timedelta(0),
        flag="cauda-equina",
        text="emergency",
        source="GIRFT cauda equina pathway, primary care page: signs new or worse within 14 days",
    ),
    Rule(
        code="SUI-1",
        version="1",
        severity=Severity.CRITICAL,
        limit=timedelta(hours=1),
        flag="item-9-positive",
        text="crisis",
        source="PHQ-9 item 9 at 1 or more whatever the total: Simon 2013, Psychiatr Serv (84,418 outpatients)",
    ),
    Rule(
        code="RF-1",
        version="1",
        severity=Severity.HIGH,
        limit=timedelta(hours=8),
        flag="red-flag",
        text="seek-care",
        source="own design default for a clinician to ratify",
    ),
    Rule(
        code="SUI-2",
        version="1",
        severity=Severity.HIGH,
        limit=timedelta(days=1),
        flag="item-9-unanswered",
        text="support",
        source="own design default for a clinician to ratify",
    ),
    Rule(
        code="DEP-1",
        version="1",
        severity=Severity.HIGH,
        limit=timedelta(days=1),
        at_least=(("phq-9.total", 20), ("phq-8.total", 20)),
        text="support",
        source="PHQ-9 severe from 20: Kroenke 2001, J Gen Intern Med",
    ),
)


def fired(instrument: Instrument, scored: Scored) -> list[Rule]:
    """The rules that a response sets off, most urgent first."""
    return [rule for rule in RULES if rule.fires(instrument, scored)]


def texts_for(rules: Iterable[Rule]) -> list[str]:
    """The kinds of the clinic's texts that the patient is shown, most urgent first, each once."""
    return list(dict.fromkeys(rule.text for rule in rules if rule.text))


class Finding(msgspec.Struct, frozen=True):
    """The rules that something a patient sent sets off. `source` is the response, or the quarantined item."""

    patient_id: int
    clinic_id: int
    source: UUID
    authored_at: datetime
    rules: Sequence[Rule]


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
    due_at: datetime


def raise_for(findings: Iterable[Finding], door: Door) -> None:
    """Write the alerts that findings call for.

    While one is open, the same rule adds to it: a repeat after somebody acknowledged it opens it again and starts its
    clock anew. Alerts of old imported or simulated answers wait on the review list.
    """
    raised = []
    for finding in findings:
        age = door.received_at - finding.authored_at
        silent = door.origin in ("import", "simulated")
        raised += [
            _Raised(
                patient_id=finding.patient_id,
                clinic_id=finding.clinic_id,
                rule=rule.code,
                rule_version=rule.version,
                severity=rule.severity,
                state="review" if silent and age > REVIEW_AFTER else "open",
                source=finding.source,
                authored_at=finding.authored_at,
                late=age > LATE_AFTER,
                due_at=door.received_at + rule.limit,
            )
            for rule in finding.rules
        ]
    _insert([each for each in raised if each.state == "review"], door)
    # One statement can't touch a row twice, so several answers that raise the same rule become its latest.
    latest = {(each.patient_id, each.rule): each for each in raised if each.state == "open"}
    _insert([latest[key] for key in sorted(latest)], door)


def _insert(raised: Sequence[_Raised], door: Door) -> None:
    """Write alerts and the event of each in one statement."""
    if not raised:
        return
    columns = [list(column) for column in zip(*(msgspec.structs.astuple(each) for each in raised), strict=True)]
    with connection.cursor() as cursor:
        cursor.execute(
            """
            WITH alert AS (
                INSERT INTO outcomes_alert AS mine (patient_id, clinic_id, rule, rule_version, severity, state, source,
                    authored_at, late, due_at, origin, received_at, opened_at)
                SELECT *, %s, %s, %s
                FROM unnest(%s::bigint[], %s::bigint[], %s::text[], %s::text[], %s::smallint[], %s::text[],
                    %s::uuid[], %s::timestamptz[], %s::bool[], %s::timestamptz[])
                ON CONFLICT (patient_id, rule) WHERE state NOT IN ('resolved', 'review') DO UPDATE SET
                    severity = greatest(mine.severity, excluded.severity),
                    due_at = CASE WHEN mine.state = 'open' THEN least(mine.due_at, excluded.due_at)
                        ELSE excluded.due_at END,
                    state = 'open',
                    source = excluded.source,
                    origin = excluded.origin,
                    authored_at = excluded.authored_at,
                    received_at = excluded.received_at,
                    late = excluded.late
                RETURNING id, clinic_id, patient_id, source, received_at, xmax = 0 AS new
            )
            INSERT INTO outcomes_alert_event (alert_id, clinic_id, patient_id, source, at, kind, note)
            SELECT id, clinic_id, patient_id, source, received_at, CASE WHEN new THEN 'raised' ELSE 'repeated' END, ''
            FROM alert
            """,
            [door.origin, door.received_at, door.received_at, *columns],
        )
