"""The patient's side: enrolling, and what concerns themselves."""

from __future__ import annotations

from typing import Any, ClassVar
from uuid import UUID

from django.db import transaction
from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from django.utils import timezone
from drf_spectacular.utils import OpenApiExample, OpenApiResponse, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.views import APIView

from backend.people import audit, consent, devices, enrolment, examples, zones
from backend.people.authentication import IsPatient, phone
from backend.people.fields import BirthField, ZoneField
from backend.people.models import Device, Patient
from backend.people.shapes import ConsentText, EnrolAnswer, InvitationAnswer, Me, Withdrawn, me_of, shown
from backend.people.tokens import Tokens
from backend.rest.openapi import json_response, problems, schema_of
from backend.rest.problems import in_words
from backend.rest.throttles import address_of, knock


class CodeSerializer(serializers.Serializer[Any]):
    code = serializers.CharField(max_length=40)


class DeviceSerializer(serializers.Serializer[Any]):
    id = serializers.UUIDField(help_text="made by the phone, and kept by it")
    name = serializers.CharField(max_length=100, allow_blank=True, default="")


class RelinkSerializer(CodeSerializer):
    date_of_birth = BirthField()
    device = DeviceSerializer()

    def phone(self) -> enrolment.NewPhone:
        sent = self.validated_data
        return enrolment.NewPhone(sent["code"], sent["date_of_birth"], sent["device"]["id"], sent["device"]["name"])


class ConsentSerializer(serializers.Serializer[Any]):
    language = serializers.CharField(max_length=10)
    version = serializers.IntegerField(min_value=1, max_value=32_767)


class EnrolSerializer(RelinkSerializer):
    consent = ConsentSerializer(help_text="which text was agreed to")
    language = serializers.CharField(max_length=10)
    time_zone = ZoneField()
    email = serializers.EmailField(required=False, allow_blank=True, default="")


class SettingsSerializer(serializers.Serializer[Any]):
    language = serializers.CharField(max_length=10, required=False)
    time_zone = ZoneField(required=False)


def knock_with_code(request: Request) -> dict[str, Any]:
    """What was sent with a code, after both the sender and the code itself were counted.

    By the address, nobody tries many codes; by the code, nobody who found one tries many dates of birth.
    """
    knock("code", address_of(request._request), most=30, seconds=600)
    form = CodeSerializer(data=request.data)
    form.is_valid(raise_exception=True)
    knock("code", enrolment.hash_of(form.validated_data["code"]).hex(), most=10, seconds=3600)
    return dict(form.validated_data)


class InvitationView(APIView):
    """What an invitation is for, and the consent texts it asks to agree to; it stays unredeemed."""

    authentication_classes = ()
    permission_classes = ()

    @extend_schema(
        operation_id="read_invitation",
        request=CodeSerializer,
        responses={200: OpenApiResponse(schema_of(InvitationAnswer)), **problems(400, 413, 415, 429, 503)},
        examples=[
            OpenApiExample("a code", examples.CODE, request_only=True),
            OpenApiExample("an invitation", examples.INVITATION, response_only=True, status_codes=["200"]),
        ],
    )
    @transaction.atomic
    def post(self, request: Request) -> HttpResponse:
        found = enrolment.find(knock_with_code(request)["code"], None, timezone.now())
        clinic = found.patient.clinic
        texts = [ConsentText(text.language, text.version, text.body) for text in consent.current_texts(clinic.pk)]
        return json_response(InvitationAnswer(found.purpose, shown(clinic), texts, found.expires_at))


class EnrolView(APIView):
    """Redeem an invitation: the account, the consent and this phone's tokens."""

    authentication_classes = ()
    permission_classes = ()

    @extend_schema(
        operation_id="enrol",
        request=EnrolSerializer,
        responses={201: OpenApiResponse(schema_of(EnrolAnswer)), **problems(400, 413, 415, 429, 503)},
        examples=[
            OpenApiExample("a new phone", examples.ENROL, request_only=True),
            OpenApiExample("enrolled", examples.ENROLLED, response_only=True, status_codes=["201"]),
        ],
    )
    def post(self, request: Request) -> HttpResponse:
        knock_with_code(request)
        form = EnrolSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        sent = form.validated_data
        _, tokens = enrolment.enrol(
            form.phone(),
            agreed_to=sent["consent"],
            language=sent["language"],
            time_zone=sent["time_zone"],
            email=sent["email"],
            now=timezone.now(),
        )
        return signed_in(tokens)


