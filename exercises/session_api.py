"""Sessions as they were logged, read by those who look after a patient."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from uuid import UUID

import msgspec
from django.http import HttpResponse
from drf_spectacular.utils import OpenApiExample, OpenApiResponse, extend_schema
from rest_framework.request import Request

from backend.people import audit
from backend.rest.openapi import json_response, problems, schema_of
from backend.rest.paging import KeysetPagination
from exercises.models import Session
from exercises.staff_view import StaffView


class StoredSession(msgspec.Struct):
    """A session as it was logged. `share` is of the prescribed dose; `content` is what the phone sent."""

    id: UUID
    prescription: UUID | None
    local_day: date
    authored_at: datetime
    received_at: datetime
    minutes: float | None
    rpe: int | None
    pain_before: int | None
    pain_during: int | None
    pain_after: int | None
    share: float
    met_minutes: float
    skipped: str
    going_on: bool
    marks: list[str]
    origin: str
    live: bool
    content: dict[str, Any]


class SessionPage(msgspec.Struct):
    """A page of sessions, newest first; `next` is the address of the next page."""

    results: list[StoredSession]
    next: str | None


class SessionsView(StaffView):
    """A patient's sessions, newest first."""

    keyset = ("-authored_at", "-id")

    @extend_schema(
        operation_id="patient_sessions_list",
        responses={200: OpenApiResponse(schema_of(SessionPage)), **problems(400, 401, 403, 404)},
        examples=[OpenApiExample("none yet", {"results": [], "next": None}, response_only=True)],
    )
    def get(self, request: Request, patient_id: int) -> HttpResponse:
        patient = self.patient(request, patient_id)
        pages = KeysetPagination()
        rows = pages.paginate_queryset(Session.objects.filter(patient=patient), request, self)
        audit.record("read sessions", [patient.pk], request.user.pk, count=len(rows))
        results = [
            StoredSession(**{name: getattr(row, name) for name in StoredSession.__struct_fields__}) for row in rows
        ]
        return json_response(SessionPage(results, pages.next_link))
