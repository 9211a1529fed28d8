"""Minimal views: token, serializer, one statement."""

from typing import Any

from django.db.models import QuerySet
from rest_framework.authentication import TokenAuthentication
from rest_framework.generics import CreateAPIView, ListAPIView
from rest_framework.parsers import JSONParser
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response as Answered
from rest_framework.serializers import BaseSerializer, ModelSerializer
from rest_framework.views import APIView

from bench.minimal.models import Answer
from outcomes.models import Response


class AnswerSerializer(ModelSerializer[Answer]):
    class Meta:
        model = Answer
        fields = ["id", "instrument", "authored_at", "received_at", "answers"]


class ResponseSerializer(ModelSerializer[Response]):
    """What the API tells of a response, without its scores."""

    class Meta:
        model = Response
        fields = [
            "id", "instrument", "status", "authored_at", "received_at", "time_zone", "local_day", "origin", "live",
            "replaces", "replaced_by", "withdrawn_at", "answers",
        ]  # fmt: skip


class Minimal(APIView):
    authentication_classes = [TokenAuthentication]
    permission_classes = [IsAuthenticated]
    parser_classes = [JSONParser]


class AnswerView(Minimal, CreateAPIView[Answer]):
    serializer_class = AnswerSerializer

    def perform_create(self, serializer: BaseSerializer[Any]) -> None:
        serializer.save(user=self.request.user)


class YearView(Minimal, ListAPIView[Response]):
    serializer_class = ResponseSerializer
    pagination_class = None

    def get_queryset(self) -> QuerySet[Response]:
        return Response.objects.filter(patient__user=self.request.user.pk)


class NothingView(Minimal):
    def post(self, request: Request) -> Answered:
        return Answered(status=204)
