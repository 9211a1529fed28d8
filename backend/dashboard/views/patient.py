from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING
from uuid import UUID

import msgspec
from django.db.models import Min
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import get_language, gettext_lazy
from django.views.decorators.http import require_safe

from backend.dashboard import charts, worklist
from backend.dashboard.answers import entries
from backend.dashboard.entry import Desk, at_patient
from backend.dashboard.facts import facts
from backend.dashboard.news import READ, last_look, news
from backend.dashboard.patient import Line, lines, standing
from backend.dashboard.trail import traces
from backend.dashboard.visit import pdf
from backend.people import audit
from backend.people.models import Audit, Patient
from outcomes.models import Score

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise

SPANS = {"4w": 28, "12w": 84, "6m": 183, "1y": 366}
DEFAULT_SPAN = "12w"
SPAN_TITLES = {
    "4w": gettext_lazy("4 weeks"),
    "12w": gettext_lazy("12 weeks"),
    "6m": gettext_lazy("6 months"),
    "1y": gettext_lazy("1 year"),
    "all": gettext_lazy("All"),
}


@dataclass(frozen=True)
class Figure:
    """A chart, what it comes to in words, and the tables under it, one a line."""

    chart: charts.Chart
    facts: list[str]
    tables: list[tuple[_StrPromise, list[charts.Stretch]]]


RECORD_ROWS = 200


@require_safe
@at_patient
def overview(request: HttpRequest, desk: Desk, patient: Patient) -> HttpResponse:
    now = timezone.now()
    found = lines(patient)
    span = request.GET.get("span", DEFAULT_SPAN)
    if span not in SPANS:
        span = "all" if span == "all" else DEFAULT_SPAN
    first = _first_of(patient, span, desk.today)
    read = charts.series(patient, first - charts.LEAD, desk.today)
    values = charts.shown(read)
    by_code = {line.measure.code: line for line in found}
    months = (desk.today - first).days > 183
    looked_at = last_look(patient, desk.user, now)
    audit.record(READ, [patient.pk], desk.user.pk)
    context = {
        "desk": desk,
        "section": "patients",
        "page": "overview",
        "patient": patient,
        "sentences": standing(found, desk.today),
        "looked_at": looked_at,
        "news": news(patient, desk.user, looked_at) if looked_at else [],
        "lines": found,
        "alerts": worklist.of_patient(patient),
        "charts": [_figure(chart, read, values, by_code, first, months=months) for chart in charts.CHARTS],
        "months": months,
        "spans": SPAN_TITLES.items(),
        "span": span,
        "now": now,
    }
    return render(request, "dashboard/patient.html", context)


@require_safe
@at_patient
def series(request: HttpRequest, desk: Desk, patient: Patient) -> HttpResponse:
    """The time lines of the span asked for, as JSON for the charts; of all there is, unless one of SPANS is named."""
    first = _first_of(patient, request.GET.get("span", ""), desk.today)
    audit.record("read series", [patient.pk], desk.user.pk)
    drawn = charts.drawn(patient, first, desk.today)
    return HttpResponse(msgspec.json.encode(drawn, enc_hook=str), content_type="application/json")  # str: translations


def _figure(
    chart: charts.Chart,
    read: charts.Series,
    values: charts.Series,
    lines: dict[str, Line],
    first: date,
    *,
    months: bool,
) -> Figure:
    there = [(code, title) for code, title in chart.lines if code in values]
    leading = lines.get(there[0][0]) if there else None
    tables = [(title, charts.stretches(values[code], first, months=months)) for code, title in there]
    return Figure(chart, facts(leading, read[leading.measure.code]) if leading else [], tables)


def _first_of(patient: Patient, span: str, today: date) -> date:
    if days := SPANS.get(span):
        return today - timedelta(days=days - 1)
    return _first_day(patient) or today - timedelta(days=SPANS[DEFAULT_SPAN] - 1)


def _first_day(patient: Patient) -> date | None:
    found: date | None = Score.objects.filter(patient=patient, live=True).aggregate(first=Min("local_day"))["first"]
    return found


@require_safe
@at_patient
def answers(request: HttpRequest, desk: Desk, patient: Patient) -> HttpResponse:
    try:
        after = UUID(request.GET.get("after", ""))
    except ValueError:
        after = None
    shown, following = entries(patient, get_language() or "en", after)
    audit.record("read responses", [patient.pk], desk.user.pk, count=len(shown))
    context = {
        "desk": desk,
        "section": "patients",
        "page": "answers",
        "patient": patient,
        "entries": shown,
        "after": following,
        "first_page": after is None,
    }
    return render(request, "dashboard/answers.html", context)


@require_safe
@at_patient
def record(request: HttpRequest, desk: Desk, patient: Patient) -> HttpResponse:
    """Who read or wrote what of this patient's, and when: the latest rows, newest first."""
    rows = Audit.objects.filter(patient=patient).select_related("user").order_by("-id")
    audit.record("read audit", [patient.pk], desk.user.pk)
    context = {
        "desk": desk,
        "section": "patients",
        "page": "record",
        "patient": patient,
        "traces": traces(rows[:RECORD_ROWS]),
    }
    return render(request, "dashboard/record.html", context)


@require_safe
@at_patient
def visit(request: HttpRequest, desk: Desk, patient: Patient) -> HttpResponse:
    """The page for the visit, as a PDF. Its file name says nobody's name."""
    audit.record("print visit page", [patient.pk], desk.user.pk)
    page = HttpResponse(pdf(patient, desk), content_type="application/pdf")
    page["Content-Disposition"] = f'inline; filename="visit-{desk.today}.pdf"'
    return page
