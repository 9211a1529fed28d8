"""What bears on a patient's programme: conditions, clearance, preferences; and what the rules propose."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any
from uuid import UUID

import msgspec
from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from django.utils import timezone
from drf_spectacular.utils import OpenApiExample, OpenApiResponse, extend_schema
from rest_framework.request import Request
from rest_framework.views import APIView

from backend.people import audit
from backend.people.authentication import IsConsenting, IsPatient, phone
from backend.people.models import Patient
from backend.rest.body import read_as
from backend.rest.openapi import json_response, problems, schema_of
from backend.rest.problems import Problem
from exercises.advancing import decide
from exercises.background import Likings, end_condition, enter_clearance, enter_condition, likings, write_likings
from exercises.models import Clearance, Condition, Proposal
from exercises.prescribing import RefusedError, today_of
from exercises.reporting import Report, reports
from exercises.staff_view import StaffView, guarded

Words = Annotated[str, msgspec.Meta(min_length=1, max_length=200)]


class NewCondition(msgspec.Struct, forbid_unknown_fields=True):
    code: str
    since: date | None = None
    note: Annotated[str, msgspec.Meta(max_length=500)] = ""


class StoredCondition(msgspec.Struct):
    id: int
    code: str
    since: date | None
    ended_on: date | None
    note: str
    entered_at: datetime


class ConditionList(msgspec.Struct):
    results: list[StoredCondition]


class NewClearance(msgspec.Struct, forbid_unknown_fields=True):
    """Who cleared the patient for hard exercise, by what screen, from when to when."""

    screen: Words
    cleared_by: Words
    cleared_on: date
    valid_until: date


class StoredClearance(msgspec.Struct):
    id: int
    screen: str
    cleared_by: str
    cleared_on: date
    valid_until: date
    entered_at: datetime


class ClearanceList(msgspec.Struct):
    results: list[StoredClearance]


class StoredProposal(msgspec.Struct):
    """What a rule proposes, with what it looked at; `words` are for the patient, `words_for_clinician` for staff."""

    id: UUID
    programme: UUID
    prescription: UUID
    rule: str
    rule_version: str
    action: str
    state: str
    inputs: list[dict[str, Any]]
    steps: list[dict[str, Any]]
    words: str
    words_for_clinician: str
    made_at: datetime
    decided_at: datetime | None
    reason: str


class ProposalList(msgspec.Struct):
    results: list[StoredProposal]


class Decision(msgspec.Struct, forbid_unknown_fields=True):
    accept: bool
    reason: Annotated[str, msgspec.Meta(max_length=500)] = ""


class ReportList(msgspec.Struct):
    results: list[Report]


def stored_condition(row: Condition) -> StoredCondition:
    return StoredCondition(row.pk, row.code, row.since, row.ended_on, row.note, row.entered_at)


def stored_clearance(row: Clearance) -> StoredClearance:
    return StoredClearance(row.pk, row.screen, row.cleared_by, row.cleared_on, row.valid_until, row.entered_at)


def stored_proposal(row: Proposal) -> StoredProposal:
    values = {name: getattr(row, name) for name in StoredProposal.__struct_fields__ if name != "prescription"}
    return StoredProposal(prescription=row.prescription_id, **values)


EXAMPLE_LIKINGS = {"liked": ["qigong"], "disliked": ["hiit"], "equipment": ["mat", "chair"]}


class OwnPreferencesView(APIView):
    """What the patient likes, dislikes and has at home."""

    def get_permissions(self) -> list[Any]:
        return [IsConsenting()] if self.request.method == "PUT" else [IsPatient()]

    @extend_schema(
        operation_id="preferences_read",
        responses={200: OpenApiResponse(schema_of(Likings)), **problems(401, 403)},
        examples=[OpenApiExample("some", EXAMPLE_LIKINGS, response_only=True)],
    )
    def get(self, request: Request) -> HttpResponse:
        return json_response(likings(phone(request).patient_id))

    @extend_schema(
        operation_id="preferences_write",
        request={"application/json": schema_of(Likings)},
        responses={200: OpenApiResponse(schema_of(Likings)), **problems(400, 401, 403, 422)},
        examples=[OpenApiExample("some", EXAMPLE_LIKINGS)],
    )
    def put(self, request: Request) -> HttpResponse:
        me, asked = phone(request), read_as(request, Likings)

        def write() -> HttpResponse:
            write_likings(me.patient_id, me.clinic_id, asked, timezone.now())
            audit.record("wrote preferences", [me.patient_id], me.user_id)
            return json_response(asked)

        return guarded(write)


class PreferencesView(StaffView):
    """The same, for those who look after the patient."""

    @extend_schema(
        operation_id="patient_preferences_read",
        responses={200: OpenApiResponse(schema_of(Likings)), **problems(401, 403, 404)},
        examples=[OpenApiExample("some", EXAMPLE_LIKINGS, response_only=True)],
    )
    def get(self, request: Request, patient_id: int) -> HttpResponse:
        patient = self.patient(request, patient_id)
        audit.record("read preferences", [patient.pk], request.user.pk)
        return json_response(likings(patient.pk))

    @extend_schema(
        operation_id="patient_preferences_write",
        request={"application/json": schema_of(Likings)},
        responses={200: OpenApiResponse(schema_of(Likings)), **problems(400, 401, 403, 404, 422)},
        examples=[OpenApiExample("some", EXAMPLE_LIKINGS)],
    )
    def put(self, request: Request, patient_id: int) -> HttpResponse:
        patient, asked = self.patient(request, patient_id), read_as(request, Likings)

        def write() -> HttpResponse:
            write_likings(patient.pk, patient.clinic_id, asked, timezone.now())
            audit.record("wrote preferences", [patient.pk], request.user.pk)
            return json_response(asked)

        return guarded(write)


EXAMPLE_CONDITION = {
    "id": 1,
    "code": "osteoporosis",
    "since": "2024-05-01",
    "ended_on": None,
    "note": "",
    "entered_at": "2026-11-22T09:00:00Z",
}


class ConditionsView(StaffView):
    """Conditions that bear on exercise; the codes are those of contraindications."""

    @extend_schema(
        operation_id="patient_conditions_list",
        responses={200: OpenApiResponse(schema_of(ConditionList)), **problems(401, 403, 404)},
        examples=[OpenApiExample("one", {"results": [EXAMPLE_CONDITION]}, response_only=True)],
    )
    def get(self, request: Request, patient_id: int) -> HttpResponse:
        patient = self.patient(request, patient_id)
        rows = list(Condition.objects.filter(patient=patient).order_by("ended_on", "code", "id"))
        audit.record("read conditions", [patient.pk], request.user.pk, count=len(rows))
        return json_response(ConditionList([stored_condition(row) for row in rows]))

    @extend_schema(
        operation_id="patient_condition_create",
        request={"application/json": schema_of(NewCondition)},
        responses={201: OpenApiResponse(schema_of(StoredCondition)), **problems(400, 401, 403, 404, 409, 422)},
        examples=[
            OpenApiExample("osteoporosis", {"code": "osteoporosis", "since": "2024-05-01"}, request_only=True),
            OpenApiExample("entered", EXAMPLE_CONDITION, response_only=True, status_codes=["201"]),
        ],
    )
    def post(self, request: Request, patient_id: int) -> HttpResponse:
        patient, asked = self.patient(request, patient_id), read_as(request, NewCondition)
        fields = msgspec.structs.asdict(asked)
        try:
            row = enter_condition(patient, by=self.user(request), now=timezone.now(), **fields)
        except RefusedError as error:
            status = 409 if error.code == "exists" else 422
            raise Problem(status, error.code, error.detail, field=error.field) from None
        audit.record("wrote condition", [patient.pk], request.user.pk)
        return json_response(stored_condition(row), 201)


class EndConditionView(StaffView):
    """A condition that is over stays on record and blocks nothing."""

    @extend_schema(
        operation_id="patient_condition_end",
        request=None,
        responses={200: OpenApiResponse(schema_of(StoredCondition)), **problems(401, 403, 404)},
        examples=[OpenApiExample("over", EXAMPLE_CONDITION | {"ended_on": "2026-11-22"}, response_only=True)],
    )
    def post(self, request: Request, patient_id: int, condition_id: int) -> HttpResponse:
        patient = self.patient(request, patient_id)
        row = get_object_or_404(Condition, patient=patient, pk=condition_id)
        end_condition(row, patient, timezone.now())
        audit.record("ended condition", [patient.pk], request.user.pk)
        return json_response(stored_condition(row))


EXAMPLE_CLEARANCE = {
    "screen": "PAR-Q+",
    "cleared_by": "practice nurse",
    "cleared_on": "2026-11-20",
    "valid_until": "2027-11-20",
}
ENTERED = {"id": 1, "entered_at": "2026-11-22T09:00:00Z"}


class ClearancesView(StaffView):
    """Recorded clearances for hard exercise. The screen itself is not shipped."""

    @extend_schema(
        operation_id="patient_clearances_list",
        responses={200: OpenApiResponse(schema_of(ClearanceList)), **problems(401, 403, 404)},
        examples=[
            OpenApiExample(
                "one",
                {"results": [EXAMPLE_CLEARANCE | ENTERED]},
                response_only=True,
            )
        ],
    )
    def get(self, request: Request, patient_id: int) -> HttpResponse:
        patient = self.patient(request, patient_id)
        rows = list(Clearance.objects.filter(patient=patient).order_by("-cleared_on", "-id"))
        audit.record("read clearances", [patient.pk], request.user.pk, count=len(rows))
        return json_response(ClearanceList([stored_clearance(row) for row in rows]))

    @extend_schema(
        operation_id="patient_clearance_create",
        request={"application/json": schema_of(NewClearance)},
        responses={201: OpenApiResponse(schema_of(StoredClearance)), **problems(400, 401, 403, 404, 422)},
        examples=[
            OpenApiExample("PAR-Q+", EXAMPLE_CLEARANCE, request_only=True),
            OpenApiExample("entered", EXAMPLE_CLEARANCE | ENTERED, response_only=True, status_codes=["201"]),
        ],
    )
    def post(self, request: Request, patient_id: int) -> HttpResponse:
        patient, asked = self.patient(request, patient_id), read_as(request, NewClearance)

        def write() -> HttpResponse:
            fields = msgspec.structs.asdict(asked)
            row = enter_clearance(patient, by=self.user(request), now=timezone.now(), **fields)
            audit.record("wrote clearance", [patient.pk], request.user.pk)
            return json_response(stored_clearance(row), 201)

        return guarded(write)


EXAMPLE_PROPOSAL = {
    "id": "01990d2a-5b1c-7c3e-9a58-0d6f4c1b2a37",
    "programme": "01990d2a-5b1c-7c3e-9a58-0d6f4c1b2a36",
    "prescription": "01990d2a-5b1c-7c3e-9a58-0d6f4c1b2a35",
    "rule": "2-for-2",
    "rule_version": "1",
    "action": "step-up",
    "state": "waiting",
    "inputs": [{"name": "extra repetitions of bird-dog", "value": 2, "day": "2026-11-20"}],
    "steps": [{"exercise": "bird-dog", "variable": "hold_seconds", "before": 5, "after": 6}],
    "words": "You did more than was asked, twice, and it went well.",
    "words_for_clinician": "2-for-2 at the target effort.",
    "made_at": "2026-11-20T18:00:00Z",
    "decided_at": None,
    "reason": "",
}


class ProposalsView(StaffView):
    """What the rules of progression proposed, newest first."""

    @extend_schema(
        operation_id="patient_proposals_list",
        responses={200: OpenApiResponse(schema_of(ProposalList)), **problems(401, 403, 404)},
        examples=[OpenApiExample("one", {"results": [EXAMPLE_PROPOSAL]}, response_only=True)],
    )
    def get(self, request: Request, patient_id: int) -> HttpResponse:
        patient = self.patient(request, patient_id)
        rows = list(Proposal.objects.filter(patient=patient).order_by("-made_at", "-id")[:200])
        audit.record("read proposals", [patient.pk], request.user.pk, count=len(rows))
        return json_response(ProposalList([stored_proposal(row) for row in rows]))


class DecideView(StaffView):
    """The clinician's yes or no to a proposal that waits."""

    @extend_schema(
        operation_id="patient_proposal_decide",
        request={"application/json": schema_of(Decision)},
        responses={200: OpenApiResponse(schema_of(StoredProposal)), **problems(400, 401, 403, 404, 409, 422)},
        examples=[
            OpenApiExample("yes", {"accept": True}, request_only=True),
            OpenApiExample("accepted", EXAMPLE_PROPOSAL | {"state": "accepted"}, response_only=True),
        ],
    )
    def post(self, request: Request, patient_id: int, proposal_id: UUID) -> HttpResponse:
        patient: Patient = self.patient(request, patient_id)
        row = get_object_or_404(Proposal, patient=patient, pk=proposal_id)
        asked = read_as(request, Decision)

        def write() -> HttpResponse:
            decide(row, accepted=asked.accept, by=self.user(request), now=timezone.now(), reason=asked.reason)
            audit.record("decided proposal", [patient.pk], request.user.pk)
            row.refresh_from_db()
            return json_response(stored_proposal(row))

        return guarded(write)


class AdherenceView(StaffView):
    """Adherence of each programme: day by day, by week, by modality, and as a whole."""

    @extend_schema(
        operation_id="patient_adherence_list",
        responses={200: OpenApiResponse(schema_of(ReportList)), **problems(401, 403, 404)},
        examples=[OpenApiExample("no programme yet", {"results": []}, response_only=True)],
    )
    def get(self, request: Request, patient_id: int) -> HttpResponse:
        patient = self.patient(request, patient_id)
        found = reports(patient.pk, today_of(patient, timezone.now()))
        audit.record("read adherence", [patient.pk], request.user.pk, count=len(found))
        return json_response(ReportList(found))
