from __future__ import annotations

from typing import cast

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from backend.dashboard import panel
from backend.dashboard.entry import Desk, at_clinic, memberships_of
from backend.dashboard.idle import by_itself
from backend.dashboard.measures import COLUMNS
from backend.people import audit
from backend.people.models import CareTeam, Patient, User


@require_safe
@never_cache
@login_required
def home(request: HttpRequest) -> HttpResponse:
    """To the panel of the first clinic; those who work in several switch from there."""
    return redirect("dashboard:panel", memberships_of(cast(User, request.user))[0].clinic_id)


@require_http_methods(["GET", "HEAD", "POST"])
@at_clinic
def patients(request: HttpRequest, desk: Desk) -> HttpResponse:
    """The panel. A search comes as POST, so that a name never stands in an address or in a server's log."""
    now = timezone.now()
    words = request.POST.get("q", "").strip()[:100]
    filters = panel.Filters.read(request.GET)
    after = request.GET.get("after", "")
    if words:
        page = panel.search(desk.user, desk.clinic, words, desk.today)
    else:
        start = int(after) if after.isascii() and after.isdigit() and len(after) < 19 else None
        page = panel.page(desk.user, desk.clinic, filters, desk.today, after=start)
    # What refreshes itself every minute shows the same people to the same eyes: that is noted once.
    if not by_itself(request):
        audit.record("read panel", [row.patient.pk for row in page.rows], desk.user.pk)
    context = {
        "desk": desk,
        "section": "patients",
        "filters": filters,
        "flags": [(name, title, getattr(filters, name)) for name, title in panel.FLAGS.items()],
        "page": page,
        "words": words,
        "rule": panel.RULE,
        "columns": COLUMNS,
        "now": now,
        "first_page": not after,
        "teams": CareTeam.objects.filter(clinic=desk.clinic).order_by("name"),
        "statuses": Patient.Status.choices,
    }
    return render(request, "dashboard/panel.html", context)
