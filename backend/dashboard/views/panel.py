from __future__ import annotations

from typing import cast

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from backend.dashboard import panel, spreadsheet
from backend.dashboard.cells import Writer
from backend.dashboard.entry import Desk, at_clinic, last_of, memberships_of
from backend.dashboard.filters import FLAGS, SHOWABLE, STATUSES, Filters
from backend.dashboard.idle import record_read
from backend.dashboard.models import SavedView
from backend.dashboard.rows import rows
from backend.people import audit
from backend.people.models import CareTeam, User
from exercises.api import codes_in

MOST_VIEWS = 20
MOST_ROWS = 20_000  # of a table: a whole large clinic


@require_safe
@never_cache
@login_required
def home(request: HttpRequest) -> HttpResponse:
    """To the panel of the clinic where the reader was last; those who work in several switch from there."""
    return redirect("dashboard:panel", last_of(request, memberships_of(cast(User, request.user))).clinic_id)


@require_http_methods(["GET", "HEAD", "POST"])
@at_clinic
def patients(request: HttpRequest, desk: Desk) -> HttpResponse:
    """The panel. A search comes as POST, so that a name never stands in an address or in a server's log."""
    now = timezone.now()
    words, filters = _words(request), Filters.read(request.GET)
    after = request.GET.get("after", "")
    if words:
        page = panel.search(desk.user, desk.clinic, words)
    else:
        start = int(after) if after.isascii() and after.isdigit() and len(after) < 19 else None
        page = panel.page(desk.user, desk.clinic, filters, desk.today, after=start)
    record_read(request, "read panel", [patient.pk for patient in page.patients], desk)
    teams = list(CareTeam.objects.filter(clinic=desk.clinic).order_by("name"))
    writer = Writer(filters.columns, now, desk.today, teams=len(teams) > 1)
    context = {
        "desk": desk,
        "section": "patients",
        "filters": filters,
        "lines": [writer.line(row) for row in rows(page.patients, filters.columns, now, desk.today)],
        "titles": writer.titles,
        "after": page.after,
        "words": words,
        "first_page": not after,
        "teams": teams,
        "flags": [(name, title, getattr(filters, name)) for name, title in FLAGS.items()],
        "statuses": STATUSES,
        "modalities": codes_in(get_language() or "en").modalities,
        "showable": [(name, title, name in filters.columns) for name, title in SHOWABLE.items()],
        "views": SavedView.objects.filter(clinic=desk.clinic, user=desk.user).order_by("name"),
        "rule": panel.RULE,
    }
    return render(request, "dashboard/panel.html", context)


def _words(request: HttpRequest) -> str:
    return request.POST.get("q", "").strip()[:100]


@require_http_methods(["GET", "POST"])
@at_clinic
def table(request: HttpRequest, desk: Desk) -> HttpResponse:
    """The list as CSV: everybody whom the filters or the search show, in the panel's order, in the columns chosen."""
    words, filters = _words(request), Filters.read(request.GET)
    if words:
        page = panel.search(desk.user, desk.clinic, words)
    else:
        page = panel.page(desk.user, desk.clinic, filters, desk.today, size=MOST_ROWS)
    audit.record("export panel", [patient.pk for patient in page.patients], desk.user.pk)
    shown = rows(page.patients, filters.columns, timezone.now(), desk.today, lines=False)
    response = HttpResponse(content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="patients-{desk.today}.csv"'
    spreadsheet.write(response, shown, filters.columns)
    return response


@require_POST
@at_clinic
def save_view(request: HttpRequest, desk: Desk) -> HttpResponse:
    """Keep the filters and columns of an address under a name; a name that is taken is given anew."""
    filters = Filters.read(QueryDict(request.POST.get("query", "")[:2000]))
    name = " ".join(request.POST.get("name", "").split())[:60]
    own = SavedView.objects.filter(clinic=desk.clinic, user=desk.user)
    if not name:
        messages.error(request, _("Give the view a name."))
    elif own.exclude(name=name).count() >= MOST_VIEWS:
        messages.error(request, _("There are %(n)s views already: delete one first.") % {"n": MOST_VIEWS})
    else:
        own.update_or_create(clinic=desk.clinic, user=desk.user, name=name, defaults={"query": filters.query()})
        messages.success(request, _("Saved as “%(name)s”.") % {"name": name})
    return _back(desk, filters.query())


@require_POST
@at_clinic
def delete_view(request: HttpRequest, desk: Desk, view_id: int) -> HttpResponse:
    view = get_object_or_404(SavedView, clinic=desk.clinic, user=desk.user, pk=view_id)
    view.delete()
    messages.success(request, _("“%(name)s” is deleted.") % {"name": view.name})
    return _back(desk, view.query)


def _back(desk: Desk, query: str) -> HttpResponse:
    return redirect(f"{reverse('dashboard:panel', args=[desk.clinic.pk])}?{query}".rstrip("?"))
