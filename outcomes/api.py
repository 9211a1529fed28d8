"""Responses and trends, for those who may see the patient."""

from __future__ import annotations

from functools import partial
from typing import Any

import msgspec
from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework.request import Request
from rest_framework.views import APIView

from backend.people import audit
from backend.people.authentication import IsPatient, IsStaff, phone
from backend.people.models import Patient
from backend.rest.openapi import json_response, problems, schema_of
from backend.rest.paging import KeysetPagination
from backend.rest.views import ReleasingView
from outcomes import words
from outcomes.models import Response
from outcomes.records import StoredResponse, StoredTrend, ToldKey, stored_trends, told_responses


class ResponsePage(msgspec.Struct):
    """A page of responses, newest first; `next` is the address of the next page."""

    results: list[StoredResponse]
    next: str | None


EXAMPLE_PAGE = {
    "results": [
        {
            "id": "01990d2a-5b1c-7c3e-9a58-0d6f4c1b2a37",
            "instrument": "phq-2",
            "version": "1",
            "status": "complete",
            "authored_at": "2026-11-21T21:03:00+01:00",
            "received_at": "2026-11-22T07:15:02Z",
            "time_zone": "Europe/Zurich",
            "local_day": "2026-11-21",
            "origin": "phone",
            "live": True,
            "replaces": None,
            "replaced_by": None,
            "withdrawn_at": None,
            "answers": {"1": 1, "2": 2},
            "scores": {"phq-2.total": 3},
        }
    ],
    "next": None,
}


def response_page(request: Request, view: APIView, patient_id: int) -> HttpResponse:
    """One page of a patient's responses, newest first. Two statements, the audit's among them."""
    pages = KeysetPagination()
    rows = Response.objects.filter(patient_id=patient_id)
    if code := request.query_params.get("instrument"):
        rows = rows.filter(instrument__code=code)
    told = told_responses(pages.narrow(rows, request, view), patient_id)
    page = pages.finish(told, request, key=partial(msgspec.json.decode, type=ToldKey))
    audit.record("read responses", [patient_id], request.user.pk, count=len(page))
    results: Any = msgspec.Raw(f"[{','.join(page)}]".encode())
    return json_response(ResponsePage(results, pages.next_link))


RESPONSE_PARAMETERS = [
    OpenApiParameter("instrument", str, description="Only responses of this instrument."),
    OpenApiParameter("limit", int, description="How many on a page, 1 to 500."),
    OpenApiParameter("cursor", str, description="Opaque; taken from `next`."),
]


class PatientResponsesView(ReleasingView):
    """A patient's responses, for those who look after them."""

    permission_classes = [IsStaff]
    keyset = ("-authored_at", "-id")

    @extend_schema(
        operation_id="patient_responses_list",
        parameters=RESPONSE_PARAMETERS,
        responses={200: OpenApiResponse(schema_of(ResponsePage)), **problems(400, 401, 403, 404)},
        examples=[OpenApiExample("a page", EXAMPLE_PAGE, response_only=True)],
    )
    def get(self, request: Request, patient_id: int) -> HttpResponse:
        patient = get_object_or_404(Patient.objects.visible_to(request.user), pk=patient_id)
        return response_page(request, self, patient.pk)


class TrendList(msgspec.Struct):
    results: list[StoredTrend]


class PatientTrendsView(APIView):
    """All trends of a patient, in numbers, for those who look after them."""

    permission_classes = [IsStaff]

    @extend_schema(
        operation_id="patient_trends_list",
        responses={200: OpenApiResponse(schema_of(TrendList)), **problems(401, 403, 404)},
        examples=[
            OpenApiExample(
                "one of many",
                {
                    "results": [
                        {
                            "measure": "nrs-pain.total",
                            "title": "Pain, numeric rating scale",
                            "n": 61,
                            "first_day": "2026-08-30",
                            "last_day": "2026-11-21",
                            "last_value": 4,
                            "baseline": 7,
                            "level": 4.3,
                            "slope_per_week": -0.21,
                            "slope_low": -0.27,
                            "slope_high": -0.16,
                            "tau": -0.41,
                            "p_value": 0.0001,
                            "change": -2.7,
                            "change_label": "possibly-improved",
                            "level_changes": ["2026-10-05"],
                            "coverage": 0.73,
                            "enough_data": True,
                            "computed_at": "2026-11-22T07:15:04Z",
                        }
                    ]
                },
                response_only=True,
            )
        ],
    )
    def get(self, request: Request, patient_id: int) -> HttpResponse:
        patient = get_object_or_404(Patient.objects.visible_to(request.user), pk=patient_id)
        trends = stored_trends(patient.pk)
        audit.record("read trends", [patient.pk], request.user.pk, count=len(trends))
        return json_response(TrendList(trends))


class OwnTrends(msgspec.Struct):
    results: list[words.Line]


class TrendsView(APIView):
    """The patient's own lines, in words a person understands: no severity, nothing of item 9."""

    permission_classes = [IsPatient]

    @extend_schema(
        operation_id="trends_list",
        responses={200: OpenApiResponse(schema_of(OwnTrends)), **problems(401, 403)},
        examples=[
            OpenApiExample(
                "one line",
                {
                    "results": [
                        {
                            "measure": "nrs-pain.total",
                            "title": "Pain",
                            "sentence": "Lower than when you began.",
                            "latest": 4,
                            "latest_day": "2026-11-21",
                            "began_at": 7,
                            "points": [["2026-11-20", 5], ["2026-11-21", 4]],
                        }
                    ]
                },
                response_only=True,
            )
        ],
    )
    def get(self, request: Request) -> HttpResponse:
        me = phone(request)
        lines = words.lines(me.patient_id)
        audit.record("read trends", [me.patient_id], me.user_id, count=len(lines))
        return json_response(OwnTrends(lines))
