"""Logs, one line an event, with the request's id and without anything that a patient said.

What an exception says may quote a value ("Failing row contains …"), and so may a path, a task's result or a repr. So a
line holds an exception's kind and where it was raised, a request's route, and of extra fields only those named here.
"""

import logging
import re
import sys
import time
from collections.abc import Callable, Mapping, MutableMapping
from copy import copy
from traceback import extract_tb
from typing import Any

import structlog
from django.http import HttpRequest, HttpResponse

FIELDS = {"method", "route", "status", "milliseconds", "count", "task", "service", "channel", "why"}
PROBES = {"healthz", "readyz"}  # asked every few seconds; what is wrong is logged where it is found

logger = logging.getLogger(__name__)


def kinds(error: BaseException | None) -> list[str]:
    """The exception and its causes, by class; a database's with its SQLSTATE and constraint."""
    found: list[str] = []
    while error and len(found) < 10:
        diagnosis = getattr(error, "diag", None)
        details = [getattr(diagnosis, name, None) for name in ("sqlstate", "constraint_name")]
        found.append(" ".join(filter(None, [f"{type(error).__module__}.{type(error).__qualname__}", *details])))
        error = error.__cause__ or error.__context__
    return found


def discreet_exception(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    given = event.pop("exc_info", None)
    error = sys.exc_info()[1] if given is True else given[1] if isinstance(given, tuple) else given
    if isinstance(error, BaseException):
        event["error"] = kinds(error)
        event["raised"] = [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in extract_tb(error.__traceback__)]
    return event


class Discreet(logging.Filter):
    """Takes out of other libraries' lines what may hold a value."""

    def filter(self, record: logging.LogRecord) -> logging.LogRecord | bool:
        record = copy(record)  # other handlers get the original
        arguments = record.args
        if record.name == "celery.app.trace" and isinstance(arguments, Mapping):
            # A task's failure, retry or result: a repr such as ValueError('…') keeps its name alone.
            error = re.match(r"\w*", str(arguments.get("exc", "")))
            hidden = {"exc": error and error[0], "traceback": "", "return_value": "", "args": "", "kwargs": ""}
            record.args = {**arguments, **hidden}
        elif isinstance(request := getattr(record, "request", None), HttpRequest):
            if route(request) in PROBES:
                return False
            if isinstance(arguments, tuple) and arguments:  # Django's lines about a request end in its path
                record.args = (*arguments[:-1], route(request))
        return record


def route(request: HttpRequest) -> str:
    return request.resolver_match.route if request.resolver_match else "(no such address)"


class RequestLog:
    """One line a request: its route rather than its path, nothing of its query, body or user."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        began = time.perf_counter()
        response = self.get_response(request)
        said = {
            "method": request.method,
            "route": route(request),
            "status": response.status_code,
            "milliseconds": round((time.perf_counter() - began) * 1000),
        }
        if said["route"] not in PROBES:
            logger.info("request", extra=said)
        return response


def logging_configuration(json: bool) -> dict[str, Any]:
    """Django's LOGGING: everything to standard error, as JSON, or in columns for a person to read."""
    structlog_processors: list[Any] = [
        structlog.stdlib.ProcessorFormatter.remove_processors_meta,
        structlog.processors.JSONRenderer() if json else structlog.dev.ConsoleRenderer(colors=False),
    ]
    common: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.ExtraAdder(allow=FIELDS),
        structlog.processors.TimeStamper(fmt="iso", utc=True) if json else structlog.processors.TimeStamper("%H:%M:%S"),
        discreet_exception,
    ]
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "filters": {"discreet": {"()": Discreet}},
        "formatters": {
            "lines": {
                "()": structlog.stdlib.ProcessorFormatter,
                "foreign_pre_chain": common,
                "processors": structlog_processors,
            }
        },
        "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "lines", "filters": ["discreet"]}},
        "root": {"handlers": ["stderr"], "level": "INFO"},
        # RequestLog says what was asked and answered; of Django's own lines only failures add to that.
        "loggers": {
            "django": {"handlers": [], "propagate": True},
            "django.request": {"level": "ERROR"},
            "django.server": {"handlers": [], "propagate": False},
            # A task's end is one line; that it was due and that it came are two more, every few seconds.
            "celery.beat": {"level": "WARNING"},
            "celery.worker.strategy": {"level": "WARNING"},
        },
    }
