"""Home programmes: written and read by those who look after a patient, read by the patient."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Literal
from uuid import UUID

import msgspec
from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from django.utils import timezone
from drf_spectacular.utils import OpenApiExample, OpenApiResponse, extend_schema
from rest_framework.request import Request
from rest_framework.views import APIView

from backend.people import audit
from backend.people.authentication import IsPatient, phone
from backend.rest.body import read_as
from backend.rest.openapi import json_response, problems, schema_of
from backend.rest.problems import Problem
from exercises import prescribing
from exercises.entry import Exercise
from exercises.gate import Finding
from exercises.models import Pause, Prescription
from exercises.plan import Plan
from exercises.staff_view import StaffView, guarded
from exercises.templates import templates

PauseReason = Literal["holiday", "illness", "flare", "other"]
Reason = Annotated[str, msgspec.Meta(min_length=1, max_length=500)]


class StoredPause(msgspec.Struct):
    id: UUID
    from_day: date
    to_day: date | None
    reason: str


class StoredPrescription(msgspec.Struct):
    """One version of a programme, in force from `starts_on` to `ends_on`. `exercises` are its entries, whole."""

    id: UUID
    programme: UUID
    version: int
    starts_on: date
    ends_on: date | None
    plan: Plan
    exercises: dict[str, Exercise]
    template: str
    origin: str
    prescribed_at: datetime
    reason: str
    stop_reason: str
    overrides: list[dict[str, str]]
    pauses: list[StoredPause]


class PrescriptionList(msgspec.Struct):
    results: list[StoredPrescription]


class Prescribe(msgspec.Struct, forbid_unknown_fields=True):
    """A new programme. `overrides` gives a written reason for each block of the safety gate, by its key."""

    plan: Plan
    starts_on: date | None = None
    template: Annotated[str, msgspec.Meta(max_length=64)] = ""
    overrides: dict[str, Reason] = {}


class ChangeIt(msgspec.Struct, forbid_unknown_fields=True):
    """The plan that follows this version from `from_day` on, today unless said."""

    plan: Plan
    reason: Reason
    from_day: date | None = None
    overrides: dict[str, Reason] = {}


class StopIt(msgspec.Struct, forbid_unknown_fields=True):
    reason: Reason
    last_day: date | None = None


class PauseIt(msgspec.Struct, forbid_unknown_fields=True):
    """A rest; without `to_day` it lasts until the programme is resumed."""

    reason: PauseReason
    from_day: date | None = None
    to_day: date | None = None


EXAMPLE_PLAN = {
    "title": "Move again",
    "weekdays": [1, 3, 5],
    "opens": "08:00:00",
    "closes": "21:00:00",
    "mode": "quota",
    "limits": {"step_back": 50, "step_up": False},
    "items": [
        {"exercise": "cat-cow", "dose": {"kind": "sets", "sets": 2, "breaths": 8, "sessions_per_week": 3}},
        {"exercise": "baseline-walk", "dose": {"kind": "minutes", "minutes": 12, "sessions_per_week": 3}},
    ],
}
EXAMPLE_PRESCRIPTION = {
    "id": "01990d2a-5b1c-7c3e-9a58-0d6f4c1b2a37",
    "programme": "01990d2a-5b1c-7c3e-9a58-0d6f4c1b2a36",
    "version": 1,
    "starts_on": "2026-11-23",
    "ends_on": None,
    "plan": EXAMPLE_PLAN,
    "exercises": {},
    "template": "",
    "origin": "clinic",
    "prescribed_at": "2026-11-22T09:00:00Z",
    "reason": "",
    "stop_reason": "",
    "overrides": [],
    "pauses": [],
}
EXAMPLE_PAUSE = {
    "id": "01990d2a-5b1c-7c3e-9a58-0d6f4c1b2a38",
    "from_day": "2026-11-25",
    "to_day": "2026-12-06",
    "reason": "holiday",
}
ANSWERS = problems(400, 401, 403, 404, 409, 422)


def stored(rows: list[Prescription]) -> list[StoredPrescription]:
    """Prescriptions of one patient with the pauses of their programmes; one statement more, however many."""
    pauses: dict[UUID, list[StoredPause]] = {}
    of = {each.patient_id for each in rows}
    for row in Pause.objects.filter(patient__in=of, programme__in={each.programme for each in rows}).order_by(
        "from_day", "id"
    ):
        pauses.setdefault(row.programme, []).append(StoredPause(row.pk, row.from_day, row.to_day, row.reason))
    return [
        StoredPrescription(
            id=row.pk,
            programme=row.programme,
            version=row.version,
            starts_on=row.starts_on,
            ends_on=row.ends_on,
            plan=msgspec.convert(row.plan, Plan),
            exercises=msgspec.convert(row.exercises, dict[str, Exercise]),
            template=row.template,
            origin=row.origin,
            prescribed_at=row.prescribed_at,
            reason=row.reason,
            stop_reason=row.stop_reason,
            overrides=row.overrides,
            pauses=pauses.get(row.programme, []),
        )
        for row in rows
    ]


def newest_first(patient_id: int) -> list[Prescription]:
    return list(Prescription.objects.filter(patient=patient_id).order_by("-starts_on", "-version", "id"))


class OwnPrescriptionsView(APIView):
    """The patient's own programmes, newest first."""

    permission_classes = [IsPatient]

    @extend_schema(
        operation_id="prescriptions_list",
        responses={200: OpenApiResponse(schema_of(PrescriptionList)), **problems(401, 403)},
        examples=[OpenApiExample("one", {"results": [EXAMPLE_PRESCRIPTION]}, response_only=True)],
    )
    def get(self, request: Request) -> HttpResponse:
        return json_response(PrescriptionList(stored(newest_first(phone(request).patient_id))))


