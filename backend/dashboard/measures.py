"""What the dashboard calls the measures, and how it draws them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.utils.translation import gettext_lazy as _

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise


@dataclass(frozen=True)
class Column:
    """A measure of the panel: where the summary keeps it, the series behind it, and its scale from end to end.

    Where a patient has several of `codes`, the summary reads the first that has values.
    """

    field: str
    title: _StrPromise
    codes: tuple[str, ...]
    low: float
    high: float
    decimals: int = 1
    bridge: int = 1  # days apart at which two values are still joined by a line


COLUMNS = (
    Column("pain", _("Pain"), ("daily-diary.pain-average",), 0, 10),
    Column("fear", _("Fear of movement"), ("daily-diary.fear",), 0, 10),
    Column("depression", _("Depression"), ("phq-9.total", "phq-8.total"), 0, 27, decimals=0, bridge=28),
    Column("adherence", _("Adherence"), ("adherence.day",), 0, 100, decimals=0),
)
