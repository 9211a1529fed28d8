"""The clinic's side: its care teams and colleagues, its own words, and who answers when."""

from __future__ import annotations

from datetime import time
from typing import Any, ClassVar

from django.db import IntegrityError, transaction
from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import OpenApiExample, OpenApiResponse, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.views import APIView

from backend.people import changes, examples
from backend.people.authentication import IsClinicAdmin, IsStaff, staff
from backend.people.models import CareTeam, Clinic, ClinicChange, ClinicText, Membership, OnCall
from backend.people.rota import set_chain
from backend.people.shapes import (
    ClinicList,
    MemberList,
    OnCallList,
    OnCallShown,
    TeamList,
    TeamShown,
    TextList,
    TextShown,
    member_shown,
    shown,
    team_shown,
    text_shown,
)
from backend.people.staff_api import visible_teams
from backend.people.texts import newest, publish
from backend.rest.openapi import json_response, problems, schema_of
from backend.rest.problems import Problem


class AdminWrites(IsStaff):
    """Staff reads, an admin writes."""

    def has_permission(self, request: Request, view: APIView) -> bool:
        reads = request.method in {"GET", "HEAD", "OPTIONS"}
        return (IsStaff if reads else IsClinicAdmin)().has_permission(request, view)


def own_clinic(request: Request, clinic_id: int) -> Clinic:
    """The clinic, if one belongs to it and, for a write, administers it; else 404, as if it were none."""
    auth = staff(request)
    reachable = auth.clinics if request.method == "GET" else auth.admin_of
    clinic: Clinic = get_object_or_404(Clinic, pk=clinic_id, pk__in=reachable)
    return clinic


class TeamSerializer(serializers.Serializer[CareTeam]):
    name = serializers.CharField(max_length=200)
    members = serializers.ListField(
        child=serializers.IntegerField(min_value=1), max_length=200, help_text="ids of members of the clinic"
    )


class NewTeamSerializer(TeamSerializer):
    clinic = serializers.IntegerField(min_value=1)


class TextSerializer(serializers.Serializer[ClinicText]):
    kind = serializers.ChoiceField(ClinicText.Kind.values)
    language = serializers.CharField(max_length=10)
    body = serializers.CharField(max_length=20_000)


class OnCallSerializer(serializers.Serializer[OnCall]):
    member = serializers.IntegerField(min_value=1, help_text="id of a member of the clinic")
    hours = serializers.CharField(max_length=200, help_text="when this person answers, in words")
    weekdays = serializers.IntegerField(
        min_value=1, max_value=127, default=127, help_text="on which a duty begins; bit 0 is Monday"
    )
    starts = serializers.TimeField(default=time(0), help_text="on the clinic's wall clock")
    ends = serializers.TimeField(default=time(0), help_text="not after starts: on the next day")
    on_holidays = serializers.BooleanField(default=True)


def members_of(clinic_id: int, ids: list[int], field: str) -> list[Membership]:
    """The clinic's members with these ids, in this order; others are refused by name of the field."""
    found = Membership.objects.filter(clinic=clinic_id, pk__in=ids).in_bulk()
    if missing := [position for position, pk in enumerate(ids) if pk not in found]:
        raise Problem(400, "unknown", "No member of this clinic.", field=field.format(missing[0]))
    return [found[pk] for pk in ids]


def save_team(team: CareTeam, sent: dict[str, Any], *, by: int | None = None) -> CareTeam:
    with transaction.atomic():
        try:
            with transaction.atomic():
                team.name = sent.get("name", team.name)
                team.save()
        except IntegrityError as error:
            raise Problem(400, "taken", "Another team of the clinic has this name.", field="name") from error
        if "members" in sent:
            team.members.set(members_of(team.clinic_id, sent["members"], "members.{}"))
        emails = ", ".join(team.members.order_by("user__email").values_list("user__email", flat=True))
        changes.record(team.clinic_id, by, ClinicChange.What.TEAM, f"{team.name}: {emails or 'nobody'}")
    return team


TEAM = OpenApiExample("a team", examples.TEAM, response_only=True)


class TeamsView(APIView):
    """The care teams that one is in or administers."""

    permission_classes = [AdminWrites]

    @extend_schema(
        operation_id="care_teams",
        responses={200: OpenApiResponse(schema_of(TeamList)), **problems(401, 403)},
        examples=[OpenApiExample("teams", {"results": [examples.TEAM]}, response_only=True)],
    )
    def get(self, request: Request) -> HttpResponse:
        teams = visible_teams(request).prefetch_related("members").order_by("clinic", "name")
        return json_response(TeamList([team_shown(team) for team in teams]))

    @extend_schema(
        operation_id="make_care_team",
        request=NewTeamSerializer,
        responses={201: OpenApiResponse(schema_of(TeamShown)), **problems(400, 401, 403, 404, 413, 415)},
        examples=[OpenApiExample("a new team", examples.NEW_TEAM, request_only=True), TEAM],
    )
    def post(self, request: Request) -> HttpResponse:
        form = NewTeamSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        clinic = own_clinic(request, form.validated_data["clinic"])
        return json_response(
            team_shown(save_team(CareTeam(clinic=clinic), form.validated_data, by=request.user.pk)), 201
        )


