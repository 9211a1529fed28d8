"""Columns on their way into PostgreSQL: whatever a row holds comes out of unnest() as it went in."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any
from uuid import UUID

import pytest
from django.db import connection

from outcomes.store import columns

VALUES: dict[str, list[Any]] = {
    "bigint": [1, -(2**40), None],
    "float8": [0.1, 1e-300, -3.0, None, float("inf")],
    "bool": [True, False, None],
    "text": [
        "",
        "NULL",
        'a "quoted" one',
        "back\\slash",
        "comma, {brace}",
        "line\nbreak",
        "ä 🙂",
        " space ",
        "'",
        None,
    ],
    "bytea": [b"", b'\x00\xff\\"', None],
    "uuid": [UUID(int=7), None],
    "date": [date(1, 1, 1), date(2026, 11, 26), None],
    "timestamptz": [
        datetime(2026, 11, 26, 6, 7, 8, 9, tzinfo=UTC),
        datetime(1970, 1, 1, tzinfo=timezone(timedelta(hours=-3, minutes=-30))),
        None,
    ],
}


@pytest.mark.django_db
@pytest.mark.parametrize("kind", VALUES)
def test_what_goes_in_comes_out(kind: str) -> None:
    values = VALUES[kind]
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT * FROM unnest(%s::{kind}[])", columns([(value,) for value in values], 1))  # noqa: S608
        found = [bytes(value) if isinstance(value, memoryview) else value for (value,) in cursor.fetchall()]
    assert found == values


@pytest.mark.django_db
def test_no_rows_are_empty_columns() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM unnest(%s::bigint[], %s::text[])", columns([], 2))
        assert cursor.fetchall() == []
