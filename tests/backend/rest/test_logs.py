"""What a log line holds, and what it never does."""

import json
import logging
import logging.config
from collections.abc import Iterator
from io import StringIO

import pytest
import structlog
from celery import Celery
from django.db import IntegrityError, connection, transaction
from django.http import HttpRequest, HttpResponse
from django.test import Client, override_settings
from django.urls import path

from backend.rest.logs import logging_configuration

SECRET = "item-nine-is-three"


def breaks(request: HttpRequest, word: str) -> HttpResponse:
    raise ValueError(SECRET)


urlpatterns = [path("breaks/<str:word>", breaks)]


@pytest.fixture
def log() -> Iterator[StringIO]:
    """What is logged meanwhile by the configuration that production has."""
    configuration = logging_configuration(json=True)
    stream = StringIO()
    configuration["handlers"]["stderr"]["stream"] = stream
    before = logging.root.handlers[:], logging.root.level
    logging.config.dictConfig(configuration)
    yield stream
    logging.root.handlers, logging.root.level = before


def lines(log: StringIO) -> list[dict[str, object]]:
    return [json.loads(line) for line in log.getvalue().splitlines()]


def test_a_request_is_one_line_with_its_id_and_route(client: Client, log: StringIO) -> None:
    response = client.get("/api/v1/schema", {"pain": SECRET}, secure=True)
    [line] = lines(log)
    assert line["request_id"] == response["X-Request-ID"]
    assert (line["event"], line["method"], line["route"], line["status"]) == ("request", "GET", "api/v1/schema", 200)
    assert SECRET not in log.getvalue()


@override_settings(ROOT_URLCONF=__name__)
def test_a_failing_request_says_where_and_not_what(client: Client, log: StringIO) -> None:
    client.raise_request_exception = False
    client.get(f"/breaks/{SECRET}", {"answer": SECRET}, secure=True)
    failure, request = lines(log)
    assert failure["error"] == ["builtins.ValueError"]
    assert " breaks" in str(failure["raised"])
    assert failure["event"] == "Internal Server Error: breaks/<str:word>"
    assert request["status"] == 500
    assert SECRET not in log.getvalue()


@pytest.mark.django_db
def test_probes_are_not_logged(client: Client, log: StringIO) -> None:
    assert client.get("/healthz").status_code == 200
    assert client.get("/readyz").status_code == 503
    # That nobody watches the clocks of alerts is told; that somebody asked is not.
    assert {line["logger"] for line in lines(log)} == {"backend.rest.health"}


@pytest.mark.django_db
def test_a_databases_refusal_names_the_constraint_and_not_the_row(log: StringIO) -> None:
    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE answer (value text CONSTRAINT short CHECK (length(value) < 3))")
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("INSERT INTO answer VALUES (%s)", [SECRET])
    except IntegrityError:
        logging.getLogger("anything").exception("refused")
    [line] = lines(log)
    assert line["error"] == ["django.db.utils.IntegrityError", "psycopg.errors.CheckViolation 23514 short"]
    assert SECRET not in log.getvalue()


def test_a_failing_task_says_where_and_not_what(log: StringIO) -> None:
    app = Celery("log-test", set_as_current=False)

    @app.task(name="fails")
    def fails(value: str) -> None:
        raise ValueError(value)

    @app.task(name="gives")
    def gives(value: str) -> str:
        return value

    fails.apply((SECRET,))
    gives.apply((SECRET,))
    failed, _ = lines(log)
    assert str(failed["event"]).startswith("Task fails[")
    assert "raised unexpected: ValueError" in str(failed["event"])
    assert failed["error"] == ["builtins.ValueError"]
    assert SECRET not in log.getvalue()


def test_only_named_extra_fields_get_in(log: StringIO) -> None:
    logging.getLogger("anything").info("counted", extra={"count": 3, "score": SECRET})
    [line] = lines(log)
    assert line["count"] == 3
    assert "score" not in line


def test_the_readable_form_holds_as_little(log: StringIO) -> None:
    stream = StringIO()
    configuration = logging_configuration(json=False)
    configuration["handlers"]["stderr"]["stream"] = stream
    logging.config.dictConfig(configuration)
    with structlog.contextvars.bound_contextvars(request_id="r-1"):
        try:
            raise ValueError(SECRET)
        except ValueError:
            logging.getLogger("anything").exception("broke")
    assert "broke" in stream.getvalue()
    assert "ValueError" in stream.getvalue()
    assert "r-1" in stream.getvalue()
    assert SECRET not in stream.getvalue()
