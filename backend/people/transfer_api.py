"""The patient's word about their move to another clinic."""

from __future__ import annotations

from datetime import datetime

import msgspec
from django.http import Http404, HttpResponse
from django.utils import timezone
from drf_spectacular.utils import OpenApiExample, OpenApiResponse, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.views import APIView

from backend.people import audit, examples, transferring
from backend.people.api import ConsentSerializer
from backend.people.authentication import IsPatient, phone
from backend.people.consent import current_texts
from backend.people.models import Transfer
from backend.people.shapes import ClinicShown, ConsentText, shown
from backend.rest.openapi import json_response, problems, schema_of


class TransferShown(msgspec.Struct):
    """A move that my clinic proposes: where to, what that clinic wants me to agree to, and when I did."""

    clinic: ClinicShown
    consent: list[ConsentText]
    proposed_at: datetime
    agreed_at: datetime | None


class AgreementSerializer(serializers.Serializer[None]):
    consent = ConsentSerializer()


EXAMPLE = {
    "clinic": examples.CLINIC | {"id": 2, "name": "Second simulated clinic"},
    "consent": examples.INVITATION["consent"],
    "proposed_at": "2026-11-22T08:00:00Z",
    "agreed_at": None,
}


class MyTransferView(APIView):
    """My move to another clinic, while it is under way. What was recorded goes along, and stays readable here."""

    permission_classes = [IsPatient]

    @extend_schema(
        operation_id="my_transfer",
        responses={200: OpenApiResponse(schema_of(TransferShown)), **problems(401, 403, 404)},
        examples=[OpenApiExample("proposed", EXAMPLE, response_only=True)],
    )
    def get(self, request: Request) -> HttpResponse:
        return self.answer(mine(request))

    @extend_schema(
        operation_id="agree_to_transfer",
        request=AgreementSerializer,
        responses={200: OpenApiResponse(schema_of(TransferShown)), **problems(400, 401, 403, 404, 409, 413, 415)},
        examples=[
            OpenApiExample("I agree", {"consent": {"language": "de", "version": 1}}, request_only=True),
            OpenApiExample(
                "agreed", EXAMPLE | {"agreed_at": "2026-11-22T09:00:00Z"}, response_only=True, status_codes=["200"]
            ),
        ],
    )
    def post(self, request: Request) -> HttpResponse:
        transfer = mine(request)
        form = AgreementSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        transferring.agree_by_phone(transfer, form.validated_data["consent"], timezone.now())
        transfer.refresh_from_db()
        return self.answer(transfer)

    @extend_schema(
        operation_id="decline_transfer",
        description="I don't want to, or no longer: until the other clinic has accepted me.",
        responses={204: None, **problems(401, 403, 404)},
    )
    def delete(self, request: Request) -> HttpResponse:
        transferring.call_off(mine(request), phone(request).user_id, timezone.now())
        return HttpResponse(status=204)

    def answer(self, transfer: Transfer) -> HttpResponse:
        texts = [ConsentText(text.language, text.version, text.body) for text in current_texts(transfer.to_clinic_id)]
        said = TransferShown(shown(transfer.to_clinic), texts, transfer.proposed_at, transfer.agreed_at)
        return json_response(said)


def mine(request: Request) -> Transfer:
    auth = phone(request)
    found = transferring.open_ones().filter(patient=auth.patient_id).select_related("to_clinic", "patient").first()
    if found is None:
        raise Http404
    audit.record("read transfer", [auth.patient_id], auth.user_id)
    return found
