"""Small endpoints for the tests of what all endpoints share."""

from typing import Any

import msgspec
from django.db import OperationalError
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import include, path
from redis.exceptions import ConnectionError as RedisAway
from rest_framework import serializers
from rest_framework.generics import ListAPIView
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from backend.people.models import Clinic
from backend.rest.body import read_as, read_body
from backend.rest.etag import conditional, etag_of
from backend.rest.problems import Problem


class SetSerializer(serializers.Serializer[Any]):
    sets = serializers.IntegerField(max_value=10)


class SessionSerializer(serializers.Serializer[Any]):
    exercises = SetSerializer(many=True)

    def validate(self, attrs: Any) -> Any:
        raise serializers.ValidationError("Nothing pleases this one.", code="never")


class Open(APIView):
    authentication_classes = ()
    permission_classes = ()


class Echo(Open):
    def post(self, request: Request) -> Response:
        return Response(request.data)


class Texts(msgspec.Struct):
    texts: list[str]


class AsStruct(Open):
    def post(self, request: Request) -> Response:
        return Response(read_as(request, Texts).texts)


class Nested(Open):
    def post(self, request: Request) -> Response:
        SessionSerializer(data=request.data).is_valid(raise_exception=True)
        return Response()


class Tagged(Open):
    def get(self, request: Request) -> HttpResponse:
        return conditional(request, etag_of("phq-9", 1), lambda: {"code": "phq-9"})


class Paged(ListAPIView[Clinic]):
    authentication_classes = ()
    permission_classes = ()
    keyset = ("-time_zone", "id")
    queryset = Clinic.objects.all()

    class serializer_class(serializers.ModelSerializer[Clinic]):  # noqa: N801
        class Meta:
            model = Clinic
            fields = ("id", "time_zone")


def bare(request: HttpRequest, what: str) -> HttpResponse:
    match what:
        case "problem":
            raise Problem(409, "conflict", "Already there.", field="id")
        case "missing":
            raise Http404
        case "broken":
            raise ZeroDivisionError
        case "database":
            raise OperationalError("the connection is lost")
        case "redis":
            raise RedisAway
        case "read":
            return HttpResponse(str(len(read_body(request, 1000))))
    raise AssertionError(what)


urlpatterns = [
    path("api/echo", Echo.as_view()),
    path("api/struct", AsStruct.as_view()),
    path("api/nested", Nested.as_view()),
    path("api/tagged", Tagged.as_view()),
    path("api/paged", Paged.as_view()),
    path("api/<str:what>", bare),
    path("pages/<str:what>", bare),
    path("", include("backend.urls")),  # which the error pages lead back to
]
