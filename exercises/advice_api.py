"""Templates to start a programme from, and what is suggested for one patient."""

from __future__ import annotations

from datetime import datetime, timedelta

import msgspec
from django.http import Http404, HttpResponse
from django.utils import timezone
from drf_spectacular.utils import OpenApiExample, OpenApiResponse, extend_schema
from rest_framework.request import Request

from backend.people import audit
from backend.people.models import Patient
from backend.rest.etag import conditional, etag_of
from backend.rest.openapi import json_response, problems, schema_of
from exercises.models import Clearance, Condition, Preferences
from exercises.prescribing import today_of
from exercises.programme_api import EXAMPLE_PLAN, StaffView
from exercises.reporting import reports
from exercises.suggesting import HUMAN_FIRST, Known, Suggestions, age_on, latest, suggest
from exercises.templates import Template, templates
from outcomes.models import Alert, Score


class TemplateList(msgspec.Struct):
    results: list[Template]


EXAMPLE_TEMPLATE = {
    "slug": "aerobic",
    "title": "Walking back, twelve weeks",
    "suits": "Most people.",
    "modality": "aerobic",
    "trial": {"weeks": 12, "sessions_per_week": 3, "minutes": 30, "text": "Shnayderman 2013."},
    "sources": ["Shnayderman 2013"],
    "plan": EXAMPLE_PLAN,
}


class TemplatesView(StaffView):
    """All templates; the plan of each can be prescribed as it is, or changed first."""

    @extend_schema(
        operation_id="exercise_templates_list",
        responses={200: OpenApiResponse(schema_of(TemplateList)), **problems(401, 403)},
        examples=[OpenApiExample("one of them", {"results": [EXAMPLE_TEMPLATE]}, response_only=True)],
    )
    def get(self, request: Request) -> HttpResponse:
        found = TemplateList(list(templates().values()))
        return conditional(
            request, etag_of("templates", msgspec.json.encode(found)), lambda: msgspec.to_builtins(found)
        )


class TemplateView(StaffView):
    """One template."""

    @extend_schema(
        operation_id="exercise_template_read",
        responses={200: OpenApiResponse(schema_of(Template)), **problems(401, 403, 404)},
        examples=[OpenApiExample("walking", EXAMPLE_TEMPLATE, response_only=True)],
    )
    def get(self, request: Request, template: str) -> HttpResponse:
        if template not in templates():
            raise Http404
        return json_response(templates()[template])


class SuggestionsView(StaffView):
    """Ranked modalities and templates for one patient, with reasons and sources. Never a plan by itself."""

    @extend_schema(
        operation_id="patient_suggestions",
        responses={200: OpenApiResponse(schema_of(Suggestions)), **problems(401, 403, 404)},
        examples=[
            OpenApiExample(
                "somebody talks first",
                {
                    "version": "1",
                    "note": "No mode of exercise is proven superior.",
                    "note_source": "WHO evidence review (PMC10684665)",
                    "human_first": [
                        {
                            "rule": "red-flag",
                            "text": "A red flag is open.",
                            "source": "clinical reference, section 5",
                            "basis": [{"name": "open alert", "value": "RF-1", "day": None}],
                        }
                    ],
                    "advice": [],
                    "modalities": [],
                    "templates": [],
                },
                response_only=True,
            )
        ],
    )
    def get(self, request: Request, patient_id: int) -> HttpResponse:
        patient = self.patient(request, patient_id)
        found = suggest(known_of(patient, timezone.now()))
        audit.record("read suggestions", [patient.pk], request.user.pk)
        return json_response(found)


def known_of(patient: Patient, now: datetime) -> Known:
    """What the patterns look at, in a fixed number of statements."""
    today = today_of(patient, now)
    scores = Score.objects.filter(patient=patient, live=True).order_by("measure", "-local_day", "-at")
    newest = scores.distinct("measure").values_list("measure__code", "value", "local_day")
    conditions = Condition.objects.filter(patient=patient, ended_on=None).values_list("code", flat=True)
    closed = [Alert.State.RESOLVED, Alert.State.REVIEW]
    flags = Alert.objects.filter(patient=patient, rule__in=HUMAN_FIRST).exclude(state__in=closed)
    likings = Preferences.objects.filter(patient=patient).first()
    past = reports(patient.pk, today)
    recent = [
        day
        for report in past
        for day in report.days
        if today - timedelta(days=14) < day.day and day.state in ("done", "partly-done", "declined", "missed")
    ]
    return Known(
        today=today,
        age=age_on(today, patient.date_of_birth),
        scores=latest(newest),
        conditions=frozenset(conditions),
        red_flags=tuple(flags.values_list("rule", flat=True)),
        cleared=Clearance.objects.filter(patient=patient, cleared_on__lte=today, valid_until__gte=today).exists(),
        liked=tuple(likings.liked) if likings else (),
        disliked=tuple(likings.disliked) if likings else (),
        kept_to={modality: share for report in reversed(past) for modality, share in report.by_modality.items()},
        adherence=(len(recent), sum(day.state in ("done", "partly-done") for day in recent)),
    )
