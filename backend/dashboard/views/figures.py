from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from backend.dashboard.clinic_pages import show
from backend.dashboard.entry import Desk, at_clinic
from backend.dashboard.figures import figures


@require_safe
@at_clinic
def doing(request: HttpRequest, desk: Desk) -> HttpResponse:
    """How the clinic is doing: of all its patients, for all its colleagues, since nobody can be told from it."""
    context = {"figures": figures(desk.clinic, desk.today), "sessions": _("Exercise sessions")}
    return show(request, desk, "doing", "figures.html", context)
