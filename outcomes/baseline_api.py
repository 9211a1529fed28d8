"""From which days the change of a measure is counted, under /api/v1/patients/…/baselines."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated

import msgspec
from django.db.models import F
from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from django.utils import timezone
from drf_spectacular.utils import OpenApiExample, OpenApiResponse, extend_schema
from rest_framework.request import Request
from rest_framework.views import APIView

from backend.people import audit
from backend.people.authentication import IsStaff
from backend.people.models import Patient, User
from backend.rest.body import read_as
from backend.rest.openapi import json_response, problems, schema_of
from backend.rest.problems import Problem
from outcomes.baselines import BaselineError, set_baseline
from outcomes.models import Baseline, Trend


class ShownBaseline(msgspec.Struct):
    """The highest `version` of a measure is the one that holds. `set_by` is null where the rule froze it."""

    measure: str
    version: int
    value: float
    from_day: date
    to_day: date
    set_by: int | None
    reason: str
    set_at: datetime | None


class BaselineList(msgspec.Struct):
    results: list[ShownBaseline]


class NewBaseline(msgspec.Struct, forbid_unknown_fields=True):
    """Count the change of `measure` from these days on."""

    measure: str
    from_day: date
    to_day: date
    reason: Annotated[str, msgspec.Meta(min_length=1, max_length=500)]


NEW = {
    "measure": "nrs-pain.total",
    "from_day": "2026-11-16",
    "to_day": "2026-11-22",
    "reason": "Starts anew after the injection.",
}
EXAMPLE = NEW | {"version": 2, "value": 5, "set_by": 4, "set_at": "2026-11-22T08:00:00Z"}


def _shown(row: Baseline, code: str) -> ShownBaseline:
    return ShownBaseline(code, row.version, row.value, row.from_day, row.to_day, row.set_by_id, row.reason, row.set_at)


class BaselinesView(APIView):
    """All baselines of a patient with their versions, and a new one with its reason; those before it stay."""

    permission_classes = [IsStaff]

    @extend_schema(
        operation_id="patient_baselines_list",
        responses={200: OpenApiResponse(schema_of(BaselineList)), **problems(401, 403, 404)},
        examples=[OpenApiExample("a new one", {"results": [EXAMPLE]}, response_only=True)],
    )
    def get(self, request: Request, patient_id: int) -> HttpResponse:
        patient = get_object_or_404(Patient.objects.visible_to(request.user), pk=patient_id)
        rows = Baseline.objects.filter(patient=patient).annotate(code=F("measure__code"))
        found = [_shown(row, row.code) for row in rows.order_by("code", "version")]
        audit.record("read baselines", [patient.pk], request.user.pk, count=len(found))
        return json_response(BaselineList(found))

    @extend_schema(
        operation_id="patient_baseline_create",
        request={"application/json": schema_of(NewBaseline)},
        responses={201: OpenApiResponse(schema_of(ShownBaseline)), **problems(400, 401, 403, 404, 422)},
        examples=[
            OpenApiExample("a week", NEW, request_only=True),
            OpenApiExample("set", EXAMPLE, response_only=True, status_codes=["201"]),
        ],
    )
    def post(self, request: Request, patient_id: int) -> HttpResponse:
        patient = get_object_or_404(Patient.objects.visible_to(request.user), pk=patient_id)
        asked = read_as(request, NewBaseline)
        assert isinstance(request.user, User)  # noqa: S101  the permission has looked
        if not Trend.objects.filter(patient=patient, measure__code=asked.measure).exists():
            raise Problem(422, "no_trend", "This patient has no trend of this measure.", field="measure")
        try:
            row = set_baseline(
                patient, asked.measure, asked.from_day, asked.to_day,
                reason=asked.reason, by=request.user, now=timezone.now(),
            )  # fmt: skip
        except BaselineError as error:
            raise Problem(422, "invalid", error.detail, field=error.field) from None
        audit.record("wrote baseline", [patient.pk], request.user.pk)
        return json_response(_shown(row, asked.measure), 201)
