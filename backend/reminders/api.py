"""What a patient is asked for and how they are reminded, for their phone."""

from __future__ import annotations

import msgspec
from django.http import HttpResponse
from django.utils import timezone
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.views import APIView

from backend.people import audit
from backend.people.authentication import IsConsenting, IsPatient, phone
from backend.people.models import Origin, Patient
from backend.people.writes import Door
from backend.reminders import examples, wishes
from backend.reminders.agenda import AgendaItem, agenda
from backend.reminders.planning import HORIZON
from backend.rest.body import read_as
from backend.rest.openapi import json_response, problems, schema_of
from backend.rest.problems import Problem, in_words


class Agenda(msgspec.Struct):
    """In the order in which the windows open."""

    results: list[AgendaItem]


EXAMPLE = {
    "results": [
        {
            "slot": "01936f2a-7b1c-7c3e-9d55-2f1f0a6f4b11:2026-11-22:0",
            "asks": "instrument",
            "code": "daily-diary",
            "local_date": "2026-11-22",
            "opens_at": "2026-11-22T17:00:00Z",
            "closes_at": "2026-11-23T03:00:00Z",
            "state": "open",
        }
    ]
}


class AgendaView(APIView):
    """Questionnaires, the diary and exercise sessions, each with the window in which it can be answered."""

    permission_classes = [IsPatient]

    @extend_schema(
        operation_id="agenda",
        parameters=[OpenApiParameter("days", int, description=f"How far ahead, 1 to {HORIZON.days}; 7 unless said.")],
        responses={200: OpenApiResponse(schema_of(Agenda)), **problems(400, 401, 403)},
        examples=[OpenApiExample("an evening's diary", EXAMPLE, response_only=True)],
    )
    def get(self, request: Request) -> HttpResponse:
        asked = request.query_params.get("days", "7")
        days = int(asked) if asked.isascii() and asked.isdigit() and len(asked) < 4 else 0
        if not 1 <= days <= HORIZON.days:
            raise Problem(400, "out_of_range", in_words("Ask for 1 to %(n)s days.", n=HORIZON.days), field="days")
        return json_response(Agenda(agenda(phone(request).patient_id, timezone.now(), days)))


class OwnSettingsView(APIView):
    """How this patient is reminded, on all their phones."""

    def get_permissions(self) -> list[BasePermission]:
        return [IsPatient() if self.request.method == "GET" else IsConsenting()]

    @extend_schema(
        operation_id="reminder_settings",
        responses={200: OpenApiResponse(schema_of(wishes.ShownSettings)), **problems(401, 403)},
        examples=[OpenApiExample("the defaults", examples.SETTINGS, response_only=True)],
    )
    def get(self, request: Request) -> HttpResponse:
        return json_response(wishes.read_settings(phone(request).patient_id))

    @extend_schema(
        operation_id="reminder_settings_change",
        request={"application/json": schema_of(wishes.ChangeSettings)},
        responses={200: OpenApiResponse(schema_of(wishes.ShownSettings)), **problems(400, 401, 403)},
        examples=[
            OpenApiExample("quiet until nine", {"quiet_to": "09:00:00"}, request_only=True),
            OpenApiExample("changed", examples.SETTINGS | {"quiet_to": "09:00:00"}, response_only=True),
        ],
    )
    def patch(self, request: Request) -> HttpResponse:
        me, changes = phone(request), read_as(request, wishes.ChangeSettings)
        door = Door(Origin.PHONE, timezone.now(), user_id=me.user_id, device_id=me.device_id)
        changed = wishes.change_settings(Patient.objects.get(pk=me.patient_id), changes, door)
        audit.record("changed reminder settings", [me.patient_id], me.user_id)
        return json_response(changed)


class OwnEmailView(APIView):
    """Where this patient is mailed to."""

    permission_classes = [IsConsenting]

    @extend_schema(
        operation_id="reminder_email_set",
        description="Another address, or the same one again: it is right, and is tried once more if it was refused.",
        request={"application/json": schema_of(wishes.SetEmail)},
        responses={200: OpenApiResponse(schema_of(wishes.ShownSettings)), **problems(400, 401, 403)},
        examples=[
            OpenApiExample("an address", examples.EMAIL, request_only=True),
            OpenApiExample("set", examples.SETTINGS, response_only=True),
        ],
    )
    def put(self, request: Request) -> HttpResponse:
        me, sent = phone(request), read_as(request, wishes.SetEmail)
        shown = wishes.set_email(Patient.objects.select_related("user").get(pk=me.patient_id), sent.email)
        audit.record("changed e-mail", [me.patient_id], me.user_id)
        return json_response(shown)
