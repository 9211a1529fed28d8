"""The panel as CSV, for a spreadsheet that must not take a name for a formula."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from django.utils import timezone
from django.utils.translation import gettext as _

from backend.dashboard.filters import SHOWABLE
from backend.dashboard.measures import COLUMNS
from backend.dashboard.rows import Row
from backend.dashboard.templatetags.dashboard import alert_title, label, severity
from backend.dashboard.wording import SHARE
from backend.rest.flat import harmless

if TYPE_CHECKING:
    from django.http import HttpResponse

MEASURES = [column.field for column in COLUMNS]


def write(file: HttpResponse, rows: Iterable[Row], columns: Sequence[str]) -> None:
    """A byte-order mark first: without it a spreadsheet reads UTF-8 as something else."""
    file.write("\ufeff")
    table = csv.writer(file)
    table.writerow(_headings(columns))
    for row in rows:
        table.writerow([harmless(cell) for cell in _cells(row, columns)])


def _headings(columns: Sequence[str]) -> Iterator[str]:
    yield from (_("Name"), _("Identifier"), _("Care team"))
    for name in columns:
        yield str(SHOWABLE[name])
        if name in MEASURES:
            yield _("%(measure)s: change") % {"measure": SHOWABLE[name]}
            yield _("%(measure)s: label") % {"measure": SHOWABLE[name]}


def _cells(row: Row, columns: Sequence[str]) -> Iterator[object]:
    yield from (row.patient.name, row.patient.identifier, row.patient.care_team.name)
    cells = {cell.column.field: cell for cell in row.cells}
    for name in columns:
        if name in MEASURES:
            cell = cells[name]
            decimals = cell.column.decimals
            words = str(SHARE) if cell.is_share else label(cell.label, cell.change)
            yield from (_rounded(cell.value, decimals), _rounded(cell.change, decimals), words)
        elif name == "alerts":
            yield "; ".join(f"{alert_title(alert.rule)} ({severity(alert.severity)})" for alert in row.alerts)
        elif name == "last":
            yield row.patient.summary.last_entry_day
        elif name == "programme":
            week = _("week %(week)s") % {"week": row.programme.week} if row.programme else ""
            yield f"{row.programme.title}, {week}" if row.programme else ""
        elif name == "due":
            yield f"{row.due.what} {timezone.localtime(row.due.opens_at):%Y-%m-%d %H:%M}" if row.due else ""


def _rounded(value: float | None, decimals: int) -> float | None:
    """As the panel says it: more digits would claim more than was measured."""
    if value is None:
        return None
    return round(value, decimals) + 0.0 if decimals else round(value)
