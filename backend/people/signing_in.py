"""Signing in over the API: allauth's views, as far as this product needs them."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import wraps
from http import HTTPStatus

from allauth.headless.account import views as account
from allauth.headless.constants import Client
from allauth.headless.mfa import views as mfa
from allauth.headless.tokens.views import RefreshTokenView
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, path

from backend.rest.middleware import code_of
from backend.rest.problems import CONTENT_TYPE, Problem, problem
from backend.rest.throttles import address_of, knock


class RefreshView(RefreshTokenView):  # type: ignore[misc]
    """allauth's, with a throttle, which it has none of, and an answer that names what is wrong."""

    def handle(self, request: HttpRequest, *args: object, **kwargs: object) -> HttpResponse:
        knock("refresh", address_of(request), most=60, seconds=60)
        response: HttpResponse = super().handle(request, *args, **kwargs)
        return response

    def post(self, request: HttpRequest) -> HttpResponse:
        response: HttpResponse = super().post(request)
        if response.status_code == 400:
            raise Problem(401, "invalid_refresh_token", "The refresh token is not valid or no longer so.")
        return response


class SessionView(account.SessionView):  # type: ignore[misc]
    """allauth's, but who signs out is told that it worked: allauth says 401, as nobody is signed in any more."""

    def delete(self, request: HttpRequest, *args: object, **kwargs: object) -> HttpResponse:
        super().delete(request, *args, **kwargs)
        return HttpResponse(status=204)


def errors_as_problems(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """allauth's errors in the shape of all others; `data` and `meta`, which say how to go on, stay beside them."""

    @wraps(view)
    def wrapped(request: HttpRequest, *args: object, **kwargs: object) -> HttpResponse:
        response = view(request, *args, **kwargs)
        kind = response.get("Content-Type", "")
        if response.status_code < 400 or kind == CONTENT_TYPE or "json" not in kind:
            return response
        said = json.loads(response.content)
        status = HTTPStatus(response.status_code)
        errors = [(error.get("param"), error["code"], error["message"]) for error in said.get("errors", [])]
        if any(code == "too_many_login_attempts" for _, code, _ in errors):
            status = HTTPStatus.TOO_MANY_REQUESTS
        more = {name: said[name] for name in ("data", "meta") if name in said}
        answer = problem(status, errors or [(None, code_of(status), status.description)], more=more)
        answer["Cache-Control"] = "no-store"
        return answer

    return wrapped


VIEWS = {
    "login": account.LoginView,
    "session": SessionView,
    "reauthenticate": account.ReauthenticateView,
    "password/request": account.RequestPasswordResetView,
    "password/reset": account.ResetPasswordView,
    "password/change": account.ChangePasswordView,
    "2fa/authenticate": mfa.AuthenticateView,
    "2fa/reauthenticate": mfa.ReauthenticateView,
    "authenticators": mfa.AuthenticatorsView,
    "authenticators/totp": mfa.ManageTOTPView,
    "authenticators/recovery-codes": mfa.ManageRecoveryCodesView,
    "refresh": RefreshView,
}

urlpatterns: list[URLPattern] = [
    path(name, errors_as_problems(view.as_api_view(client=Client.APP))) for name, view in VIEWS.items()
]
