"""The staff's side: patients of a clinic, their codes and their phones."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from django.utils import timezone
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, OpenApiResponse, extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.views import APIView

from backend.people import audit, devices, enrolment, examples
from backend.people.authentication import IsStaff, staff
from backend.people.fields import BirthField, ZoneField
from backend.people.models import CareTeam, Device, Invitation, Patient, User
from backend.people.shapes import (
    DeviceList,
    NewCode,
    PatientPage,
    PatientShown,
    devices_of,
    patient_shown,
)
from backend.people.writes import next_revision_here
from backend.rest.openapi import json_response, problems, schema_of
from backend.rest.paging import KeysetPagination
from backend.rest.problems import Problem, in_words

EXAMPLE = OpenApiExample("a patient", examples.PATIENT, response_only=True)


def visible_teams(request: Request) -> QuerySet[CareTeam]:
    """All teams of the clinics that one administers, and those that one is in."""
    auth = staff(request)
    administered = CareTeam.objects.filter(clinic__in=auth.admin_of)
    mine = CareTeam.objects.filter(members__user=auth.user_id, clinic__in=auth.clinics)
    return CareTeam.objects.filter(pk__in=administered.values("pk").union(mine.values("pk")))


def visible_patient(request: Request, patient_id: int) -> Patient:
    """This patient, or 404 to whoever may not see them."""
    assert isinstance(request.user, User)  # noqa: S101  the permission has looked
    patient: Patient = get_object_or_404(Patient.objects.visible_to(request.user), pk=patient_id)
    return patient


@extend_schema_field(int)
class TeamField(serializers.PrimaryKeyRelatedField[CareTeam]):
    """A care team in which one may place patients."""

    def get_queryset(self) -> QuerySet[CareTeam]:
        return visible_teams(self.context["request"])


class PatientSerializer(serializers.Serializer[Patient]):
    care_team = TeamField()
    identifier = serializers.CharField(max_length=64, help_text="the clinic's own number for this person")
    name = serializers.CharField(max_length=200, allow_blank=True, default="")
    date_of_birth = BirthField(allow_null=True, default=None)
    language = serializers.CharField(max_length=10)
    time_zone = ZoneField()

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        team = attrs.get("care_team") or (self.instance and self.instance.care_team)
        if self.instance and team and team.clinic_id != self.instance.clinic_id:
            raise refusal("care_team", "elsewhere", "That team is another clinic's.")
        if "language" in attrs and team and attrs["language"] not in team.clinic.languages:
            raise refusal("language", "unknown", "The clinic doesn't offer this language.")
        if (born := attrs.get("date_of_birth")) and not enrolment.is_adult(born, timezone.now().date()):
            raise refusal(
                "date_of_birth",
                "not_an_adult",
                in_words("This is for people of %(n)s years and over.", n=enrolment.ADULT),
            )
        return attrs


class ChangedPatientSerializer(PatientSerializer):
    status = serializers.ChoiceField([Patient.Status.ACTIVE, Patient.Status.DISCHARGED], required=False)
    time_zone = None  # type: ignore[assignment]  # the phone's to say

    def validate_status(self, status: str) -> str:
        if self.instance and self.instance.user_id is None and status == Patient.Status.ACTIVE:
            raise serializers.ValidationError(in_words("Active is whoever has enrolled."), code="not_enrolled")
        return status


class AnotherPhoneSerializer(serializers.Serializer[Any]):
    revoke = serializers.BooleanField(help_text="lock the phones out that the patient has had until now")


def refusal(field: str, code: str, detail: str) -> serializers.ValidationError:
    return serializers.ValidationError({field: [serializers.ErrorDetail(in_words(detail), code=code)]})


def saved(patient: Patient, fields: list[str] | None = None) -> Patient:
    try:
        with transaction.atomic():
            patient.save(update_fields=fields)
    except IntegrityError as error:
        if "patient_identifier" not in str(error):
            raise
        raise Problem(400, "taken", "Another patient of the clinic has this identifier.", field="identifier") from error
    return patient


class PatientsView(APIView):
    """The patients that one may see, in the order in which they were entered."""

    permission_classes = [IsStaff]

    @extend_schema(
        operation_id="patients",
        parameters=[
            OpenApiParameter("clinic", int, description="Only of this clinic."),
            OpenApiParameter("care_team", int, description="Only of this care team."),
            OpenApiParameter("status", str, enum=Patient.Status.values, description="Only with this status."),
            OpenApiParameter("identifier", str, description="Only whoever has this identifier."),
            OpenApiParameter("limit", int, description="How many on a page, 1 to 500."),
            OpenApiParameter("cursor", str, description="Opaque; taken from `next`."),
        ],
        responses={200: OpenApiResponse(schema_of(PatientPage)), **problems(400, 401, 403)},
        examples=[
            OpenApiExample("a page", {"results": [examples.PATIENT], "next": None}, response_only=True),
        ],
    )
    def get(self, request: Request) -> HttpResponse:
        assert isinstance(request.user, User)  # noqa: S101  the permission has looked
        patients = Patient.objects.visible_to(request.user)
        for name in ("clinic", "care_team"):
            if wanted := request.query_params.get(name):
                if not (wanted.isascii() and wanted.isdigit() and len(wanted) < 19):
                    raise Problem(400, "invalid", "A number.", field=name)
                patients = patients.filter(**{name: int(wanted)})
        for name in ("status", "identifier"):
            if wanted := request.query_params.get(name):
                patients = patients.filter(**{name: wanted})
        pages = KeysetPagination()
        page = pages.paginate_queryset(patients, request, self)
        audit.record("list patients", [patient.pk for patient in page], staff(request).user_id)
        return json_response(PatientPage([patient_shown(patient) for patient in page], pages.next_link))

    @extend_schema(
        operation_id="enter_patient",
        request=PatientSerializer,
        responses={201: OpenApiResponse(schema_of(PatientShown)), **problems(400, 401, 403, 413, 415)},
        examples=[OpenApiExample("a new patient", examples.NEW_PATIENT, request_only=True), EXAMPLE],
    )
    def post(self, request: Request) -> HttpResponse:
        form = PatientSerializer(data=request.data, context={"request": request})
        form.is_valid(raise_exception=True)
        with transaction.atomic():
            patient = saved(Patient(clinic_id=form.validated_data["care_team"].clinic_id, **form.validated_data))
            audit.record("write profile", [patient.pk], staff(request).user_id)
        return json_response(patient_shown(patient), 201)


class PatientView(APIView):
    """One patient."""

    permission_classes = [IsStaff]

    @extend_schema(
        operation_id="patient",
        responses={200: OpenApiResponse(schema_of(PatientShown)), **problems(401, 403, 404)},
        examples=[EXAMPLE],
    )
    def get(self, request: Request, patient_id: int) -> HttpResponse:
        patient = visible_patient(request, patient_id)
        audit.record("read profile", [patient.pk], staff(request).user_id)
        return json_response(patient_shown(patient))

    @extend_schema(
        operation_id="change_patient",
        request=ChangedPatientSerializer,
        responses={200: OpenApiResponse(schema_of(PatientShown)), **problems(400, 401, 403, 404, 413, 415)},
        examples=[OpenApiExample("discharge", {"status": "discharged"}, request_only=True), EXAMPLE],
    )
    def patch(self, request: Request, patient_id: int) -> HttpResponse:
        patient = visible_patient(request, patient_id)
        form = ChangedPatientSerializer(patient, data=request.data, partial=True, context={"request": request})
        form.is_valid(raise_exception=True)
        with transaction.atomic():
            next_revision_here(patient)
            for name, value in form.validated_data.items():
                setattr(patient, name, value)
            saved(patient, list(form.validated_data))
            if patient.status == Patient.Status.DISCHARGED:
                enrolment.void_codes(patient, timezone.now())
            audit.record("write profile", [patient.pk], staff(request).user_id)
        return json_response(patient_shown(patient))


CODE: dict[Any, OpenApiResponse] = {
    201: OpenApiResponse(schema_of(NewCode)),
    **problems(400, 401, 403, 404, 409, 413, 415),
}


class InviteView(APIView):
    """A code by which a patient enrols; whatever code they had before is dead."""

    permission_classes = [IsStaff]

    @extend_schema(
        operation_id="invite",
        request=None,
        examples=[OpenApiExample("a code", examples.NEW_CODE, response_only=True, status_codes=["201"])],
        responses=CODE,
    )
    def post(self, request: Request, patient_id: int) -> HttpResponse:
        return new_code(request, visible_patient(request, patient_id), Invitation.Purpose.ENROL)


class StaffRelinkView(APIView):
    """A code by which an enrolled patient links another phone, or the same one anew."""

    permission_classes = [IsStaff]

    @extend_schema(
        operation_id="invite_again",
        request=AnotherPhoneSerializer,
        examples=[
            OpenApiExample("the old phone is lost", {"revoke": True}, request_only=True),
            OpenApiExample("a code", examples.NEW_CODE | {"purpose": "relink"}, response_only=True),
        ],
        responses=CODE,
    )
    def post(self, request: Request, patient_id: int) -> HttpResponse:
        patient = visible_patient(request, patient_id)
        form = AnotherPhoneSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        with transaction.atomic():
            if form.validated_data["revoke"]:
                devices.revoke(patient.devices.all(), staff(request).user_id, timezone.now())
            return new_code(request, patient, Invitation.Purpose.RELINK)


def new_code(request: Request, patient: Patient, purpose: Invitation.Purpose) -> HttpResponse:
    code, invitation = enrolment.invite(patient, purpose, staff(request).user_id, timezone.now())
    response = json_response(NewCode(code, invitation.purpose, invitation.expires_at), 201)
    response["Cache-Control"] = "no-store"
    return response


class DevicesView(APIView):
    """The phones that a patient has, or had."""

    permission_classes = [IsStaff]

    @extend_schema(
        operation_id="devices",
        responses={200: OpenApiResponse(schema_of(DeviceList)), **problems(401, 403, 404)},
        examples=[OpenApiExample("one phone", {"results": examples.DEVICES}, response_only=True)],
    )
    def get(self, request: Request, patient_id: int) -> HttpResponse:
        patient = visible_patient(request, patient_id)
        audit.record("read devices", [patient.pk], staff(request).user_id)
        return json_response(DeviceList(devices_of(patient.pk)))


class DeviceView(APIView):
    """One phone of a patient."""

    permission_classes = [IsStaff]

    @extend_schema(
        operation_id="revoke_device",
        description="The phone is lost: from its next request on it is nobody's.",
        responses={204: None, **problems(401, 403, 404)},
    )
    def delete(self, request: Request, patient_id: int, device_id: UUID) -> HttpResponse:
        mine = Device.objects.filter(patient=visible_patient(request, patient_id), pk=device_id)
        get_object_or_404(mine)
        with transaction.atomic():
            devices.revoke(mine, staff(request).user_id, timezone.now())
        return HttpResponse(status=204)
