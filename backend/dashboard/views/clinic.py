from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from backend.dashboard.clinic_pages import show
from backend.dashboard.entry import Desk, at_clinic


@require_safe
@at_clinic
def hub(request: HttpRequest, desk: Desk) -> HttpResponse:
    return show(request, desk, "clinic", "hub.html", {})
