"""What a clinic asks next when a screen is positive."""

from __future__ import annotations

from typing import Any, ClassVar

import msgspec
from django.http import HttpResponse
from django.utils import timezone
from drf_spectacular.utils import OpenApiExample, OpenApiResponse, extend_schema
from rest_framework.request import Request
from rest_framework.views import APIView

from backend.people.clinic_api import AdminWrites, own_clinic
from backend.people.models import User
from backend.reminders.following_up import ShownChoice, choices, choose
from backend.reminders.staff_api import guarded
from backend.rest.body import read_as
from backend.rest.openapi import json_response, problems, schema_of


class FollowUpChoiceList(msgspec.Struct):
    results: list[ShownChoice]


class Choose(msgspec.Struct, forbid_unknown_fields=True):
    """After a positive `screen` ask for `code`."""

    screen: str
    code: str


EXAMPLE: dict[str, Any] = {
    "results": [
        {
            "screen": "phq-2",
            "score": "total",
            "at_least": 3,
            "offered": ["phq-8", "phq-9"],
            "chosen": "phq-9",
            "source": "a positive screen asks for the full questionnaire (Kroenke 2003)",
        }
    ]
}


class FollowUpsView(APIView):
    """Staff reads, an admin writes. PHQ-9 can be chosen only where somebody reads its item 9 promptly."""

    permission_classes = [AdminWrites]
    example: ClassVar = OpenApiExample("PHQ-9", EXAMPLE, response_only=True)

    @extend_schema(
        operation_id="clinic_follow_ups",
        responses={200: OpenApiResponse(schema_of(FollowUpChoiceList)), **problems(401, 403, 404)},
        examples=[example],
    )
    def get(self, request: Request, clinic_id: int) -> HttpResponse:
        return json_response(FollowUpChoiceList(choices(own_clinic(request, clinic_id))))

    @extend_schema(
        operation_id="set_clinic_follow_up",
        request={"application/json": schema_of(Choose)},
        responses={200: OpenApiResponse(schema_of(FollowUpChoiceList)), **problems(400, 401, 403, 404, 422)},
        examples=[OpenApiExample("PHQ-9", {"screen": "phq-2", "code": "phq-9"}, request_only=True), example],
    )
    def put(self, request: Request, clinic_id: int) -> HttpResponse:
        clinic, asked = own_clinic(request, clinic_id), read_as(request, Choose)
        assert isinstance(request.user, User)  # noqa: S101  the permission has looked
        user = request.user

        def write() -> HttpResponse:
            choose(clinic, asked.screen, asked.code, by=user, now=timezone.now())
            return json_response(FollowUpChoiceList(choices(clinic)))

        return guarded(write)
