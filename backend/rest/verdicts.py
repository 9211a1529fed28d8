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


class Verdict(msgspec.Struct, omit_defaults=True):
    """One item's fate. `stored` and `duplicate` mean that the server has it; the others that it waits in quarantine.

    `safety` names the clinic's texts that this answer calls for, most urgent first.
    """

    id: UUID | None
    status: Literal["stored", "duplicate", "rejected", "conflict"]
    complete: bool | None = None
    scores: dict[str, float | int | None] | None = None
    errors: list[FieldError] = []
    safety: list[str] = []
