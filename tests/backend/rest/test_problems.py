from typing import Any

import pytest
from django.test import Client

pytestmark = pytest.mark.urls("tests.backend.rest.views")


@pytest.fixture
def client() -> Client:
    return Client(raise_request_exception=False)


def errors(response: Any) -> list[tuple[str | None, str]]:
    assert response["Content-Type"] == "application/problem+json"
    body = response.json()
    assert (body["type"], body["status"]) == ("about:blank", response.status_code)
    assert body["title"]
    assert body["detail"]
    assert body["request_id"] == response["X-Request-ID"]
    return [(error["field"], error["code"]) for error in body["errors"]]


def test_a_wrong_item_in_a_list_is_named_by_its_position(client: Client) -> None:
    sent = {"exercises": [{"sets": 1}, {"sets": 11}, {}]}
    response = client.post("/api/nested", sent, content_type="application/json")
    assert errors(response) == [("exercises.1.sets", "max_value"), ("exercises.2.sets", "required")]
    assert response.status_code == 400


def test_what_is_wrong_with_the_whole_names_no_field(client: Client) -> None:
    response = client.post("/api/nested", {"exercises": [{"sets": 1}]}, content_type="application/json")
    assert errors(response) == [(None, "never")]


@pytest.mark.parametrize(
    ("what", "status", "field", "code"),
    [
        ("problem", 409, "id", "conflict"),
        ("missing", 404, None, "not_found"),
        ("broken", 500, None, "internal_server_error"),
        ("database", 503, None, "unavailable"),
        ("redis", 503, None, "unavailable"),
    ],
)
def test_a_bare_view_fails_as_a_problem_too(
    client: Client, what: str, status: int, field: str | None, code: str
) -> None:
    response = client.get(f"/api/{what}")
    assert (response.status_code, errors(response)) == (status, [(field, code)])


def test_an_address_that_is_nowhere_is_a_problem(client: Client) -> None:
    assert errors(client.get("/api/no/where")) == [(None, "not_found")]


def test_also_while_debugging(client: Client, settings: Any) -> None:
    settings.DEBUG = True
    assert errors(client.get("/api/no/where")) == [(None, "not_found")]


def test_a_wrong_method_is_a_problem(client: Client) -> None:
    response = client.get("/api/echo")
    assert (response.status_code, errors(response)) == (405, [(None, "method_not_allowed")])


def test_a_strange_host_is_a_problem(client: Client) -> None:
    response = client.get("/api/tagged", headers={"host": "elsewhere.example"})
    assert (response.status_code, errors(response)) == (400, [(None, "bad_request")])


def test_a_phone_is_told_when_to_come_again_after_an_outage(client: Client) -> None:
    assert client.get("/api/redis")["Retry-After"] == "5"


def test_pages_keep_their_own_errors(client: Client) -> None:
    response = client.get("/pages/missing")
    assert (response.status_code, response["Content-Type"]) == (404, "text/html; charset=utf-8")


def test_a_body_over_a_mebibyte_is_refused_before_it_is_read(client: Client) -> None:
    response = client.post("/api/echo", b"0" * 2_000_000, content_type="application/json")
    assert (response.status_code, errors(response)) == (413, [(None, "too_large")])


def test_a_sane_request_id_is_kept(client: Client) -> None:
    response = client.get("/api/missing", headers={"x-request-id": "0198-abc_D.e"})
    assert response["X-Request-ID"] == "0198-abc_D.e"


@pytest.mark.parametrize("strange", ["short", "a" * 65, "line\nbreak-line", "<script>alert(1)", "ünïcode-ünïcode"])
def test_a_strange_request_id_is_replaced(client: Client, strange: str) -> None:
    given = client.get("/api/missing", headers={"x-request-id": strange})["X-Request-ID"]
    assert given != strange
    assert len(given) == 36