class PrescriptionsView(StaffView):
    """A patient's programmes in all versions, and a new one."""

    @extend_schema(
        operation_id="patient_prescriptions_list",
        responses={200: OpenApiResponse(schema_of(PrescriptionList)), **problems(401, 403, 404)},
        examples=[OpenApiExample("one", {"results": [EXAMPLE_PRESCRIPTION]}, response_only=True)],
    )
    def get(self, request: Request, patient_id: int) -> HttpResponse:
        patient = self.patient(request, patient_id)
        rows = newest_first(patient.pk)
        audit.record("read prescriptions", [patient.pk], request.user.pk, count=len(rows))
        return json_response(PrescriptionList(stored(rows)))

    @extend_schema(
        operation_id="patient_prescription_create",
        request={"application/json": schema_of(Prescribe)},
        responses={201: OpenApiResponse(schema_of(StoredPrescription)), **ANSWERS},
        examples=[
            OpenApiExample("a programme", {"plan": EXAMPLE_PLAN, "starts_on": "2026-11-23"}, request_only=True),
            OpenApiExample("prescribed", EXAMPLE_PRESCRIPTION, response_only=True, status_codes=["201"]),
        ],
    )
    def post(self, request: Request, patient_id: int) -> HttpResponse:
        patient, asked = self.patient(request, patient_id), read_as(request, Prescribe)
        if asked.template and asked.template not in templates():
            raise Problem(422, "unknown_template", "See /exercise-templates.", field="template")

        def write() -> HttpResponse:
            row = prescribing.prescribe(
                patient,
                asked.plan,
                by=self.user(request),
                now=timezone.now(),
                starts_on=asked.starts_on,
                overrides=asked.overrides,
                template=asked.template,
            )
            audit.record("wrote prescription", [patient.pk], request.user.pk)
            return json_response(stored([row])[0], 201)

        return guarded(write, "plan.")


class CheckView(StaffView):
    """What the safety gate says of a plan, before it is prescribed."""

    @extend_schema(
        operation_id="patient_prescription_check",
        request={"application/json": schema_of(Plan)},
        responses={200: OpenApiResponse(schema_of(Finding)), **problems(400, 401, 403, 404, 422)},
        examples=[
            OpenApiExample("a plan", EXAMPLE_PLAN, request_only=True),
            OpenApiExample(
                "a block",
                {
                    "blocks": [{"code": "clearance", "exercise": "cycle-one-minute", "about": ""}],
                    "precautions": [{"code": "precaution", "exercise": "cat-cow", "about": "knee-pain"}],
                },
                response_only=True,
            ),
        ],
    )
    def post(self, request: Request, patient_id: int) -> HttpResponse:
        patient, plan = self.patient(request, patient_id), read_as(request, Plan)
        audit.record("read conditions", [patient.pk], request.user.pk)
        return guarded(lambda: json_response(prescribing.check(patient, plan, timezone.now())))


class VersionView(StaffView):
    """One version of one patient's programme, of which it is read or written."""

    def prescription(self, request: Request, patient_id: int, prescription_id: UUID) -> Prescription:
        patient = self.patient(request, patient_id)
        return get_object_or_404(Prescription.objects.select_related("patient"), patient=patient, pk=prescription_id)


