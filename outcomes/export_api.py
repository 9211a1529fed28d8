"""A clinic's data, or a patient's, for other programs: as files that stream."""

from __future__ import annotations

from typing import Any

import msgspec
from django.db.models import QuerySet
from django.http import Http404, HttpResponse, StreamingHttpResponse
from django.utils import timezone
from drf_spectacular.utils import OpenApiExample, OpenApiResponse, extend_schema
from rest_framework.request import Request
from rest_framework.views import APIView

from backend.people import audit
from backend.people.authentication import IsClinicAdmin, IsStaff, staff
from backend.people.models import Clinic, Patient
from backend.people.snapshot import of_one_state
from backend.people.staff_api import visible_patient
from backend.rest.openapi import json_response, problems, schema_of
from outcomes import exporting


class FileList(msgspec.Struct):
    """Each is read at this address, a slash and its name."""

    results: list[exporting.File]


LISTED: dict[Any, Any] = {200: OpenApiResponse(schema_of(FileList)), **problems(401, 403, 404)}
EXAMPLE = OpenApiExample(
    "one of many",
    {"results": [{"name": "phq-9.csv", "about": "one line a response: Patient Health Questionnaire, 9 items (PHQ-9)"}]},
    response_only=True,
)
CONTENT: dict[Any, Any] = {
    (200, "text/csv"): OpenApiResponse(
        {"type": "string"},
        "A table with a heading; `dictionary.csv` says what its columns mean.",
        examples=[
            OpenApiExample(
                "two lines",
                "patient,measure,id,at,local_day,value\r\n"
                "A-17,phq-9.total,01990d2a-5b1c-7c3e-9a58-0d6f4c1b2a37,2026-11-21T20:03:00+00:00,2026-11-21,12\r\n",
                media_type="text/csv",
                response_only=True,
            )
        ],
    ),
    (200, "application/x-ndjson"): OpenApiResponse({"type": "string"}, "JSON Lines: one object a line."),
    **problems(401, 403, 404),
}


def administered(request: Request, clinic_id: int) -> QuerySet[Patient]:
    """All patients of a clinic, for its admins; 404 for whose clinic it isn't."""
    if clinic_id not in staff(request).admin_of:
        raise Http404
    return Patient.objects.visible_to(request.user).filter(clinic=clinic_id)


def file_response(name: str, patients: QuerySet[Patient], clinic: str, user_id: int | None) -> StreamingHttpResponse:
    """The file, noted for each patient in it before the first line leaves."""
    found = exporting.content(name, patients, clinic, timezone.now())
    if found is None:
        raise Http404
    kind, lines = found
    audit.record(f"export {name}"[:40], patients.values_list("pk", flat=True), user_id)
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"}
    return StreamingHttpResponse(of_one_state(lines), content_type=kind, headers=headers)


class ClinicExportsView(APIView):
    """The files of a clinic's data."""

    permission_classes = [IsClinicAdmin]

    @extend_schema(operation_id="clinic_exports_list", responses=LISTED, examples=[EXAMPLE])
    def get(self, request: Request, clinic_id: int) -> HttpResponse:
        return json_response(FileList(exporting.files(administered(request, clinic_id))))


class ClinicExportView(APIView):
    """One file of a clinic's data, for its admins."""

    permission_classes = [IsClinicAdmin]

    @extend_schema(operation_id="clinic_export", responses=CONTENT)
    def get(self, request: Request, clinic_id: int, file: str) -> StreamingHttpResponse:
        patients = administered(request, clinic_id)
        return file_response(file, patients, Clinic.objects.get(pk=clinic_id).name, request.user.pk)


class PatientExportsView(APIView):
    """The files of a patient's data."""

    permission_classes = [IsStaff]

    @extend_schema(operation_id="patient_exports_list", responses=LISTED, examples=[EXAMPLE])
    def get(self, request: Request, patient_id: int) -> HttpResponse:
        patient = visible_patient(request, patient_id)
        return json_response(FileList(exporting.files(Patient.objects.filter(pk=patient.pk))))


class PatientExportView(APIView):
    """One file of a patient's data, for those who look after them."""

    permission_classes = [IsStaff]

    @extend_schema(operation_id="patient_export", responses=CONTENT)
    def get(self, request: Request, patient_id: int, file: str) -> StreamingHttpResponse:
        patient = visible_patient(request, patient_id)
        return file_response(file, Patient.objects.filter(pk=patient.pk), patient.clinic.name, request.user.pk)
