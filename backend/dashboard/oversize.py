"""What is too large for a page is refused before it has come in."""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from backend.rest.body import MIB
from backend.rest.middleware import length_of, most_bytes


class RefuseOversize:
    """By the length that the browser announces, as the API does; else the check for forgery would read it all first."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if length_of(request) > (most := most_bytes(request.path_info)):
            return render(request, "413.html", {"most": most // MIB}, status=413)
        return self.get_response(request)
