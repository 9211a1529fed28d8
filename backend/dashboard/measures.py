"""The measures of the panel: what they are called, and which series tells each of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING

from django.utils.translation import gettext_lazy as _

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise

# As the summary does: a measure that has been silent for longer than another of its column gives way to it.
SILENT_DAYS = 84


@dataclass(frozen=True)
class Column:
    """A measure of the panel: its field in the summary, and the series that may stand behind it, best first."""

    field: str
    title: _StrPromise
    codes: tuple[str, ...]
    decimals: int = 1
    joined: int = 1
    """Days apart at which a line still joins two values. Exercise is due on some days of the week only."""
    share: bool = False
    """A share of what was prescribed: nothing was due before the programme, so there is no baseline to compare with."""

    def code(self, last_days: Mapping[str, date]) -> str | None:
        """The series that the summary read, for a patient whose series ended on these days."""
        newest = max(last_days.values(), default=date.min)
        fresh = (code for code in self.codes if code in last_days)
        return next((code for code in fresh if last_days[code] > newest - timedelta(days=SILENT_DAYS)), None)


COLUMNS = (
    Column("pain", _("Pain"), ("daily-diary.pain-average", "nrs-pain.total")),
    Column("fear", _("Fear of movement"), ("tsk-11.total", "daily-diary.fear", "fear-daily.total")),
    Column("depression", _("Depression"), ("phq-9.total", "phq-8.total"), decimals=0),
    Column("adherence", _("Adherence"), ("adherence.day",), decimals=0, joined=4, share=True),
)

SHOWN = [code for column in COLUMNS for code in column.codes]
