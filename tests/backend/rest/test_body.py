import gzip
from typing import Any

import pytest
from django.test import Client

pytestmark = pytest.mark.urls("tests.backend.rest.views")


def send(address: str, body: bytes, **headers: str) -> Any:
    return Client().post(
        address, body, content_type="application/json", headers={k.replace("_", "-"): v for k, v in headers.items()}
    )


def code(response: Any) -> str:
    return str(response.json()["errors"][0]["code"])


def test_gzip_is_read_as_what_it_holds() -> None:
    assert send("/api/echo", gzip.compress(b'{"pain": 4}'), content_encoding="gzip").json() == {"pain": 4}


@pytest.mark.parametrize("size", [999, 1000])
def test_a_body_up_to_the_limit_is_read(size: int) -> None:
    assert send("/api/read", b"0" * size).content == str(size).encode()
    assert send("/api/read", gzip.compress(b"0" * size), content_encoding="gzip").content == str(size).encode()


def test_one_byte_more_is_too_large() -> None:
    for response in (
        send("/api/read", b"0" * 1001),
        send("/api/read", gzip.compress(b"0" * 1001), content_encoding="gzip"),
    ):
        assert (response.status_code, code(response)) == (413, "too_large")


def test_a_bomb_is_too_large() -> None:
    bomb = gzip.compress(b"0" * 100_000_000)
    assert len(bomb) < 200_000
    response = send("/api/echo", bomb, content_encoding="gzip")
    assert (response.status_code, code(response)) == (413, "too_large")


WHOLE = gzip.compress(b"{}", mtime=0)


@pytest.mark.parametrize("broken", [b"", b"plain", WHOLE[:-4], WHOLE + b"more", WHOLE * 2, WHOLE[:3]])
def test_what_is_not_one_whole_gzip_stream_is_refused(broken: bytes) -> None:
    response = send("/api/read", broken, content_encoding="gzip")
    assert (response.status_code, code(response)) == (400, "malformed_gzip")


def test_another_encoding_is_refused() -> None:
    response = send("/api/echo", b"{}", content_encoding="br")
    assert (response.status_code, code(response)) == (415, "unsupported_encoding")


@pytest.mark.parametrize(
    "broken",
    [
        b"{",
        b"NaN",
        b"[1e400]",
        b'"\\ud800"',
        b'"\xff"',
        b"[" * 200_000,
        b'{"a":' * 100_000,
        b"1" * 1_000_000,
        b"[Infinity]",
        b'"\xed\xa0\x80"',
    ],
)
def test_malformed_json_is_named_so(broken: bytes) -> None:
    response = send("/api/echo", broken)
    assert (response.status_code, code(response)) == (400, "malformed_json")


def test_a_body_that_is_not_json_is_refused() -> None:
    response = Client().post("/api/echo", {"a": "form"})
    assert (response.status_code, code(response)) == (415, "unsupported_media_type")


def test_a_nul_is_refused_by_its_field() -> None:
    for address in ("/api/echo", "/api/struct"):
        response = send(address, b'{"texts": ["fine", "a\\u0000b"]}')
        assert response.status_code == 400
        error = response.json()["errors"][0]
        assert (error["field"], error["code"]) == ("texts.1", "nul_byte")
    assert send("/api/echo", b'{"texts": ["a\\\\u0000b"]}').status_code == 200  # a backslash, and no NUL
