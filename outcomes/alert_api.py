"""Alerts for those who may see the patient; the rules' numbers for the clinic that sets them."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec
from django.db.models import Prefetch, QuerySet
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404
from django.utils import timezone
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.views import APIView

from backend.people import audit
from backend.people.authentication import IsStaff
from backend.people.clinic_api import AdminWrites, own_clinic
from backend.people.models import Patient, User
from backend.rest.openapi import json_response, problems, schema_of
from backend.rest.paging import KeysetPagination
from backend.rest.problems import Problem, in_words, problem
from outcomes.alert_handling import STATE_AFTER, Step, StepRefusedError, steps, take
from outcomes.alert_rules import BY_CODE, SEVERITIES, Rule
from outcomes.clinic_rules import BadThresholdsError, rules_of, set_thresholds
from outcomes.models import Alert, AlertEvent, ClinicRule

CLOSED = (Alert.State.RESOLVED, Alert.State.REVIEW)
REFUSED = {
    "not-possible": "That step can't be taken from the state in which the alert is by now.",
    "contact-first": "A critical alert is closed after somebody has spoken with the patient: note the contact first.",
    "note-missing": "Say in a few words to whom and why, or how it ended.",
}


class Event(msgspec.Struct):
    """One thing that happened. `by` is the user's id; null: the server itself."""

    kind: str
    at: datetime
    by: int | None
    note: str


class ShownAlert(msgspec.Struct):
    """A red flag. `authored_at` is the patient's clock, `received_at` ours; `late` says that days lie between them.

    `steps` are those that can be taken now. `told` counts how often somebody of the chain was told.
    """

    id: int
    patient: int
    rule: str
    rule_version: str
    title: str
    severity: str
    state: str
    origin: str
    late: bool
    authored_at: datetime
    received_at: datetime
    opened_at: datetime
    due_at: datetime | None
    told: int
    todo: str
    steps: list[str]
    events: list[Event]


class AlertPage(msgspec.Struct):
    """A page of alerts, newest first; `next` is the address of the next page."""

    results: list[ShownAlert]
    next: str | None


EXAMPLE = {
    "id": 4711,
    "patient": 12,
    "rule": "PAIN-1",
    "rule_version": "1",
    "title": "Average pain of 8 or more on 3 of the last 5 reports",
    "severity": "medium",
    "state": "acknowledged",
    "origin": "phone",
    "late": False,
    "authored_at": "2026-11-21T20:03:00Z",
    "received_at": "2026-11-21T20:03:05Z",
    "opened_at": "2026-11-21T20:03:05Z",
    "due_at": "2026-11-25T07:00:00Z",
    "told": 0,
    "todo": "review",
    "steps": ["contacted", "no-answer", "escalated", "resolved"],
    "events": [
        {"kind": "raised", "at": "2026-11-21T20:03:05Z", "by": None, "note": ""},
        {"kind": "acknowledged", "at": "2026-11-23T08:10:00Z", "by": 3, "note": ""},
    ],
}


def visible_alerts(user: Any) -> QuerySet[Alert]:
    """The alerts of the patients that this user may see."""
    return Alert.objects.filter(patient__in=Patient.objects.visible_to(user))


def _with_events(alerts: QuerySet[Alert]) -> QuerySet[Alert]:
    return alerts.prefetch_related(Prefetch("events", AlertEvent.objects.order_by("at", "pk")))


def shown(alert: Alert) -> ShownAlert:
    rule = BY_CODE.get(alert.rule)
    possible = steps(alert.state, alert.severity)
    return ShownAlert(
        id=alert.pk,
        patient=alert.patient_id,
        rule=alert.rule,
        rule_version=alert.rule_version,
        title=rule.title if rule else alert.rule,
        severity=SEVERITIES[alert.severity],
        state=alert.state,
        origin=alert.origin,
        late=alert.late,
        authored_at=alert.authored_at,
        received_at=alert.received_at,
        opened_at=alert.opened_at,
        due_at=alert.due_at,
        told=alert.told,
        todo=rule.todo if rule else "",
        steps=[step for step in STATE_AFTER if step in possible],
        events=[Event(event.kind, event.at, event.user_id, event.note) for event in alert.events.all()],
    )


