"""What every request passes first: it gets an id, and under /api/ whatever fails answers problem+json."""

import logging
import re
from collections.abc import Callable
from http import HTTPStatus

import structlog
from django.conf import settings
from django.db import OperationalError
from django.http import HttpRequest, HttpResponse
from redis.exceptions import RedisError
from rest_framework.exceptions import APIException
from uuid_utils.compat import uuid7

from backend.rest.body import MIB
from backend.rest.problems import Problem, in_words, problem, refuse

Next = Callable[[HttpRequest], HttpResponse]

SANE_ID = re.compile(r"[A-Za-z0-9._-]{8,64}")

logger = logging.getLogger(__name__)


class RequestId:
    """Names the request in every log line, in its audit rows and in its answer.

    A caller's own X-Request-ID is kept if it is 8 to 64 of A-Z a-z 0-9 . _ -, so that nothing else gets into a log.
    """

    def __init__(self, get_response: Next) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        given = request.headers.get("X-Request-ID", "")
        request_id = given if SANE_ID.fullmatch(given) else str(uuid7())
        with structlog.contextvars.bound_contextvars(request_id=request_id):
            response = self.get_response(request)
        response["X-Request-ID"] = request_id
        return response


class Problems:
    """Under /api/ nothing answers an error as HTML, whoever raised it: Django, a middleware, a bare view.

    While the database or the cache is away the answer is 503: a phone keeps its queue and comes again, and no throttle
    before sign-in is skipped because it could not count.
    """

    def __init__(self, get_response: Next) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if not request.path_info.startswith("/api/"):
            return self.get_response(request)
        if length_of(request) > (most := most_bytes(request.path_info)):
            return refuse(Problem(413, "too_large", in_words("The body is larger than %(n)s MiB.", n=most // MIB)))
        if "\0" in request.path_info or "%00" in request.META.get("QUERY_STRING", ""):
            return refuse(Problem(400, "nul", "The address holds a NUL, which no text of ours can."))
        response = self.get_response(request)
        if response.status_code >= 400 and "json" not in response.get("Content-Type", ""):
            status = HTTPStatus(response.status_code)
            return problem(status, [(None, code_of(status), status.description or status.phrase)])
        return response

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        if not request.path_info.startswith("/api/"):
            return None
        if isinstance(exception, (OperationalError, RedisError)):
            logger.error("a service that the request needs is away", exc_info=exception)
            exception = Problem(503, "unavailable", "Try again in a moment.", headers={"Retry-After": "5"})
        return refuse(exception) if isinstance(exception, APIException) else None


def most_bytes(path: str) -> int:
    """How large a body to this address may be."""
    found = (most for address, most in settings.LARGER_BODIES.items() if re.fullmatch(address, path))
    return next(found, MIB)


def length_of(request: HttpRequest) -> int:
    try:
        return int(request.META.get("CONTENT_LENGTH") or 0)
    except ValueError:
        return 0


def code_of(status: HTTPStatus) -> str:
    """The status in words, as an error code: 404 is `not_found`."""
    return status.phrase.lower().replace(" ", "_").replace("-", "_")
