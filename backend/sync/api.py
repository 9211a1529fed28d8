"""The phone's door: one request pushes what was logged offline and pulls what changed meanwhile."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any, cast

import msgspec
from django.http import HttpResponse
from django.utils import timezone
from drf_spectacular.utils import OpenApiExample, OpenApiResponse, extend_schema
from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from backend.people import audit
from backend.people.authentication import IsConsenting, IsPatient, phone
from backend.people.texts import safety_card
from backend.people.writes import Door
from backend.rest.body import read_body
from backend.rest.openapi import json_response, problems, schema_of
from backend.rest.problems import Problem, in_words, problem
from backend.rest.verdicts import Verdict
from backend.rest.views import ReleasingView
from backend.sync import schema
from backend.sync.decode import MOST_ITEMS, MalformedError, decode_envelope
from backend.sync.pull import Change, decode_cursor, pull
from backend.sync.push import clock_skew, push
from outcomes.api import EXAMPLE_PAGE, RESPONSE_PARAMETERS, ResponsePage, response_page
from outcomes.cards import shown_when
from outcomes.intake import ResponseItem
from outcomes.shown import Tag, tags


class SyncAnswer(msgspec.Struct):
    """What a sync answers. `safety` holds the clinic's texts that the pushed answers call for, most urgent first.

    `safety_card` is all the clinic's texts, each with `when` a phone shows it with no network; null where the phone has
    the latest.
    `instruments` is what the clinic can ask on this phone, null likewise: one whose tag the phone doesn't hold it
    fetches from `/instruments/{code}`, and one that is listed no more it forgets.
    """

    results: list[Verdict]
    changes: list[Change]
    cursor: str
    full: bool
    more: bool
    safety: list[dict[str, Any]]
    safety_card: list[dict[str, Any]] | None
    instruments: list[Tag] | None


class SyncView(ReleasingView):
    """Push a batch, pull everything that changed since the cursor."""

    permission_classes = [IsPatient]

    @extend_schema(
        operation_id="sync",
        request={"application/json": schema_of(schema.SyncRequest)},
        responses={
            200: OpenApiResponse(schema_of(SyncAnswer), "Each pushed item's fate, and what is new."),
            **problems(400, 401, 403, 413, 415),
        },
        examples=[
            OpenApiExample("a diary and a questionnaire", schema.EXAMPLE_REQUEST, request_only=True),
            OpenApiExample("stored", schema.EXAMPLE_ANSWER, response_only=True, status_codes=["200"]),
        ],
    )
    def post(self, request: Request) -> HttpResponse:
        me = phone(request)
        received_at = timezone.now()
        try:
            envelope = decode_envelope(read_body(request))
        except MalformedError as error:
            raise Problem(400, error.error.code, error.error.detail, field=error.error.field or None) from None
        if len(envelope.push) > MOST_ITEMS:
            raise Problem(
                413, "too_many_items", in_words("Send at most %(n)s items at a time.", n=MOST_ITEMS), field="push"
            )
        if envelope.push and not me.consent:
            raise Problem(403, "consent_withdrawn", "There is no consent in force, so nothing new is taken in.")
        door = Door(
            origin="phone",
            received_at=received_at,
            user_id=me.user_id,
            device_id=me.device_id,
            clock_skew=clock_skew(envelope.device.sent_at, received_at),
        )
        results = push(envelope.push, me.patient_id, me.clinic_id, door)
        pulled = pull(decode_cursor(envelope.cursor), me.patient_id, me.clinic_id, me.language)
        if pulled.count:
            audit.record("pull", [me.patient_id], me.user_id, count=pulled.count)
        needed = list(dict.fromkeys(kind for result in results for kind in result.safety))
        card = safety_card(me.clinic_id, me.language) if needed or pulled.new_card else []
        answer = SyncAnswer(
            results=results,
            changes=cast(Any, pulled.changes),  # the list as it is sent
            cursor=pulled.cursor,
            full=pulled.full,
            more=pulled.more,
            safety=[text for kind in needed for text in card if text["kind"] == kind],
            safety_card=[{**text, "when": shown_when(text["kind"])} for text in card] if pulled.new_card else None,
            instruments=tags(me.clinic_id, me.language) if pulled.new_texts else None,
        )
        return json_response(answer)


class ResponsesView(ReleasingView):
    """The patient's own responses; and one response at a time, for clients that keep no queue."""

    keyset = ("-authored_at", "-id")

    def get_permissions(self) -> list[BasePermission]:
        return [IsPatient() if self.request.method == "GET" else IsConsenting()]

    @extend_schema(
        operation_id="responses_list",
        parameters=RESPONSE_PARAMETERS,
        responses={200: OpenApiResponse(schema_of(ResponsePage)), **problems(400, 401, 403)},
        examples=[OpenApiExample("a page", EXAMPLE_PAGE, response_only=True)],
    )
    def get(self, request: Request) -> HttpResponse:
        return response_page(request, self, phone(request).patient_id)

    @extend_schema(
        operation_id="response_create",
        request={"application/json": schema_of(ResponseItem)},
        responses={
            201: OpenApiResponse(schema_of(Verdict), "Stored."),
            200: OpenApiResponse(schema_of(Verdict), "The very same response was stored before."),
            **problems(400, 401, 403, 409, 413, 415, 422),
        },
        examples=[
            OpenApiExample("PHQ-9", schema.EXAMPLE_RESPONSE, request_only=True),
            OpenApiExample("stored", schema.EXAMPLE_VERDICT, response_only=True, status_codes=["201", "200"]),
        ],
    )
    def post(self, request: Request) -> HttpResponse:
        me = phone(request)
        received_at = timezone.now()
        door = Door(origin="phone", received_at=received_at, user_id=me.user_id, device_id=me.device_id)
        body = read_body(request)
        try:
            msgspec.json.decode(body, type=dict[str, msgspec.Raw])
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            raise Problem(400, "malformed_json", "The body is not a JSON object.") from None
        (verdict,) = push([msgspec.Raw(body)], me.patient_id, me.clinic_id, door)
        if verdict.status in ("rejected", "conflict"):
            status = HTTPStatus.CONFLICT if verdict.status == "conflict" else HTTPStatus.UNPROCESSABLE_ENTITY
            return problem(status, [(error.field or None, error.code, error.detail) for error in verdict.errors])
        return json_response(verdict, status=201 if verdict.status == "stored" else 200)
