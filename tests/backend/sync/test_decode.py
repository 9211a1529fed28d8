"""From bytes to items: whatever comes, the answer names the field."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest

from backend.sync.decode import MalformedError, Undecodable, decode_envelope, decode_item

ITEM = {
    "type": "response",
    "id": "01990d2a-5b1c-7c3e-9a58-0d6f4c1b2a37",
    "instrument": "phq-9",
    "version": "1",
    "authored_at": "2026-11-21T21:03:00+01:00",
    "time_zone": "Europe/Zurich",
    "answers": {"1": 2},
}


def error_of(raw: str) -> tuple[str, str]:
    found = decode_item(msgspec.Raw(raw.encode()))
    assert isinstance(found, Undecodable)
    return found.errors[0].field, found.errors[0].code


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"type": "poem"}, ("type", "unknown_type")),
        ({"type": 5}, ("type", "unknown_type")),
        ({"id": "17"}, ("id", "invalid")),
        ({"id": None}, ("id", "wrong_type")),
        ({"version": 1}, ("version", "wrong_type")),
        ({"authored_at": "yesterday"}, ("authored_at", "invalid")),
        ({"authored_at": "2026-11-21T21:03:00"}, ("authored_at", "invalid")),
        ({"answers": [1, 2]}, ("answers", "wrong_type")),
        ({"answers": {"1": "a\0b"}}, ("answers.1", "nul_byte")),
        ({"answers": {"1": {"2": ["\0"]}}}, ("answers.1.2.0", "nul_byte")),
        ({"answers": {"\0": 1}}, ("answers.?", "nul_byte")),
        ({"time_zone": "Europe/Zurich\0"}, ("time_zone", "nul_byte")),
    ],
)
def test_the_wrong_field_is_named(change: dict[str, Any], error: tuple[str, str]) -> None:
    assert error_of(json.dumps(ITEM | change)) == error


@pytest.mark.parametrize("field", [name for name in ITEM if name != "type"])
def test_a_missing_field_is_named(field: str) -> None:
    assert error_of(json.dumps({name: value for name, value in ITEM.items() if name != field})) == (field, "required")


def test_an_item_without_a_type_is_told_so() -> None:
    assert error_of("{}") == ("type", "required")


@pytest.mark.parametrize("raw", ["5", '"text"', "null", "[]"])
def test_what_is_no_object_is_told_so(raw: str) -> None:
    assert error_of(raw) == ("", "wrong_type")


@pytest.mark.parametrize("number", ["9" * 1_000_000, "1e999"])
def test_a_number_that_no_computer_holds_is_named(number: str) -> None:
    assert error_of(json.dumps(ITEM).replace('{"1": 2}', f'{{"1": 2, "2": {number}}}')) == (
        "answers.2",
        "out_of_range",
    )


def test_text_that_only_looks_like_a_nul_is_kept() -> None:
    assert not isinstance(
        decode_item(msgspec.Raw(json.dumps(ITEM | {"answers": {"1": r"\u0000"}}).encode())), Undecodable
    )


def test_a_refused_item_keeps_its_id_and_type_where_they_can_be_read() -> None:
    found = decode_item(msgspec.Raw(json.dumps(ITEM | {"version": 1}).encode()))
    assert isinstance(found, Undecodable)
    assert (found.kind, str(found.client_id)) == ("response", ITEM["id"])


@pytest.mark.parametrize(
    ("body", "error"),
    [
        (b"", ("", "malformed_json")),
        (b"{", ("", "malformed_json")),
        (b'{"push": [}', ("", "malformed_json")),
        (b"\xff\xfe", ("", "malformed_json")),
        (b'{"push": [{"a": NaN}]}', ("", "malformed_json")),
        (b'{"push": ' + b"[" * 100_000 + b"]" * 100_000 + b"}", ("", "malformed_json")),
        (b'{"push": {}}', ("push", "wrong_type")),
        (b'{"cursor": 5}', ("cursor", "wrong_type")),
        (b'{"device": {"sent_at": "soon"}}', ("device.sent_at", "invalid")),
        (b"[]", ("", "wrong_type")),
    ],
)
def test_a_body_that_cannot_be_read_is_refused_as_a_whole(body: bytes, error: tuple[str, str]) -> None:
    with pytest.raises(MalformedError) as found:
        decode_envelope(body)
    assert (found.value.error.field, found.value.error.code) == error