class AlertsView(APIView):
    """The alerts of everybody whom the asker may see."""

    permission_classes = [IsStaff]
    keyset = ("-opened_at", "-id")

    @extend_schema(
        operation_id="alerts_list",
        parameters=[
            OpenApiParameter("state", str, enum=Alert.State.values, description="Unless said, what is not closed."),
            OpenApiParameter("patient", int, description="Only this patient's."),
            OpenApiParameter("limit", int, description="How many on a page, 1 to 500."),
            OpenApiParameter("cursor", str, description="Opaque; taken from `next`."),
        ],
        responses={200: OpenApiResponse(schema_of(AlertPage)), **problems(400, 401, 403)},
        examples=[OpenApiExample("a page", {"results": [EXAMPLE], "next": None}, response_only=True)],
    )
    def get(self, request: Request) -> HttpResponse:
        alerts = _with_events(visible_alerts(request.user))
        state, patient = request.query_params.get("state"), request.query_params.get("patient")
        if state is None:
            alerts = alerts.exclude(state__in=CLOSED)
        elif state in Alert.State.values:
            alerts = alerts.filter(state=state)
        else:
            raise Problem(
                400, "unknown", in_words("One of: %(known)s.", known=", ".join(Alert.State.values)), field="state"
            )
        if patient is not None:
            if not (patient.isascii() and patient.isdigit() and len(patient) < 18):
                raise Problem(400, "invalid", "A patient's number.", field="patient")
            alerts = alerts.filter(patient_id=int(patient))
        pages = KeysetPagination()
        page = pages.paginate_queryset(alerts, request, self)
        audit.record("read alerts", {alert.patient_id for alert in page}, request.user.pk)
        return json_response(AlertPage([shown(alert) for alert in page], pages.next_link))


class AlertView(APIView):
    """One alert with all that happened to it."""

    permission_classes = [IsStaff]

    @extend_schema(
        operation_id="alert_read",
        responses={200: OpenApiResponse(schema_of(ShownAlert)), **problems(401, 403, 404)},
        examples=[OpenApiExample("one in hand", EXAMPLE, response_only=True)],
    )
    def get(self, request: Request, alert_id: int) -> HttpResponse:
        alert = get_object_or_404(_with_events(visible_alerts(request.user)), pk=alert_id)
        audit.record("read alerts", [alert.patient_id], request.user.pk)
        return json_response(shown(alert))


class StepSerializer(serializers.Serializer[AlertEvent]):
    kind = serializers.ChoiceField([str(step) for step in STATE_AFTER])
    note = serializers.CharField(max_length=4000, allow_blank=True, default="")


class AlertEventsView(APIView):
    """What somebody did about an alert. Nothing is ever taken away."""

    permission_classes = [IsStaff]

    @extend_schema(
        operation_id="alert_step",
        request=StepSerializer,
        responses={200: OpenApiResponse(schema_of(ShownAlert)), **problems(400, 401, 403, 404, 409)},
        examples=[
            OpenApiExample("taken on", {"kind": "acknowledged"}, request_only=True),
            OpenApiExample("closed", {"kind": "resolved", "note": "Spoke with the patient."}, request_only=True),
            OpenApiExample("one in hand", EXAMPLE, response_only=True),
        ],
    )
    def post(self, request: Request, alert_id: int) -> HttpResponse:
        assert isinstance(request.user, User)  # noqa: S101  the permission has looked
        alerts = visible_alerts(request.user)
        get_object_or_404(alerts, pk=alert_id)
        form = StepSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        step = Step(form.validated_data["kind"])
        try:
            taken = take(alerts, alert_id, step, by=request.user, at=timezone.now(), note=form.validated_data["note"])
        except Alert.DoesNotExist:
            raise Http404 from None
        except StepRefusedError as error:
            note_missing = error.code == "note-missing"
            raise Problem(
                400 if note_missing else 409, error.code, REFUSED[error.code], field="note" if note_missing else "kind"
            ) from error
        audit.record("write alert", [taken.patient_id], request.user.pk)
        return json_response(shown(_with_events(alerts).get(pk=alert_id)))