class PrescriptionView(VersionView):
    """One version of a programme."""

    @extend_schema(
        operation_id="patient_prescription_read",
        responses={200: OpenApiResponse(schema_of(StoredPrescription)), **problems(401, 403, 404)},
        examples=[OpenApiExample("one", EXAMPLE_PRESCRIPTION, response_only=True)],
    )
    def get(self, request: Request, patient_id: int, prescription_id: UUID) -> HttpResponse:
        row = self.prescription(request, patient_id, prescription_id)
        audit.record("read prescription", [patient_id], request.user.pk)
        return json_response(stored([row])[0])


class ChangeView(VersionView):
    """Another plan from today or a later day on; past days keep theirs."""

    @extend_schema(
        operation_id="patient_prescription_change",
        request={"application/json": schema_of(ChangeIt)},
        responses={201: OpenApiResponse(schema_of(StoredPrescription)), **ANSWERS},
        examples=[
            OpenApiExample("more minutes", {"plan": EXAMPLE_PLAN, "reason": "went well"}, request_only=True),
            OpenApiExample("changed", EXAMPLE_PRESCRIPTION | {"version": 2}, response_only=True, status_codes=["201"]),
        ],
    )
    def post(self, request: Request, patient_id: int, prescription_id: UUID) -> HttpResponse:
        old, asked = self.prescription(request, patient_id, prescription_id), read_as(request, ChangeIt)

        def write() -> HttpResponse:
            row = prescribing.change(
                old,
                asked.plan,
                by=self.user(request),
                now=timezone.now(),
                reason=asked.reason,
                from_day=asked.from_day,
                overrides=asked.overrides,
            )
            audit.record("changed prescription", [patient_id], request.user.pk)
            return json_response(stored([row])[0], 201)

        return guarded(write, "plan.")


class StopView(VersionView):
    """End a programme, with a reason."""

    @extend_schema(
        operation_id="patient_prescription_stop",
        request={"application/json": schema_of(StopIt)},
        responses={200: OpenApiResponse(schema_of(StoredPrescription)), **ANSWERS},
        examples=[
            OpenApiExample("done", {"reason": "goal reached"}, request_only=True),
            OpenApiExample(
                "stopped",
                EXAMPLE_PRESCRIPTION | {"stop_reason": "goal reached"},
                response_only=True,
                status_codes=["200"],
            ),
        ],
    )
    def post(self, request: Request, patient_id: int, prescription_id: UUID) -> HttpResponse:
        old, asked = self.prescription(request, patient_id, prescription_id), read_as(request, StopIt)

        def write() -> HttpResponse:
            prescribing.stop(old, now=timezone.now(), reason=asked.reason, last_day=asked.last_day)
            audit.record("stopped prescription", [patient_id], request.user.pk)
            old.refresh_from_db()
            return json_response(stored([old])[0])

        return guarded(write)


class PauseView(VersionView):
    """Let a programme rest: its days are then neither done nor missed."""

    @extend_schema(
        operation_id="patient_prescription_pause",
        request={"application/json": schema_of(PauseIt)},
        responses={201: OpenApiResponse(schema_of(StoredPause)), **ANSWERS},
        examples=[
            OpenApiExample("two weeks", {"reason": "holiday", "to_day": "2026-12-06"}, request_only=True),
            OpenApiExample("paused", EXAMPLE_PAUSE, response_only=True, status_codes=["201"]),
        ],
    )
    def post(self, request: Request, patient_id: int, prescription_id: UUID) -> HttpResponse:
        old, asked = self.prescription(request, patient_id, prescription_id), read_as(request, PauseIt)

        def write() -> HttpResponse:
            row = prescribing.pause(
                old,
                by=self.user(request),
                now=timezone.now(),
                reason=asked.reason,
                from_day=asked.from_day,
                to_day=asked.to_day,
            )
            audit.record("paused prescription", [patient_id], request.user.pk)
            return json_response(StoredPause(row.pk, row.from_day, row.to_day, row.reason), 201)

        return guarded(write)


class ResumeView(VersionView):
    """End the programme's open pauses with yesterday."""

    @extend_schema(
        operation_id="patient_prescription_resume",
        request=None,
        responses={200: OpenApiResponse(schema_of(StoredPrescription)), **problems(401, 403, 404, 422)},
        examples=[OpenApiExample("resumed", EXAMPLE_PRESCRIPTION, response_only=True)],
    )
    def post(self, request: Request, patient_id: int, prescription_id: UUID) -> HttpResponse:
        old = self.prescription(request, patient_id, prescription_id)

        def write() -> HttpResponse:
            prescribing.resume(old, now=timezone.now())
            audit.record("resumed prescription", [patient_id], request.user.pk)
            return json_response(stored([old])[0])

        return guarded(write)
