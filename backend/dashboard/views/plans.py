from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from backend.dashboard.clinic_pages import show
from backend.dashboard.entry import Desk, at_clinic
from backend.dashboard.plans import plans_of, programmes


@require_safe
@at_clinic
def plans(request: HttpRequest, desk: Desk) -> HttpResponse:
    """What patients are asked by plan, and the programmes to start from."""
    context = {"plans": plans_of(desk.clinic), "programmes": list(programmes())}
    return show(request, desk, "plans", "plans.html", context)
