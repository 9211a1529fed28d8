"""What the server says of each thing that a phone or a file brought."""

from __future__ import annotations

from typing import Literal
from uuid import UUID

import msgspec


class FieldError(msgspec.Struct, frozen=True):
    """One thing wrong with one field. `code` is for programs and stable, `detail` is for people."""

    field: str
    code: str
    detail: str


class Easier(msgspec.Struct, frozen=True):
    """An easier form of an exercise: another exercise (`to`), or itself with less, as its own words say."""

    exercise: str
    to: str | None = None


class Verdict(msgspec.Struct, omit_defaults=True):
    """One item's fate. `stored` and `duplicate` mean that the server has it; the others that it waits in quarantine.

    `safety` names the clinic's texts that this answer calls for, most urgent first. `easier` is
    what could be done instead of a session that was skipped.
    """

    id: UUID | None
    status: Literal["stored", "duplicate", "rejected", "conflict"]
    complete: bool | None = None
    scores: dict[str, float | int | None] | None = None
    errors: list[FieldError] = []
    safety: list[str] = []
    easier: list[Easier] = []
