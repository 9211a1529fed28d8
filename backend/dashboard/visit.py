"""One A4 page for the visit: where somebody stands, and what to ask. Set by Typst, as a tagged PDF (PDF/UA-1)."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import get_language, ngettext
from django.utils.translation import gettext as _

from backend.dashboard import charts, wording
from backend.dashboard.panel import SILENT_AFTER_DAYS
from backend.dashboard.patient import COMPUTED, Line, lines, standing
from backend.dashboard.templatetags.dashboard import age, alert_title, days, number, signed, state
from backend.dashboard.worklist import CLOSED
from exercises.models import Proposal
from exercises.reporting import reports
from outcomes.choices import Choices, choices_of
from outcomes.library import get
from outcomes.loading import measure
from outcomes.models import Alert, Response

if TYPE_CHECKING:
    from backend.dashboard.entry import Desk
    from backend.people.models import Patient

TEMPLATE = Path(__file__).with_name("visit.typ").read_bytes()
SPAN = 84  # days drawn
WEEKS = 4  # of adherence
MOST_CHARTS, MOST_SCORES, MOST_QUESTIONS = 6, 12, 8  # what fits on the page

SAFETY = {"SUI-1", "SUI-2"}
"""Paper lies about and is handed over: on it these alerts are a reminder to talk, without what was answered."""


def pdf(patient: Patient, desk: Desk) -> bytes:
    import typst  # 7 MB that only those processes have which are asked for a page

    inputs = {"data": json.dumps(content(patient, desk), default=str)}
    try:
        return typst.compile(TEMPLATE, sys_inputs=inputs, pdf_standards=["ua-1"], ignore_system_fonts=True)
    except typst.TypstError:  # a name in a script that the fonts within don't have: the standard insists on showing it
        return typst.compile(TEMPLATE, sys_inputs=inputs)


def content(patient: Patient, desk: Desk) -> dict[str, Any]:
    """All that the page says, in the reader's language."""
    found, choices = lines(patient), choices_of([patient.clinic_id])
    name = patient.name or patient.identifier
    return {
        "title": _("For the visit: %(name)s") % {"name": name},
        "language": (get_language() or "en").partition("-")[0],
        "name": name,
        "clinic": desk.clinic.name,
        "facts": " · ".join(_facts(patient, desk)),
        "sentences": " ".join(standing(found, desk.today)),
        "headings": {
            "charts": _("The last 12 weeks"),
            "scores": _("Scores"),
            "adherence": _("Home programme"),
            "questions": _("To ask"),
        },
        "charts": _charts(patient, found, choices, desk.today),
        "columns": [_("Measure"), _("Last"), _("Band"), _("Day"), _("Baseline"), _("Change")],
        "scores": [_score(line, patient, choices) for line in found if line.trend.last_value is not None][:MOST_SCORES],
        "adherence": list(_adherence(patient, desk.today)),
        "questions": list(_questions(patient, found, desk.today))[:MOST_QUESTIONS] or [_("Nothing is open.")],
        "footer": _("Printed %(at)s by %(who)s. Confidential. Decision support: it doesn't replace the conversation.")
        % {"at": date_format(timezone.localtime(), "j F Y, H:i"), "who": desk.user.name or desk.user.email},
    }


def _facts(patient: Patient, desk: Desk) -> Iterator[str]:
    if patient.name:
        yield patient.identifier
    if patient.date_of_birth:
        yield _("born %(day)s (%(age)s years)") % {
            "day": date_format(patient.date_of_birth, "j F Y"),
            "age": age(patient.date_of_birth, desk.today),
        }
    yield patient.care_team.name
    if patient.programme_started_on:
        yield _("programme since %(day)s") % {"day": date_format(patient.programme_started_on, "j F Y")}


def _charts(patient: Patient, found: Sequence[Line], choices: Choices, today: date) -> list[dict[str, Any]]:
    first = today - timedelta(days=SPAN - 1)
    values = charts.series(patient, first, today)
    baselines = {line.measure.code: line.baseline.value for line in found if line.baseline}
    ticks = [{"x": n / (SPAN - 1), "label": date_format(first + timedelta(days=n), "j M")} for n in range(0, SPAN, 14)]
    shown = []
    for chart in charts.charts_with(values)[:MOST_CHARTS]:
        drawn = [(code, str(title)) for code, title in chart.lines if code in values]
        leading, title = drawn[0]
        share = _Share(chart.low, chart.high)
        shown.append(
            {
                "title": str(chart.title),
                "legend": [title for _code, title in drawn] if len(drawn) > 1 else [],
                "from": _("baseline") if leading in baselines else "",
                "alt": f"{chart.title} ({title}): {_told(values[leading])}",
                "low": number(chart.low, 0),
                "high": number(chart.high, 0),
                "baseline": share(baselines[leading]) if leading in baselines else None,
                "bands": [
                    {"from": share(band.from_), "to": share(band.below)}
                    for n, band in enumerate(charts.bands_of(leading, patient, choices))
                    if n % 2 == 1
                ],
                "lines": [list(_runs(values[code], share, chart.joined)) for code, _title in drawn],
                "ticks": ticks,
            }
        )
    return shown