class RelinkView(APIView):
    """Redeem a code for a patient who has enrolled before: this phone's tokens."""

    authentication_classes = ()
    permission_classes = ()

    @extend_schema(
        operation_id="relink",
        request=RelinkSerializer,
        responses={201: OpenApiResponse(schema_of(EnrolAnswer)), **problems(400, 413, 415, 429, 503)},
        examples=[
            OpenApiExample("another phone", examples.RELINK, request_only=True),
            OpenApiExample("linked", examples.ENROLLED, response_only=True, status_codes=["201"]),
        ],
    )
    def post(self, request: Request) -> HttpResponse:
        knock_with_code(request)
        form = RelinkSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        _, tokens = enrolment.relink(form.phone(), now=timezone.now())
        return signed_in(tokens)


def signed_in(tokens: Tokens) -> HttpResponse:
    response = json_response(EnrolAnswer(tokens.access, tokens.refresh), 201)
    response["Cache-Control"] = "no-store"
    return response


class MeView(APIView):
    """Who I am, and what my clinic tells me."""

    permission_classes = [IsPatient]
    answers: ClassVar[dict[Any, OpenApiResponse]] = {200: OpenApiResponse(schema_of(Me)), **problems(401, 403)}

    @extend_schema(
        operation_id="me",
        responses=answers,
        examples=[OpenApiExample("a patient", examples.ME, response_only=True, status_codes=["200"])],
    )
    def get(self, request: Request) -> HttpResponse:
        return self.answer(request)

    @extend_schema(
        operation_id="change_me",
        request=SettingsSerializer,
        responses={**answers, **problems(400, 413, 415)},
        examples=[
            OpenApiExample("travelling", {"time_zone": "Asia/Tokyo"}, request_only=True),
            OpenApiExample("a patient", examples.ME, response_only=True, status_codes=["200"]),
        ],
    )
    def patch(self, request: Request) -> HttpResponse:
        form = SettingsSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        with transaction.atomic():
            patient = Patient.objects.select_for_update(of=("self",)).select_related("clinic").get(pk=me(request))
            if zone := form.validated_data.get("time_zone"):
                zones.move(patient, zone, timezone.now())
            if language := form.validated_data.get("language"):
                if language not in patient.clinic.languages:
                    code = serializers.ErrorDetail(in_words("Your clinic doesn't offer this language."), code="unknown")
                    raise serializers.ValidationError({"language": [code]})
                patient.language = language
                patient.save(update_fields=["language"])
            audit.record("write profile", [patient.pk], phone(request).user_id)
        return self.answer(request)

    def answer(self, request: Request) -> HttpResponse:
        auth = phone(request)
        audit.record("read profile", [auth.patient_id], auth.user_id)
        return json_response(me_of(auth))


def me(request: Request) -> int:
    return phone(request).patient_id


class MyDeviceView(APIView):
    """One of my phones."""

    permission_classes = [IsPatient]

    @extend_schema(
        operation_id="revoke_my_device",
        description="My phone is lost, or I sign out: from its next request on it is nobody's.",
        responses={204: None, **problems(401, 403, 404)},
    )
    def delete(self, request: Request, device_id: UUID) -> HttpResponse:
        auth = phone(request)
        mine = Device.objects.filter(patient=auth.patient_id)
        get_object_or_404(mine, pk=device_id)
        with transaction.atomic():
            devices.revoke(mine.filter(pk=device_id), auth.user_id, timezone.now())
        return HttpResponse(status=204)


class MyConsentView(APIView):
    """My agreement to a newer version of the clinic's consent text, or my agreeing again."""

    permission_classes = [IsPatient]

    @extend_schema(
        operation_id="agree",
        request=ConsentSerializer,
        responses={200: OpenApiResponse(schema_of(Me)), **problems(400, 401, 403, 413, 415)},
        examples=[
            OpenApiExample("the second version", {"language": "de", "version": 2}, request_only=True),
            OpenApiExample("a patient", examples.ME, response_only=True, status_codes=["200"]),
        ],
    )
    def post(self, request: Request) -> HttpResponse:
        form = ConsentSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        auth = phone(request)
        with transaction.atomic():
            text = consent.text_to_agree_to(auth.clinic_id, form.validated_data)
            consent.agree(Patient.objects.select_for_update().get(pk=auth.patient_id), text, timezone.now())
        return json_response(me_of(auth))


class WithdrawView(APIView):
    """The end of my consent: nothing new is taken in, nobody reminds me, and what there is stays with my clinic."""

    permission_classes = [IsPatient]

    @extend_schema(
        operation_id="withdraw",
        request=None,
        responses={200: OpenApiResponse(schema_of(Withdrawn)), **problems(401, 403)},
        examples=[OpenApiExample("withdrawn", examples.WITHDRAWN, response_only=True, status_codes=["200"])],
    )
    def post(self, request: Request) -> HttpResponse:
        patient = Patient.objects.select_related("clinic").get(pk=me(request))
        text = consent.withdraw(patient, timezone.now())
        said = ConsentText(text.language, text.version, text.body) if text else None
        return json_response(Withdrawn(said))
