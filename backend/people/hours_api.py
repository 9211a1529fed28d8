"""A clinic's hours, holidays and fallback: what the clocks of alerts keep, and whom they end at."""

from __future__ import annotations

from datetime import date, time
from typing import Any, ClassVar

import msgspec
from django.db import transaction
from django.http import HttpResponse
from drf_spectacular.utils import OpenApiExample, OpenApiResponse, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.views import APIView

from backend.people import changes
from backend.people.clinic_api import AdminWrites, own_clinic
from backend.people.hours import set_hours
from backend.people.models import Clinic, ClinicChange, Holiday, OpeningHours
from backend.people.rota import missing
from backend.rest.openapi import json_response, problems, schema_of
from backend.rest.problems import Problem


class ShownHours(msgspec.Struct):
    """Hours of one weekday, 0 for Monday, on the clinic's wall clock; closing at 00:00 is midnight."""

    weekday: int
    opens: time
    closes: time


class ShownHoliday(msgspec.Struct):
    day: date
    name: str


class ShownClinicHours(msgspec.Struct):
    """`missing` names what of hours, rota and fallback is not there yet: until then PHQ-9 can't go to a phone."""

    hours: list[ShownHours]
    holidays: list[ShownHoliday]
    fallback_email: str
    missing: list[str]


class HoursSerializer(serializers.Serializer[OpeningHours]):
    weekday = serializers.IntegerField(min_value=0, max_value=6)
    opens = serializers.TimeField()
    closes = serializers.TimeField()


class HolidaySerializer(serializers.Serializer[Holiday]):
    day = serializers.DateField()
    name = serializers.CharField(max_length=100, allow_blank=True, default="")


class ClinicHoursSerializer(serializers.Serializer[Clinic]):
    hours = HoursSerializer(many=True, max_length=50)  # type: ignore[call-arg]  # the list's
    holidays = HolidaySerializer(many=True, max_length=500)  # type: ignore[call-arg]  # the list's
    fallback_email = serializers.EmailField(allow_blank=True)


SENT = {
    "hours": [{"weekday": 0, "opens": "08:00:00", "closes": "17:00:00"}],
    "holidays": [{"day": "2026-12-25", "name": "Christmas Day"}],
    "fallback_email": "reception@clinic.example",
}


class ClinicHoursView(APIView):
    """Staff reads, an admin writes: all of it at once."""

    permission_classes = [AdminWrites]
    answers: ClassVar[dict[Any, OpenApiResponse]] = {
        200: OpenApiResponse(schema_of(ShownClinicHours)),
        **problems(401, 403, 404),
    }
    example = OpenApiExample("Mondays only", {**SENT, "missing": ["rota"]}, response_only=True)

    @extend_schema(operation_id="clinic_hours", responses=answers, examples=[example])
    def get(self, request: Request, clinic_id: int) -> HttpResponse:
        clinic = own_clinic(request, clinic_id)
        hours = clinic.opening_hours.order_by("weekday", "opens")
        return json_response(
            ShownClinicHours(
                [ShownHours(one.weekday, one.opens, one.closes) for one in hours],
                [ShownHoliday(one.day, one.name) for one in clinic.holidays.order_by("day")],
                clinic.fallback_email,
                missing(clinic),
            )
        )

    @extend_schema(
        operation_id="set_clinic_hours",
        request=ClinicHoursSerializer,
        responses={**answers, **problems(400)},
        examples=[OpenApiExample("open on Mondays", SENT, request_only=True), example],
    )
    def put(self, request: Request, clinic_id: int) -> HttpResponse:
        clinic = own_clinic(request, clinic_id)
        form = ClinicHoursSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        sent = form.validated_data
        _refuse_repeats([one["day"] for one in sent["holidays"]], "holidays")
        with transaction.atomic():
            set_hours(
                clinic, [(one["weekday"], one["opens"], one["closes"]) for one in sent["hours"]], by=request.user.pk
            )
            Holiday.objects.filter(clinic=clinic).delete()
            Holiday.objects.bulk_create(Holiday(clinic=clinic, **one) for one in sent["holidays"])
            Clinic.objects.filter(pk=clinic.pk).update(fallback_email=sent["fallback_email"])
            days = ", ".join(f"{one['day']} {one['name']}" for one in sent["holidays"])
            changes.record(clinic, request.user.pk, ClinicChange.What.HOURS, f"holidays: {days or 'none'}")
            told = f"told when nobody answers: {sent['fallback_email'] or 'nobody'}"
            changes.record(clinic, request.user.pk, ClinicChange.What.ROTA, told)
        return self.get(request, clinic_id)


def _refuse_repeats(keys: list[Any], field: str) -> None:
    for position, key in enumerate(keys):
        if key in keys[:position]:
            raise Problem(400, "repeated", "This is there twice.", field=f"{field}.{position}")
