from __future__ import annotations

from datetime import date, timedelta
from uuid import UUID

from django.db.models import Min
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import get_language
from django.views.decorators.http import require_safe

from backend.dashboard import charts, worklist
from backend.dashboard.answers import entries
from backend.dashboard.entry import Desk, at_patient
from backend.dashboard.news import READ, last_look, news
from backend.dashboard.patient import lines, standing
from backend.dashboard.trail import traces
from backend.dashboard.visit import pdf
from backend.people import audit
from backend.people.models import Audit, Patient
from outcomes.models import Score

SPANS = {"4w": 28, "12w": 84, "6m": 183, "1y": 366}
DEFAULT_SPAN = "12w"

RECORD_ROWS = 200


@require_safe
@at_patient
def overview(request: HttpRequest, desk: Desk, patient: Patient) -> HttpResponse:
    now = timezone.now()
    found = lines(patient)
    first = desk.today - timedelta(days=SPANS[DEFAULT_SPAN] - 1)
    values = charts.series(patient, first, desk.today)
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
        "charts": [
            (chart, [(title, charts.weeks(values[code], first)) for code, title in chart.lines if code in values])
            for chart in charts.CHARTS
        ],
        "has_charts": charts.charts_with(values),
        "spans": SPANS,
        "default_span": DEFAULT_SPAN,
        "now": now,
    }
    return render(request, "dashboard/patient.html", context)


@require_safe
@at_patient
def series(request: HttpRequest, desk: Desk, patient: Patient) -> HttpResponse:
    """The time lines of the span asked for, as JSON for the charts; of all there is, unless one of SPANS is named."""
    days = SPANS.get(request.GET.get("span", ""))
    first = desk.today - timedelta(days=days - 1) if days else _first_day(patient) or desk.today - timedelta(days=83)
    audit.record("read series", [patient.pk], desk.user.pk)
    return JsonResponse(charts.drawn(patient, first, desk.today))


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
