"""Templates to start a programme from, and what is suggested for one patient."""

from __future__ import annotations

import msgspec
from django.http import Http404, HttpResponse
from django.utils import timezone
from drf_spectacular.utils import OpenApiExample, OpenApiResponse, extend_schema
from rest_framework.request import Request

from backend.people import audit
from backend.rest.etag import conditional, etag_of
from backend.rest.openapi import json_response, problems, schema_of
from exercises.known import known_of
from exercises.programme_api import EXAMPLE_PLAN
from exercises.staff_view import StaffView
from exercises.suggesting import Suggestions, suggest
from exercises.templates import Template, templates


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
