"""How a colleague is told that an alert waits: their own settings, for a program of theirs."""

from __future__ import annotations

from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from django.utils import timezone
from drf_spectacular.utils import OpenApiExample, OpenApiResponse, extend_schema
from rest_framework.request import Request
from rest_framework.views import APIView

from backend.people.authentication import IsStaff
from backend.people.models import User
from backend.reminders import being_told, examples
from backend.reminders.colleague_models import Browser
from backend.rest.body import read_as
from backend.rest.openapi import json_response, problems, schema_of

SHOWN = {200: OpenApiResponse(schema_of(being_told.ShownCallSettings))}
EXAMPLE = OpenApiExample("a phone's browser", examples.CALL_SETTINGS, response_only=True)


def _me(request: Request) -> User:
    assert isinstance(request.user, User)  # noqa: S101  the permission has looked
    return request.user


class CallSettingsView(APIView):
    """By which channels one is told that an alert waits. What is critical goes to every one of them."""

    permission_classes = [IsStaff]

    @extend_schema(operation_id="call_settings", responses={**SHOWN, **problems(401, 403)}, examples=[EXAMPLE])
    def get(self, request: Request) -> HttpResponse:
        return json_response(being_told.read(_me(request)))

    @extend_schema(
        operation_id="call_settings_change",
        request={"application/json": schema_of(being_told.ChangeCallSettings)},
        responses={**SHOWN, **problems(400, 401, 403)},
        examples=[
            OpenApiExample("by both", {"channel": "both"}, request_only=True),
            OpenApiExample("the address is right", {"email_confirmed": True}, request_only=True),
            EXAMPLE,
        ],
    )
    def patch(self, request: Request) -> HttpResponse:
        being_told.change(_me(request), read_as(request, being_told.ChangeCallSettings))
        return self.get(request)


class BrowsersView(APIView):
    """A browser that is to be pushed to. The same one again takes its own place."""

    permission_classes = [IsStaff]

    @extend_schema(
        operation_id="call_browser_add",
        request={"application/json": schema_of(being_told.NewBrowser)},
        responses={201: OpenApiResponse(schema_of(being_told.ShownBrowser)), **problems(400, 401, 403, 409)},
        examples=[
            OpenApiExample("Firefox", examples.NEW_BROWSER, request_only=True),
            OpenApiExample("added", examples.BROWSER, response_only=True, status_codes=["201"]),
        ],
    )
    def post(self, request: Request) -> HttpResponse:
        new = read_as(request, being_told.NewBrowser)
        return json_response(being_told.subscribe(_me(request), new, timezone.now()), 201)


class BrowserView(APIView):
    """One of one's own browsers."""

    permission_classes = [IsStaff]

    @extend_schema(operation_id="call_browser_remove", responses={204: None, **problems(401, 403, 404)})
    def delete(self, request: Request, browser_id: int) -> HttpResponse:
        get_object_or_404(Browser, user=_me(request), pk=browser_id).delete()
        return HttpResponse(status=204)
