"""The cells of the panel as HTML. There are hundreds on a page, and templates for them would take most of its time."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache, partial
from typing import TYPE_CHECKING

from django.urls import reverse
from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _

from backend.dashboard.filters import SHOWABLE
from backend.dashboard.panel import SILENT_AFTER_DAYS
from backend.dashboard.sparklines import drawn
from backend.dashboard.templatetags.dashboard import (
    age,
    alert_title,
    clock,
    label,
    mark,
    number,
    severity,
    signed,
    since,
    state,
    when,
)
from backend.dashboard.wording import LABELS, NO_THRESHOLD, SHARE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from backend.dashboard.rows import Cell, Row
    from outcomes.models import Alert

SHOWN_ALERTS = 2
NOTHING = '<span class="none">–</span>'
IN_HAND_BELOW = 10  # as `worklist.urgency` counts


@dataclass(frozen=True)
class Line:
    """A row of the table: what stands in its head, and its other cells."""

    patient: int
    who: SafeString
    cells: SafeString


class Writer:
    """Writes the rows of one page. What is the same in many of them is translated once."""

    def __init__(self, columns: Sequence[str], now: datetime, today: date, *, teams: bool) -> None:
        """`teams` says whether to name the care team: there are several."""
        self.now, self.today, self.teams = now, today, teams
        self.titles = {name: escape(str(SHOWABLE[name])) for name in columns}  # str: escaping keeps what is lazy so
        self.changes = {code: _change(code, label(code)) for code in LABELS}
        self.unjudged = _change("unknown", str(NO_THRESHOLD))
        self.share = _change("unknown", str(SHARE))
        self.link = reverse("dashboard:patient", args=[0])
        self.week, self.late = escape(_("week %(week)s")), escape(_("late"))
        # The same to many of them.
        self.since, self.grade, self.rule = cache(escaped(since)), cache(escaped(severity)), cache(escaped(alert_title))
        self.when = cache(escaped(partial(when, now=now)))

    def line(self, row: Row) -> Line:
        link = self.link.replace("0", str(row.patient.pk))
        return Line(row.patient.pk, self._who(row, link), mark_safe("".join(self._cells(row, link))))  # noqa: S308

    def _who(self, row: Row, link: str) -> SafeString:
        patient = row.patient
        facts: list[str] = [escape(patient.identifier)] if patient.name else []
        if patient.date_of_birth:
            facts.append(str(age(patient.date_of_birth, self.today)))
        team = f'<span class="team"> · {escape(patient.care_team.name)}</span>' if self.teams else ""
        name = escape(patient.name or patient.identifier)
        return mark_safe(f'<a href="{link}">{name}</a><small>{" · ".join(facts)}{team}</small>')  # noqa: S308

    def _cells(self, row: Row, link: str) -> Iterator[str]:
        measures = {cell.column.field: cell for cell in row.cells}
        for name, title in self.titles.items():
            if name in measures:
                yield self._measure(measures[name], title)
            elif name == "alerts":
                yield f'<td class="alerts" data-title="{title}">{self._alerts(row.alerts, link)}</td>'
            elif name == "last":
                days = row.silent_days
                silent = " silent" if days is None or days >= SILENT_AFTER_DAYS else ""
                yield f'<td class="last{silent}" data-title="{title}">{self.since(days)}</td>'
            else:
                said = self._programme(row) if name == "programme" else self._due(row)
                yield f'<td class="{name}" data-title="{title}">{said}</td>'

    def _measure(self, cell: Cell, title: str) -> str:
        decimals = cell.column.decimals
        known = cell.change is not None
        change = f"{signed(cell.change, decimals)} " if known else ""
        if cell.is_share:
            words = self.share
        else:
            words = self.unjudged if known and cell.label == "unknown" else self.changes[cell.label]
        return (
            f'<td class="measure {cell.label}" data-title="{title}">'
            f'<span class="value">{number(cell.value, decimals)}</span> {drawn(cell.line)}'
            f' <span class="change">{words % change}</span></td>'
        )

    def _alerts(self, alerts: list[Alert], link: str) -> str:
        if not alerts:
            return NOTHING
        said: list[str] = [self._alert(alert, link) for alert in alerts[:SHOWN_ALERTS]]
        if more := len(alerts) - len(said):
            said.append(f"<small>{escape(_('and %(n)s more') % {'n': more})}</small>")
        return "".join(said)

    def _alert(self, alert: Alert, link: str) -> str:
        in_hand = alert.urgency < IN_HAND_BELOW  # type: ignore[attr-defined]  # annotated by `rows`
        said = escape(state(alert.state)) if in_hand else clock(alert.due_at, self.now)
        late = self.late if alert.late else ""
        return (
            f'<a class="alert severity-{alert.severity}{" in-hand" if in_hand else ""}" href="{link}#alerts">'
            f'<span class="grade">{self.grade(alert.severity)}</span> {self.rule(alert.rule)}'
            f"<small>{' · '.join(filter(None, (said, late)))}</small></a>"
        )

    def _programme(self, row: Row) -> str:
        if row.programme is None:
            return NOTHING
        week = self.week % {"week": row.programme.week}
        title = escape(row.programme.title)
        return f'{week}<small title="{title}">{escape(row.programme.phase) or title}</small>'

    def _due(self, row: Row) -> str:
        return f"{self.when(row.due)}<small>{escape(row.due.what)}</small>" if row.due else NOTHING


def _change(code: str, words: str) -> str:
    """A mark and words, with room for the number between them."""
    return f'<span class="mark" aria-hidden="true">{mark(code)}</span> %s{escape(words).replace("%", "%%")}'


def escaped[**P](say: Callable[P, str]) -> Callable[P, str]:
    return lambda *args, **kwargs: escape(str(say(*args, **kwargs)))
