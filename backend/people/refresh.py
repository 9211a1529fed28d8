"""Refreshing tokens, counted."""

from allauth.headless.tokens.views import RefreshTokenView
from django.http import HttpRequest, HttpResponse

from backend.rest.problems import Problem
from backend.rest.throttles import address_of, knock


class RefreshView(RefreshTokenView):  # type: ignore[misc]
    """allauth's, with a throttle (it has none) and an answer that names what is wrong."""

    def handle(self, request: HttpRequest, *args: object, **kwargs: object) -> HttpResponse:
        knock("refresh", address_of(request), most=60, seconds=60)
        response: HttpResponse = super().handle(request, *args, **kwargs)
        return response

    def post(self, request: HttpRequest) -> HttpResponse:
        response: HttpResponse = super().post(request)
        if response.status_code == 400:
            raise Problem(401, "invalid_refresh_token", "The refresh token is not valid or no longer so.")
        return response
