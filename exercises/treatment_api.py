"""Other treatments: entered by staff, read as bands on trends, with the slopes before and after side by side."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated
from uuid import UUID

import msgspec
from django.db.models import Count
from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from django.utils import timezone
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework.request import Request

from backend.people import audit
from backend.rest.body import read_as
from backend.rest.openapi import json_response, problems, schema_of
from backend.rest.problems import Problem
from exercises.models import Treatment, TreatmentSession
from exercises.staff_view import StaffView, guarded
from exercises.treating import end_treatment, enter_session, enter_treatment, slopes_around
from exercises.treatments import BeforeAndAfter, Details, Given
from outcomes import library

Note = Annotated[str, msgspec.Meta(max_length=2000)]


class NewTreatment(msgspec.Struct, forbid_unknown_fields=True):
    starts_on: date
    details: Details
    ends_on: date | None = None
    note: Note = ""


class StoredTreatment(msgspec.Struct):
    """A band on the trends from `starts_on` to `ends_on`, or a mark where that is null. `given` counts sessions."""

    id: UUID
    kind: str
    starts_on: date
    ends_on: date | None
    details: Details
    note: str
    given: int
    entered_at: datetime


class TreatmentList(msgspec.Struct):
    results: list[StoredTreatment]


class EndIt(msgspec.Struct, forbid_unknown_fields=True):
    ends_on: date


class StoredGiven(msgspec.Struct):
    """A session as it was entered. `density` is what follows for direct current: mA per cm² of the electrode."""

    id: UUID
    given: Given
    entered_at: datetime
    density: float | None


class GivenList(msgspec.Struct):
    results: list[StoredGiven]


EXAMPLE = {
    "id": "01990d2a-5b1c-7c3e-9a58-0d6f4c1b2a37",
    "kind": "brain-stimulation",
    "starts_on": "2026-11-02",
    "ends_on": "2026-11-20",
    "details": {
        "kind": "brain-stimulation",
        "modality": "rTMS",
        "target": "M1-hand",
        "side": "left",
        "targeting": "hotspot",
        "planned_sessions": 13,
        "consent": True,
        "screened": True,
    },
    "note": "",
    "given": 13,
    "entered_at": "2026-11-22T09:00:00Z",
}
EXAMPLE_GIVEN = {
    "day": "2026-11-03",
    "completed": True,
    "parameters": {
        "kind": "rTMS",
        "frequency_hz": 10,
        "intensity_percent": 90,
        "of": "RMT",
        "pulses": 2000,
        "trains": 20,
        "train_seconds": 10,
        "between_trains_seconds": 50,
        "minutes": 20,
    },
}


def stored(row: Treatment, given: int = 0) -> StoredTreatment:
    return StoredTreatment(
        id=row.pk,
        kind=row.kind,
        starts_on=row.starts_on,
        ends_on=row.ends_on,
        details=msgspec.convert(row.details, Details),
        note=row.note,
        given=given,
        entered_at=row.entered_at,
    )


def stored_given(row: TreatmentSession) -> StoredGiven:
    given = msgspec.convert(row.given, Given)
    density = getattr(given.parameters, "density", None)
    return StoredGiven(row.pk, given, row.entered_at, density and round(density, 4))


class TreatmentsView(StaffView):
    """A patient's other treatments, and a new one."""

    @extend_schema(
        operation_id="patient_treatments_list",
        responses={200: OpenApiResponse(schema_of(TreatmentList)), **problems(401, 403, 404)},
        examples=[OpenApiExample("one", {"results": [EXAMPLE]}, response_only=True)],
    )
    def get(self, request: Request, patient_id: int) -> HttpResponse:
        patient = self.patient(request, patient_id)
        rows = list(
            Treatment.objects.filter(patient=patient).annotate(given=Count("sessions")).order_by("starts_on", "id")
        )
        audit.record("read treatments", [patient.pk], request.user.pk, count=len(rows))
        return json_response(TreatmentList([stored(row, row.given) for row in rows]))

    @extend_schema(
        operation_id="patient_treatment_create",
        request={"application/json": schema_of(NewTreatment)},
        responses={201: OpenApiResponse(schema_of(StoredTreatment)), **problems(400, 401, 403, 404, 422)},
        examples=[
            OpenApiExample("a course", {name: EXAMPLE[name] for name in ("starts_on", "details")}, request_only=True),
            OpenApiExample("entered", EXAMPLE, response_only=True, status_codes=["201"]),
        ],
    )
    def post(self, request: Request, patient_id: int) -> HttpResponse:
        patient, asked = self.patient(request, patient_id), read_as(request, NewTreatment)

        def write() -> HttpResponse:
            fields = {name: getattr(asked, name) for name in ("details", "starts_on", "ends_on", "note")}
            row = enter_treatment(patient, by=self.user(request), now=timezone.now(), **fields)
            audit.record("wrote treatment", [patient.pk], request.user.pk)
            return json_response(stored(row), 201)

        return guarded(write)