class ShownBound(msgspec.Struct):
    """A number of a rule: what holds in this clinic, the default, and how far it may be moved."""

    value: float
    default: float
    least: float
    most: float
    unit: str
    source: str


class ShownRule(msgspec.Struct):
    """A rule as it holds in this clinic. `text` is the kind of the clinic's own text that the patient sees."""

    code: str
    version: str
    title: str
    severity: str
    text: str | None
    todo: str
    source: str
    thresholds: dict[str, ShownBound]


class RuleList(msgspec.Struct):
    """Most urgent first."""

    results: list[ShownRule]


EXAMPLE_RULE = {
    "code": "DEP-1",
    "version": "1",
    "title": "Depression score of 20 or more",
    "severity": "high",
    "text": "support",
    "todo": "assess, refer",
    "source": "severe from 20: Kroenke 2001",
    "thresholds": {
        "at_least": {
            "value": 18,
            "default": 20,
            "least": 15,
            "most": 20,
            "unit": "points",
            "source": "Kroenke 2001",
        }
    },
}


def shown_rule(rule: Rule) -> ShownRule:
    defaults = BY_CODE[rule.code].bounds()
    bounds = {
        name: ShownBound(bound.value, defaults[name].value, bound.least, bound.most, bound.unit, bound.source)
        for name, bound in rule.bounds().items()
    }
    return ShownRule(rule.code, rule.version, rule.title, rule.severity, rule.text, rule.todo, rule.source, bounds)


class AlertRulesView(APIView):
    """What raises an alert in a clinic, and how long it may wait."""

    permission_classes = [IsStaff]

    @extend_schema(
        operation_id="alert_rules_list",
        responses={200: OpenApiResponse(schema_of(RuleList)), **problems(401, 403, 404)},
        examples=[OpenApiExample("one of many", {"results": [EXAMPLE_RULE]}, response_only=True)],
    )
    def get(self, request: Request, clinic_id: int) -> HttpResponse:
        clinic = own_clinic(request, clinic_id)
        return json_response(RuleList([shown_rule(rule) for rule in rules_of([clinic.pk])[clinic.pk].values()]))


class ThresholdsSerializer(serializers.Serializer[ClinicRule]):
    thresholds = serializers.DictField(help_text="Name to number; `limit` is the time limit. Absent: the default.")


class AlertRuleView(APIView):
    """A clinic's own numbers for one rule, within the rule's bounds."""

    permission_classes = [AdminWrites]

    @extend_schema(
        operation_id="set_alert_rule",
        request=ThresholdsSerializer,
        responses={200: OpenApiResponse(schema_of(ShownRule)), **problems(400, 401, 403, 404)},
        examples=[
            OpenApiExample("earlier", {"thresholds": {"at_least": 18}}, request_only=True),
            OpenApiExample("as it holds now", EXAMPLE_RULE, response_only=True),
        ],
    )
    def put(self, request: Request, clinic_id: int, rule_code: str) -> HttpResponse:
        clinic = own_clinic(request, clinic_id)
        rule = BY_CODE.get(rule_code)
        if rule is None:
            raise Problem(404, "not_found", "There is no such rule.")
        form = ThresholdsSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        assert isinstance(request.user, User)  # noqa: S101  the permission has looked
        try:
            changed = set_thresholds(
                clinic, rule, form.validated_data["thresholds"], by=request.user, now=timezone.now()
            )
        except BadThresholdsError as error:
            return problem(400, [(f"thresholds.{each.field}", each.code, each.detail) for each in error.problems])
        return json_response(shown_rule(changed))
