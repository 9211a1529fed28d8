"""A patient's rights over their record: a copy of all of it, and erasure."""

from __future__ import annotations

from django.http import HttpResponse, StreamingHttpResponse
from django.utils import timezone
from drf_spectacular.utils import OpenApiExample, OpenApiResponse, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.views import APIView

from backend.people import audit
from backend.people.authentication import IsPatient, IsStaff, phone, staff
from backend.people.copying import copy_of
from backend.people.erasing import erase
from backend.people.models import Patient
from backend.people.snapshot import of_one_state
from backend.people.staff_api import visible_patient
from backend.rest.openapi import problems
from backend.rest.problems import Problem
from backend.rest.throttles import knock

LINES = "application/x-ndjson"
COPY = {
    (200, LINES): OpenApiResponse(
        {"type": "string"},
        "JSON Lines: a heading, what the columns mean, then one object a row, its table in `type`.",
        examples=[
            OpenApiExample(
                "two lines",
                '{"type":"copy","patient":"A-17","clinic":"Spine clinic","made_at":"2026-11-22T09:00:00Z"}\n'
                '{"type":"responses","id":"01990d2a-5b1c-7c3e-9a58-0d6f4c1b2a37","answers":{"1":1}}\n',
                media_type=LINES,
                response_only=True,
            )
        ],
    )
}


def copy_response(patient: Patient, user_id: int | None) -> StreamingHttpResponse:
    audit.record("export copy", [patient.pk], user_id)
    return StreamingHttpResponse(
        of_one_state(copy_of(patient, timezone.now())),
        content_type=LINES,
        headers={"Content-Disposition": 'attachment; filename="copy.jsonl"'},
    )


class MyCopyView(APIView):
    """Everything that is kept about the patient who asks, whether or not their consent still stands."""

    permission_classes = [IsPatient]

    @extend_schema(operation_id="my_copy", responses={**COPY, **problems(401, 403, 429)})
    def get(self, request: Request) -> StreamingHttpResponse:
        patient = Patient.objects.select_related("clinic").get(pk=phone(request).patient_id)
        knock("copy", str(patient.pk), most=10, seconds=3600)
        return copy_response(patient, request.user.pk)


class PatientCopyView(APIView):
    """The same for a patient who asks their clinic for it."""

    permission_classes = [IsStaff]

    @extend_schema(operation_id="patient_copy", responses={**COPY, **problems(401, 403, 404)})
    def get(self, request: Request, patient_id: int) -> StreamingHttpResponse:
        return copy_response(visible_patient(request, patient_id), request.user.pk)


class ErasureSerializer(serializers.Serializer[None]):
    identifier = serializers.CharField(max_length=64, help_text="the clinic's number of this patient, to be sure")


class ErasureView(APIView):
    """Erase a patient, for an admin of their clinic. What stays is a number, the audit, and the proof of consent."""

    permission_classes = [IsStaff]

    @extend_schema(
        operation_id="patient_erase",
        request=ErasureSerializer,
        responses={204: OpenApiResponse(None, "It is done, and can't be undone."), **problems(400, 401, 403, 404)},
        examples=[OpenApiExample("to be sure", {"identifier": "A-17"}, request_only=True)],
    )
    def post(self, request: Request, patient_id: int) -> HttpResponse:
        patient = visible_patient(request, patient_id)
        if patient.clinic_id not in staff(request).admin_of:
            raise Problem(403, "not_an_admin", "Only an admin of the clinic may erase a patient.")
        sent = ErasureSerializer(data=request.data)
        sent.is_valid(raise_exception=True)
        if sent.validated_data["identifier"] != patient.identifier:
            raise Problem(400, "another_patient", "This is not the number of this patient.", field="identifier")
        erase(patient.pk, request.user.pk, among=Patient.objects.filter(clinic=patient.clinic_id))
        return HttpResponse(status=204)
