"""Columns that the database computes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.core.checks import CheckMessage
from django.db import models


class GeneratedField(models.GeneratedField):
    """Django's, without asking the database at each start of a program whether it knows such columns.

    We run on PostgreSQL alone, which does; a check that needs a connection would fail where there is none yet.
    """

    def _check_supported(self, databases: Sequence[str] | None) -> list[CheckMessage]:
        return []

    def deconstruct(self) -> tuple[str, str, Sequence[Any], dict[str, Any]]:
        name, _, arguments, options = super().deconstruct()
        return name, "django.db.models.GeneratedField", arguments, options
