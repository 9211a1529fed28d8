"""The review list: old imported or simulated answers that would have raised an alert, and wait for a person."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction
from django.db.models import QuerySet

from backend.people.hours import hours_of
from backend.people.models import User
from outcomes.alert_handling import Step, StepRefusedError, held
from outcomes.alerts import due
from outcomes.clinic_rules import rules_of
from outcomes.models import Alert, AlertEvent

State = Alert.State


def open_alert(alerts: QuerySet[Alert], alert_id: int, *, by: User, at: datetime, note: str) -> Alert:
    """Make one of the review list an alert with a clock that starts now. It stands on the work list; nobody is called.

    `alerts` are those that `by` may see. Raises Alert.DoesNotExist, and StepRefusedError: also `already-open` where one
    of the same rule stands.
    """
    note = note.strip()
    with transaction.atomic():
        alert = held(alerts, alert_id)
        if alert.state != State.REVIEW:
            raise StepRefusedError("not-possible", alert.state)
        if not note:
            raise StepRefusedError("note-missing", alert.state)
        same = Alert.objects.select_for_update().filter(patient=alert.patient_id, rule=alert.rule)
        if any(other.state not in (State.REVIEW, State.RESOLVED) for other in same):
            raise StepRefusedError("already-open", alert.state)
        rule = rules_of([alert.clinic_id])[alert.clinic_id][alert.rule]
        alert.state, alert.opened_at, alert.due_at = State.OPEN, at, None
        if alert.severity > Alert.Severity.INFO:
            alert.due_at = due(rule, at, hours_of([alert.clinic_id])[alert.clinic_id])
        alert.save(update_fields=["state", "opened_at", "due_at"])
        AlertEvent.objects.create(
            clinic_id=alert.clinic_id,
            patient_id=alert.patient_id,
            alert=alert,
            kind=Step.RAISED,
            at=at,
            user=by,
            note=note,
        )
    return alert