class TeamView(APIView):
    """One care team."""

    permission_classes = [IsClinicAdmin]

    @extend_schema(
        operation_id="change_care_team",
        request=TeamSerializer,
        responses={200: OpenApiResponse(schema_of(TeamShown)), **problems(400, 401, 403, 404, 413, 415)},
        examples=[OpenApiExample("other members", {"members": [4]}, request_only=True), TEAM],
    )
    def patch(self, request: Request, team_id: int) -> HttpResponse:
        team = get_object_or_404(CareTeam, pk=team_id, clinic__in=staff(request).admin_of)
        form = TeamSerializer(team, data=request.data, partial=True)
        form.is_valid(raise_exception=True)
        return json_response(team_shown(save_team(team, form.validated_data, by=request.user.pk)))


class MembersView(APIView):
    """The colleagues in one's clinics."""

    permission_classes = [IsStaff]

    @extend_schema(
        operation_id="members",
        responses={200: OpenApiResponse(schema_of(MemberList)), **problems(401, 403)},
        examples=[OpenApiExample("members", {"results": [examples.MEMBER]}, response_only=True)],
    )
    def get(self, request: Request) -> HttpResponse:
        members = Membership.objects.filter(clinic__in=staff(request).clinics).select_related("user")
        return json_response(MemberList([member_shown(member) for member in members.order_by("clinic", "pk")]))


class ClinicsView(APIView):
    """One's clinics."""

    permission_classes = [IsStaff]

    @extend_schema(
        operation_id="clinics",
        responses={200: OpenApiResponse(schema_of(ClinicList)), **problems(401, 403)},
        examples=[OpenApiExample("clinics", {"results": [examples.CLINIC]}, response_only=True)],
    )
    def get(self, request: Request) -> HttpResponse:
        clinics = Clinic.objects.filter(pk__in=staff(request).clinics).order_by("pk")
        return json_response(ClinicList([shown(clinic) for clinic in clinics]))


class TextsView(APIView):
    """The clinic's own words. A published version never changes; a new one takes its place."""

    permission_classes = [AdminWrites]

    @extend_schema(
        operation_id="clinic_texts",
        description="The newest version of each kind and language.",
        responses={200: OpenApiResponse(schema_of(TextList)), **problems(401, 403, 404)},
        examples=[OpenApiExample("texts", {"results": [examples.TEXT]}, response_only=True)],
    )
    def get(self, request: Request, clinic_id: int) -> HttpResponse:
        clinic = own_clinic(request, clinic_id)
        return json_response(TextList([text_shown(text) for text in newest(clinic.pk)]))

    @extend_schema(
        operation_id="publish_clinic_text",
        request=TextSerializer,
        responses={201: OpenApiResponse(schema_of(TextShown)), **problems(400, 401, 403, 404, 413, 415)},
        examples=[
            OpenApiExample("a new version", examples.NEW_TEXT, request_only=True),
            OpenApiExample("published", examples.TEXT, response_only=True, status_codes=["201"]),
        ],
    )
    def post(self, request: Request, clinic_id: int) -> HttpResponse:
        clinic = own_clinic(request, clinic_id)
        form = TextSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        sent = form.validated_data
        text = publish(clinic, **sent)
        return json_response(text_shown(text), 201)


class OnCallView(APIView):
    """Who is told of a red flag, in order. Without anybody, PHQ-9 can't go to a phone."""

    permission_classes = [AdminWrites]
    answers: ClassVar[dict[Any, OpenApiResponse]] = {
        200: OpenApiResponse(schema_of(OnCallList)),
        **problems(401, 403, 404),
    }
    example = OpenApiExample("one colleague", {"results": [examples.ON_CALL]}, response_only=True)

    @extend_schema(operation_id="on_call", responses=answers, examples=[example])
    def get(self, request: Request, clinic_id: int) -> HttpResponse:
        chain = OnCall.objects.filter(clinic=own_clinic(request, clinic_id)).order_by("position")
        return json_response(
            OnCallList(
                [
                    OnCallShown(one.membership_id, one.hours, one.weekdays, one.starts, one.ends, one.on_holidays)
                    for one in chain
                ]
            )
        )

    @extend_schema(
        operation_id="set_on_call",
        request=OnCallSerializer(many=True),
        responses={**answers, **problems(400, 413, 415)},
        examples=[OpenApiExample("a chain of one", examples.ON_CALL, request_only=True), example],
    )
    def put(self, request: Request, clinic_id: int) -> HttpResponse:
        clinic = own_clinic(request, clinic_id)
        form = OnCallSerializer(data=request.data, many=True, max_length=50)  # type: ignore[call-arg]  # the list's
        form.is_valid(raise_exception=True)
        sent = form.validated_data
        members = members_of(clinic.pk, [one["member"] for one in sent], "{}.member")
        set_chain(
            clinic,
            (
                OnCall(membership=member, **{name: value for name, value in one.items() if name != "member"})
                for member, one in zip(members, sent, strict=True)
            ),
            by=request.user.pk,
        )
        return self.get(request, clinic_id)
