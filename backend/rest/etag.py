"""Answers that a client need not fetch again."""

import hashlib
from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.utils.cache import get_conditional_response, patch_cache_control
from django.utils.http import quote_etag
from rest_framework.request import Request
from rest_framework.response import Response


def etag_of(*parts: object) -> str:
    """A tag for what `parts` name, for instance a code, a version and a language."""
    return quote_etag(hashlib.sha256("\x1f".join(map(str, parts)).encode()).hexdigest()[:32])


def conditional(request: Request | HttpRequest, etag: str, build: Callable[[], object]) -> HttpResponse:
    """304 if the client has what `etag` names, else what `build` makes of it.

    Clients keep the answer but ask each time whether it still stands; nothing in between keeps it.
    """
    raw = request._request if isinstance(request, Request) else request
    response = get_conditional_response(raw, etag=etag)
    if response is None:
        response = Response(build())
    response["ETag"] = etag
    patch_cache_control(response, private=True, no_cache=True)
    return response