def _told(values: Sequence[float | None]) -> str:
    known = [value for value in values if value is not None]
    return _("from %(first)s to %(last)s, lowest %(low)s, highest %(high)s") % {
        "first": number(known[0]),
        "last": number(known[-1]),
        "low": number(min(known)),
        "high": number(max(known)),
    }


class _Share:
    """How far up a chart a value stands, from 0 to 1."""

    def __init__(self, low: float, high: float) -> None:
        self.low, self.high = low, high

    def __call__(self, value: float) -> float:
        return round((min(max(value, self.low), self.high) - self.low) / (self.high - self.low), 4)


def _runs(values: Sequence[float | None], share: _Share, joined: int) -> Iterator[list[tuple[float, float]]]:
    run: list[tuple[float, float]] = []
    before = 0
    for n, value in enumerate(values):
        if value is None:
            continue
        if run and n - before > joined:
            yield run
            run = []
        run.append((round(n / max(len(values) - 1, 1), 4), share(value)))
        before = n
    if run:
        yield run


def _score(line: Line, patient: Patient, choices: Choices) -> list[str]:
    trend, last = line.trend, line.trend.last_value or 0.0
    bands = charts.bands_of(line.measure.code, patient, choices)
    band = next((band.name for band in bands if band.from_ <= last < band.below), "")
    return [
        line.measure.title,
        number(last),
        str(wording.BANDS.get(band, band)) or "–",
        date_format(trend.last_day, "j M Y") if trend.last_day else "–",
        number(trend.baseline),
        f"{signed(trend.change)} {line.verdict}".strip(),
    ]


def _adherence(patient: Patient, today: date) -> Iterator[str]:
    found = reports(patient.pk, today, newest=1)
    if not found:
        yield _("No home programme.")
        return
    newest = found[0]
    lately = [week for week in newest.weeks if week.monday > today - timedelta(weeks=WEEKS)]
    due, done = sum(week.due for week in lately), sum(week.done for week in lately)
    doses = [(week.dose, week.due) for week in lately if week.dose is not None and week.due]
    if due:
        yield _("Last four weeks: %(done)s of %(due)s sessions done") % {"done": done, "due": due}
        dose = 100 * sum(share * many for share, many in doses) / sum(many for _share, many in doses)
        yield _("%(percent)s %% of the dose that was due") % {"percent": number(dose, 0)}
    else:
        yield _("Nothing was due in the last four weeks.")
    if newest.longest_gap:
        yield _("Longest gap: %(days)s") % {"days": days(newest.longest_gap)}


def _questions(patient: Patient, found: Sequence[Line], today: date) -> Iterator[str]:
    """What is open: alerts, proposals that wait, silence, items that were left out."""
    for alert in Alert.objects.filter(patient=patient).exclude(state__in=CLOSED).order_by("-severity", "opened_at"):
        title = _("Ask about safety: see the alert in the record") if alert.rule in SAFETY else alert_title(alert.rule)
        at = date_format(timezone.localtime(alert.authored_at), "j M")
        yield _("%(title)s (%(day)s, %(state)s)") % {"title": title, "day": at, "state": state(alert.state)}
    entered = [line.trend.last_day for line in found if line.trend.last_day and line.measure.code not in COMPUTED]
    if not entered:
        yield _("No entry so far: what stands in the way?")
    elif (silent := (today - max(entered)).days) >= SILENT_AFTER_DAYS:
        yield _("Silent for %(days)s: what stands in the way?") % {"days": days(silent)}
    if waiting := Proposal.objects.filter(patient=patient, state=Proposal.State.WAITING).count():
        yield ngettext(
            "%(n)s change of the programme waits for a yes or no",
            "%(n)s changes of the programme wait for a yes or no",
            waiting,
        ) % {"n": waiting}
    yield from _left_out(patient, today)
    worse = [line.measure.title for line in found if line.trend.change_label == "worsened"]
    if worse:
        yield _("What has made it worse: %(measures)s?") % {"measures": ", ".join(worse)}


def _left_out(patient: Patient, today: date) -> Iterator[str]:
    """Of each questionnaire's latest answer in the weeks drawn: which items have no answer. Numbers, never wording."""
    answered = Response.objects.filter(patient=patient, live=True, local_day__gt=today - timedelta(days=SPAN))
    latest = answered.exclude(status="totals").order_by("instrument__code", "-authored_at").distinct("instrument__code")
    for response in latest.select_related("instrument"):
        instrument = get(response.instrument.code, response.instrument.version)
        if all(measure(f"{instrument.code}.{score.name}").kind == "daily" for score in instrument.scores):
            continue
        missing = [item.id for item in instrument.items if not item.optional and response.answers.get(item.id) is None]
        if missing:
            yield _("%(title)s of %(day)s: not answered %(items)s") % {
                "title": instrument.title,
                "day": date_format(response.local_day, "j M"),
                "items": ", ".join(missing),
            }
