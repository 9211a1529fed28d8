"""What people do about an alert: who took it on, whom they reached, how it ended. Nothing is ever taken away.

A step is an event that is added and a state that follows; `steps` says which are possible, `take` takes one.
"""

from __future__ import annotations

from datetime import datetime

from django.db import transaction
from django.db.models import QuerySet

from backend.people.models import User
from outcomes.alerts import SILENT_ORIGINS
from outcomes.models import Alert, AlertEvent

Step = AlertEvent.Kind
State = Alert.State

STATE_AFTER = {
    Step.ACKNOWLEDGED: State.ACKNOWLEDGED,
    Step.CONTACTED: State.CONTACTED,
    Step.NO_ANSWER: State.NO_ANSWER,
    Step.ESCALATED: State.ESCALATED,
    Step.RESOLVED: State.RESOLVED,
}

_WORK = frozenset({Step.CONTACTED, Step.NO_ANSWER, Step.ESCALATED, Step.RESOLVED})
_STEPS: dict[str, frozenset[AlertEvent.Kind]] = {
    State.OPEN: _WORK | {Step.ACKNOWLEDGED},
    State.ESCALATED: _WORK | {Step.ACKNOWLEDGED},
    State.ACKNOWLEDGED: _WORK,
    State.NO_ANSWER: _WORK,
    State.CONTACTED: _WORK,
    State.REVIEW: frozenset({Step.CONTACTED, Step.RESOLVED}),
    State.RESOLVED: frozenset(),
}

NEEDS_NOTE = frozenset({Step.ESCALATED, Step.RESOLVED})
"""To whom and why; how it ended."""


class StepRefusedError(Exception):
    """The step can't be taken. `code` is one of `not-possible`, `contact-first`, `note-missing`."""

    def __init__(self, code: str, state: str) -> None:
        super().__init__(code)
        self.code = code
        self.state = state


def steps(state: str, severity: int) -> frozenset[AlertEvent.Kind]:
    """The steps that may be taken from a state.

    A critical alert wants a human contact before it is closed, so it can't be resolved until somebody was reached. Own
    design default, for a clinician to ratify. The review list holds what is old, so there it may.
    """
    possible = _STEPS[state]
    if severity >= Alert.Severity.CRITICAL and state not in (State.CONTACTED, State.REVIEW):
        possible -= {Step.RESOLVED}
    return possible


def take(alerts: QuerySet[Alert], alert_id: int, step: AlertEvent.Kind, *, by: User, at: datetime, note: str) -> Alert:
    """Take a step with one of `alerts`, which are those that `by` may see. Raises Alert.DoesNotExist, StepRefusedError.

    The row is locked meanwhile: of two colleagues who press the same button in the same moment, one is told that the
    other was first.
    """
    note = note.strip()
    with transaction.atomic():
        alert = held(alerts, alert_id)
        if step not in _STEPS[alert.state]:
            raise StepRefusedError("not-possible", alert.state)
        if step not in steps(alert.state, alert.severity):
            raise StepRefusedError("contact-first", alert.state)
        if step in NEEDS_NOTE and not note:
            raise StepRefusedError("note-missing", alert.state)
        alert.state = STATE_AFTER[step]
        if step == Step.ESCALATED and alert.origin not in SILENT_ORIGINS:
            alert.tell_at = at  # the next in the chain is told at once
        alert.save(update_fields=["state", "tell_at"])
        AlertEvent.objects.create(
            clinic_id=alert.clinic_id, patient_id=alert.patient_id, alert=alert, kind=step, at=at, user=by, note=note
        )
    return alert


def held(alerts: QuerySet[Alert], alert_id: int) -> Alert:
    """One of `alerts`, held until the open transaction ends. Raises Alert.DoesNotExist.

    Looked for once more when it is held: its patient may have moved to another clinic while it was waited for.
    """
    alert = alerts.select_for_update(of=("self",)).get(pk=alert_id)
    if not alerts.filter(pk=alert_id).exists():
        raise Alert.DoesNotExist
    return alert
