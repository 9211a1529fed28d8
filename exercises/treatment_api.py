"""Other treatments: entered by staff, read as bands on trends, with the slopes before and after side by side."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated
from uuid import UUID

import msgspec
from django.db import transaction
from django.db.models import Count
from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from django.utils import timezone
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework.request import Request
from uuid_utils.compat import uuid7

from backend.people import audit
from backend.people.writes import Door, next_revisions
from backend.rest.body import read_as
from backend.rest.openapi import json_response, problems, schema_of
from backend.rest.problems import Problem
from exercises.alarms import AE_1, SERIOUS
from exercises.models import Treatment, TreatmentSession
from exercises.programme_api import StaffView
from exercises.treatments import PARAMETERS, BeforeAndAfter, BrainStimulation, Details, Given, before_and_after
from outcomes import library
from outcomes.alerts import Finding, raise_for
from outcomes.models import Score

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
    id: UUID
    given: Given
    entered_at: datetime


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
        if asked.ends_on and asked.ends_on < asked.starts_on:
            raise Problem(422, "before_start", "It ends before it begins.", field="ends_on")
        details = msgspec.to_builtins(asked.details)
        row = Treatment.objects.create(
            id=uuid7(),
            clinic_id=patient.clinic_id,
            patient=patient,
            kind=details["kind"],
            starts_on=asked.starts_on,
            ends_on=asked.ends_on,
            details=details,
            note=asked.note,
            entered_by=self.user(request),
            entered_at=timezone.now(),
        )
        audit.record("wrote treatment", [patient.pk], request.user.pk)
        return json_response(stored(row), 201)


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
        if asked.ends_on < row.starts_on:
            raise Problem(422, "before_start", "It ends before it begins.", field="ends_on")
        row.ends_on = asked.ends_on
        row.save(update_fields=["ends_on"])
        audit.record("ended treatment", [patient_id], request.user.pk)
        return json_response(stored(row, row.sessions.count()))


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
        results = [StoredGiven(each.pk, msgspec.convert(each.given, Given), each.entered_at) for each in sessions]
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
                },
                response_only=True,
                status_codes=["201"],
            ),
        ],
    )
    def post(self, request: Request, patient_id: int, treatment_id: UUID) -> HttpResponse:
        patient = self.patient(request, patient_id)
        row = get_object_or_404(Treatment, patient=patient, pk=treatment_id)
        given, now = read_as(request, Given), timezone.now()
        details = msgspec.convert(row.details, Details)
        if not isinstance(details, BrainStimulation):
            raise Problem(422, "no_sessions", "Only a course of brain stimulation has sessions.")
        if not isinstance(given.parameters, PARAMETERS[details.modality]):
            raise Problem(422, "other_modality", f"The course is {details.modality}.", field="parameters.kind")
        if given.day < row.starts_on:
            raise Problem(422, "before_start", "This is before the course began.", field="day")
        user = self.user(request)
        with transaction.atomic():
            next_revisions([patient.pk])
            session = TreatmentSession.objects.create(
                id=uuid7(),
                clinic_id=patient.clinic_id,
                patient=patient,
                treatment=row,
                day=given.day,
                given=msgspec.to_builtins(given),
                entered_by=user,
                entered_at=now,
            )
            if any(event.kind in SERIOUS for event in given.events):
                door = Door(origin="clinic", received_at=now, user_id=user.pk)
                raise_for([Finding(patient.pk, patient.clinic_id, session.pk, now, [AE_1])], door)
        audit.record("wrote treatment session", [patient.pk], request.user.pk)
        return json_response(StoredGiven(session.pk, given, session.entered_at), 201)


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
        scores = Score.objects.filter(patient=patient, measure__code=measure, live=True).order_by("local_day", "at")
        by_day: dict[date, list[float]] = {}
        for day, value in scores.values_list("local_day", "value"):
            by_day.setdefault(day, []).append(value)
        values = [(day, sorted(each)[len(each) // 2]) for day, each in by_day.items()]
        audit.record("read slopes", [patient.pk], request.user.pk)
        return json_response(before_and_after(measure, row.starts_on, values))
