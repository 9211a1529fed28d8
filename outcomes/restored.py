"""What of this room comes back with the records of an export: frozen baselines, and alerts with all that was done."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.db import connection
from django.db.models import Exists, OuterRef, QuerySet

from backend.people.models import Clinic, Origin
from backend.people.restoring import Table, WrongError
from outcomes.alerts import AGAIN_AFTER
from outcomes.exporting import OWN, own_name
from outcomes.importing import own_code
from outcomes.loading import measure_ids
from outcomes.models import Alert, AlertEvent, Baseline

MADE_BY_ANSWERS = (AlertEvent.Kind.RAISED, AlertEvent.Kind.REPEATED)


def _measure(value: Any, clinic: Clinic) -> int:
    code = str(value["code"]) if isinstance(value, dict) and "code" in value else ""
    number = measure_ids().get(own_code(clinic, own_name(code)) if code.startswith(OWN) else code)
    if number is None:
        raise WrongError(f"measure: there is no {code!r} here")
    return number


def _rule_made(rows: Sequence[Baseline]) -> None:
    """The rule's own baselines, made here since the answers came back, give way to those that stood."""
    come = {(row.patient_id, row.measure_id, row.version): row for row in rows}
    made = Baseline.objects.filter(patient__in={row.patient_id for row in rows}, set_by=None, reason="")
    way = [
        row.pk
        for row in made
        if (stood := come.get((row.patient_id, row.measure_id, row.version))) and _said(row) != _said(stood)
    ]
    Baseline.objects.filter(pk__in=way).delete()


def _said(row: Baseline) -> tuple[object, ...]:
    return row.value, row.from_day, row.to_day, row.set_at


def _tells_nobody(alert: Alert, _now: datetime) -> None:
    """It stands on the work list with its clock; the chain was told where it was raised."""
    alert.tell_at = None


def _raised_again(rows: Sequence[Alert]) -> None:
    """What the answers raised as they came back gives way to the alert that they had raised.

    Of a rule that is open, or that tells of a lasting state once in a while, that may be an alert of another answer.
    """
    come: dict[tuple[int, str], list[Alert]] = defaultdict(list)
    for row in rows:
        come[row.patient_id, row.rule].append(row)
    way = []
    for made in _untouched({row.patient_id for row in rows}):
        stood = come[made.patient_id, made.rule]
        if made.opened_at in {row.opened_at for row in stood}:
            continue  # it came back before
        at_work = any(row.state not in (Alert.State.RESOLVED, Alert.State.REVIEW) for row in stood)
        same = {row.source for row in stood}
        if made.source in same or (made.rule in AGAIN_AFTER and stood) or (made.state == Alert.State.OPEN and at_work):
            way.append(made.pk)
    _delete(way)


def _raised_by_the_same(rows: Sequence[AlertEvent]) -> None:
    """The same of answers that had added to an alert."""
    rules = {row.pk: row.rule for row in Alert.objects.filter(pk__in={row.alert_id for row in rows})}
    come = {(row.patient_id, rules[row.alert_id], row.source): row.alert_id for row in rows if row.source}
    made = _untouched({row.patient_id for row in rows})
    _delete([row.pk for row in made if come.get((row.patient_id, row.rule, row.source), row.pk) != row.pk])


def _untouched(patients: set[int]) -> QuerySet[Alert]:
    done = AlertEvent.objects.filter(alert=OuterRef("pk")).exclude(kind__in=MADE_BY_ANSWERS)
    states = (Alert.State.REVIEW, Alert.State.OPEN)
    return Alert.objects.filter(~Exists(done), patient__in=patients, origin=Origin.IMPORT, state__in=states)


def _delete(ids: list[int]) -> None:
    """With what the server itself has noted of them, which nobody else may take away."""
    if not ids:
        return
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL steadyback.erasing = 'on'")
        cursor.execute("DELETE FROM outcomes_alert_event WHERE alert_id = ANY(%s)", [ids])
        cursor.execute("DELETE FROM outcomes_alert WHERE id = ANY(%s)", [ids])
        cursor.execute("SET LOCAL steadyback.erasing = 'off'")


TABLES = (
    Table(Baseline, key=("measure_id", "version"), names={"measure": _measure}, give_way=_rule_made),
    Table(Alert, key=("rule", "source"), check=_tells_nobody, give_way=_raised_again),
    Table(
        AlertEvent,
        key=("alert_id", "kind", "at", "source", "note"),
        parent="alert",
        give_way=_raised_by_the_same,
    ),
)
