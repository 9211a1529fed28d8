"""Errors as problem+json (RFC 9457).

    {"type": "about:blank", "title": "Bad Request", "status": 400, "detail": "…",
     "errors": [{"field": "exercises.0.sets", "code": "out_of_range", "detail": "…"}], "request_id": "…"}

`errors` is never empty; a program reads `code`, a person `detail`. `field` is a dotted path into what was sent, or
null.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from http import HTTPStatus
from typing import Any

import structlog
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponse
from django.utils.translation import gettext, gettext_noop
from rest_framework.exceptions import APIException, NotFound
from rest_framework.exceptions import PermissionDenied as Forbidden
from rest_framework.settings import api_settings

CONTENT_TYPE = "application/problem+json"

Error = tuple[str | None, str, str]  # field, code, detail


class Problem(APIException):
    """One named refusal; works from DRF views and from bare Django views under /api/ alike."""

    def __init__(
        self, status: int, code: str, detail: str, *, field: str | None = None, headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(in_words(detail), code)
        self.status_code = status
        self.field = field
        self.headers = headers or {}


def in_words(text: str, **words: object) -> str:
    """A refusal in the language of whoever asked. `text` is the English, with %(names)s where words are put in.

    What is refused by Problem and the rooms' own errors is said so; a language is a folder in `backend/locale`.
    """
    translated = gettext(text) if text else text
    return translated % words if words else translated


TITLES = (
    gettext_noop("Bad Request"),
    gettext_noop("Unauthorized"),
    gettext_noop("Forbidden"),
    gettext_noop("Not Found"),
    gettext_noop("Method Not Allowed"),
    gettext_noop("Not Acceptable"),
    gettext_noop("Conflict"),
    gettext_noop("Content Too Large"),
    gettext_noop("Unsupported Media Type"),
    gettext_noop("Requested Range Not Satisfiable"),
    gettext_noop("Unprocessable Content"),
    gettext_noop("Too Many Requests"),
    gettext_noop("Internal Server Error"),
    gettext_noop("Service Unavailable"),
)
"""Those of the statuses that a person may come to read."""


def request_id() -> str:
    """The id of the request at hand, empty outside of one."""
    return str(structlog.contextvars.get_contextvars().get("request_id", ""))


def problem(
    status: int,
    errors: Iterable[Error],
    headers: Mapping[str, str] | None = None,
    more: Mapping[str, Any] | None = None,
) -> HttpResponse:
    """The answer to what went wrong; `more` are members of the body beside the usual."""
    listed = [{"field": field, "code": code, "detail": detail} for field, code, detail in errors]
    body = {
        "type": "about:blank",
        "title": gettext(HTTPStatus(status).phrase),
        "status": status,
        "detail": listed[0]["detail"]
        if len(listed) == 1
        else in_words("%(n)s things are wrong: see errors.", n=len(listed)),
        "errors": listed,
        "request_id": request_id(),
        **(more or {}),
    }
    return HttpResponse(json.dumps(body), status=status, content_type=CONTENT_TYPE, headers=dict(headers or {}))


def flatten(details: Any, path: str = "") -> Iterator[Error]:
    """DRF's nested error details as (dotted field, code, detail)."""
    if isinstance(details, Mapping) and set(details) == {"message", "code"}:
        yield path or None, str(details["code"]), str(details["message"])
    elif isinstance(details, Mapping):
        for name, inner in details.items():
            here = "" if name == api_settings.NON_FIELD_ERRORS_KEY else str(name)
            yield from flatten(inner, ".".join(filter(None, [path, here])))
    else:
        # A list of leaves are several errors of one field; a list of dicts are the errors of its items, by position.
        for position, inner in enumerate(details):
            leaf = not isinstance(inner, Mapping) or set(inner) == {"message", "code"}
            if inner:
                yield from flatten(inner, path if leaf else ".".join(filter(None, [path, str(position)])))


def exception_handler(exception: Exception, context: Any = None) -> HttpResponse | None:
    """DRF's EXCEPTION_HANDLER. What it doesn't know goes on to the middleware and, as a 500, to the log."""
    if isinstance(exception, Http404):
        exception = NotFound()
    elif isinstance(exception, PermissionDenied):
        exception = Forbidden()
    return refuse(exception) if isinstance(exception, APIException) else None


def refuse(exception: APIException) -> HttpResponse:
    headers = dict(getattr(exception, "headers", {}))
    if challenge := getattr(exception, "auth_header", None):
        headers["WWW-Authenticate"] = challenge
    if wait := getattr(exception, "wait", None):
        headers["Retry-After"] = str(int(wait) + 1)
    errors = flatten(exception.get_full_details(), getattr(exception, "field", None) or "")
    return problem(exception.status_code, errors, headers)
