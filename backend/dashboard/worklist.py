"""The open alerts that somebody may see, in the order in which they want doing."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

from django.db.models import Case, F, IntegerField, Prefetch, Q, QuerySet, Value, When
from django.db.models.functions import Coalesce

from backend.people.models import Clinic, Patient, User
from outcomes.alert_handling import steps
from outcomes.models import Alert, AlertEvent

State = Alert.State

WAITING = [State.OPEN, State.ESCALATED]
"""Nobody has taken these on yet."""

IN_HAND = [State.ACKNOWLEDGED, State.NO_ANSWER, State.CONTACTED]

OPEN = WAITING + IN_HAND

CLOSED = [State.RESOLVED, State.REVIEW]


def urgency(prefix: str = "") -> Case:
    """Alerts that nobody has taken on come before all others, then the graver ones. `prefix` leads to the alert."""
    severity = F(f"{prefix}severity")
    waiting = When(**{f"{prefix}state__in": WAITING}, then=severity + Value(10))
    return Case(waiting, default=severity, output_field=IntegerField())


def visible(user: User, clinic: Clinic) -> QuerySet[Alert]:
    patients = Patient.objects.visible_to(user, clinic)
    return Alert.objects.filter(clinic=clinic, patient__in=patients)


def waiting(user: User, clinic: Clinic) -> QuerySet[Alert]:
    return visible(user, clinic).filter(state__in=WAITING)


LAST = datetime.max.replace(tzinfo=UTC)
"""Where an alert without a clock stands."""


def by_urgency(alerts: QuerySet[Alert], after: int | None = None) -> QuerySet[Alert]:
    """In the order in which they want doing, from beyond `after` on; from the beginning where that is there no more."""
    found = alerts.annotate(urgency=urgency(), due=Coalesce("due_at", Value(LAST)))
    if here := after and found.filter(pk=after).first():
        later = Q(due__gt=here.due) | Q(due=here.due, pk__gt=here.pk)
        found = found.filter(Q(urgency__lt=here.urgency) | Q(urgency=here.urgency) & later)
    return found.order_by("-urgency", "due", "pk")


def newest(alerts: QuerySet[Alert], after: int | None = None) -> QuerySet[Alert]:
    """The newest first, from beyond `after` on."""
    if here := after and alerts.filter(pk=after).first():
        alerts = alerts.filter(Q(opened_at__lt=here.opened_at) | Q(opened_at=here.opened_at, pk__gt=here.pk))
    return alerts.order_by("-opened_at", "pk")


@dataclass(frozen=True)
class Item:
    """An alert with what happened to it and what can be done now, in the order in which it is usually done."""

    alert: Alert
    events: list[AlertEvent]
    steps: list[AlertEvent.Kind]
    waiting: bool


def items(alerts: QuerySet[Alert]) -> list[Item]:
    events = Prefetch("events", AlertEvent.objects.select_related("user").order_by("at", "pk"))
    return [_item(alert) for alert in alerts.prefetch_related(events)]


def _item(alert: Alert) -> Item:
    possible = steps(alert.state, alert.severity)
    ordered = [kind for kind in AlertEvent.Kind if kind in possible]
    return Item(alert, list(alert.events.all()), ordered, alert.state in WAITING)


def of_patient(patient: Patient) -> Iterable[Item]:
    """All alerts of a patient: open ones in their order, then those that are closed, newest first."""
    alerts = items(Alert.objects.filter(patient=patient).annotate(urgency=urgency()).order_by("-urgency", "due_at"))
    closed = [item for item in alerts if item.alert.state not in OPEN]
    closed.sort(key=lambda item: item.alert.opened_at, reverse=True)
    return [item for item in alerts if item.alert.state in OPEN] + closed