class EndTreatmentView(StaffView):
    """Say on which day a treatment ended."""

    @extend_schema(
        operation_id="patient_treatment_end",
        request={"application/json": schema_of(EndIt)},
        responses={200: OpenApiResponse(schema_of(StoredTreatment)), **problems(400, 401, 403, 404, 422)},
        examples=[
            OpenApiExample("over", {"ends_on": "2026-11-20"}, request_only=True),
            OpenApiExample("ended", EXAMPLE | {"ends_on": "2026-11-20"}, response_only=True),
        ],
    )
    def post(self, request: Request, patient_id: int, treatment_id: UUID) -> HttpResponse:
        row = get_object_or_404(Treatment, patient=self.patient(request, patient_id), pk=treatment_id)
        asked = read_as(request, EndIt)

        def write() -> HttpResponse:
            end_treatment(row, asked.ends_on, timezone.now())
            audit.record("ended treatment", [patient_id], request.user.pk)
            return json_response(stored(row, row.sessions.count()))

        return guarded(write)


class GivenView(StaffView):
    """The sessions of a course of brain stimulation. A serious adverse event raises its alarm."""

    @extend_schema(
        operation_id="patient_treatment_sessions_list",
        responses={200: OpenApiResponse(schema_of(GivenList)), **problems(401, 403, 404)},
        examples=[OpenApiExample("none yet", {"results": []}, response_only=True)],
    )
    def get(self, request: Request, patient_id: int, treatment_id: UUID) -> HttpResponse:
        row = get_object_or_404(Treatment, patient=self.patient(request, patient_id), pk=treatment_id)
        sessions = list(row.sessions.order_by("day", "id"))
        audit.record("read treatment sessions", [patient_id], request.user.pk, count=len(sessions))
        results = [stored_given(each) for each in sessions]
        return json_response(GivenList(results))

    @extend_schema(
        operation_id="patient_treatment_session_create",
        request={"application/json": schema_of(Given)},
        responses={201: OpenApiResponse(schema_of(StoredGiven)), **problems(400, 401, 403, 404, 422)},
        examples=[
            OpenApiExample("rTMS", EXAMPLE_GIVEN, request_only=True),
            OpenApiExample(
                "entered",
                {
                    "id": "01990d2a-5b1c-7c3e-9a58-0d6f4c1b2a37",
                    "given": EXAMPLE_GIVEN,
                    "entered_at": "2026-11-03T11:00:00Z",
                    "density": None,
                },
                response_only=True,
                status_codes=["201"],
            ),
        ],
    )
    def post(self, request: Request, patient_id: int, treatment_id: UUID) -> HttpResponse:
        patient = self.patient(request, patient_id)
        row = get_object_or_404(Treatment, patient=patient, pk=treatment_id)
        given = read_as(request, Given)

        def write() -> HttpResponse:
            session = enter_session(row, patient, given, by=self.user(request), now=timezone.now())
            audit.record("wrote treatment session", [patient.pk], request.user.pk)
            return json_response(stored_given(session), 201)

        return guarded(write)


class SlopesView(StaffView):
    """The slopes of a measure before and after a treatment began. It never says why."""

    @extend_schema(
        operation_id="patient_treatment_slopes",
        parameters=[OpenApiParameter("measure", str, required=True, description="Such as nrs-pain.total.")],
        responses={200: OpenApiResponse(schema_of(BeforeAndAfter)), **problems(400, 401, 403, 404)},
        examples=[
            OpenApiExample(
                "too few values before",
                {
                    "measure": "nrs-pain.total",
                    "day": "2026-11-02",
                    "before": {"n": 3, "per_week": None, "low": None, "high": None},
                    "after": {"n": 20, "per_week": -0.2, "low": -0.4, "high": 0.0},
                    "note": "This does not say why.",
                },
                response_only=True,
            )
        ],
    )
    def get(self, request: Request, patient_id: int, treatment_id: UUID) -> HttpResponse:
        patient = self.patient(request, patient_id)
        row = get_object_or_404(Treatment, patient=patient, pk=treatment_id)
        measure = request.query_params.get("measure", "")
        if measure not in library.measures():
            raise Problem(400, "unknown_measure", "There is no such measure.", field="measure")
        audit.record("read slopes", [patient.pk], request.user.pk)
        return json_response(slopes_around(patient, [measure], row.starts_on)[0])
