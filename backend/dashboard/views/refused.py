from __future__ import annotations

from datetime import datetime
from uuid import UUID

from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from backend.dashboard.clinic_pages import show
from backend.dashboard.entry import Desk, at_clinic
from backend.dashboard.refused import close, of_clinic, readable, try_again
from backend.dashboard.unsent import hand_back
from backend.people import audit
from backend.sync.models import Quarantine

PAGE = 50


@require_safe
@at_clinic
def quarantine(request: HttpRequest, desk: Desk) -> HttpResponse:
    closed = request.GET.get("list") == "closed"
    items = list(of_clinic(desk.user, desk.clinic, closed=closed)[:PAGE])
    audit.record("read quarantine", {item.patient_id for item in items}, desk.user.pk)
    context = {
        "closed": closed,
        "items": [readable(item) for item in items],
        "full": len(items) == PAGE,
    }
    return show(request, desk, "quarantine", "quarantine.html", context)


@require_POST
@at_clinic
def handle(request: HttpRequest, desk: Desk, patient_id: int, item_id: UUID) -> HttpResponse:
    items = of_clinic(desk.user, desk.clinic, closed=False)
    get_object_or_404(items, patient=patient_id, id=item_id)
    words = request.POST.get("words", "").strip()[:500]
    try:
        if request.POST.get("do") == "again":
            _again(request, items, desk, patient_id, item_id, words, None)
        elif request.POST.get("do") == "time":
            if (at := _time(request)) and words:
                _again(request, items, desk, patient_id, item_id, words, at)
            else:
                messages.error(request, _("Say when it was, and in a word how you know."))
                hand_back(request, words)
        elif words:
            close(items, patient_id, item_id, desk.user, timezone.now(), words)
            messages.success(request, _("Closed."))
        else:
            messages.error(request, _("Say in a word what was done about it."))
    except Quarantine.DoesNotExist:  # a colleague closed it just now
        messages.error(request, _("A colleague has closed it meanwhile."))
        hand_back(request, words)
    return redirect("dashboard:quarantine", desk.clinic.pk)


def _time(request: HttpRequest) -> datetime | None:
    try:
        return datetime.fromisoformat(request.POST.get("at", "")).replace(tzinfo=None)
    except ValueError:
        return None


def _again(
    request: HttpRequest,
    items: QuerySet[Quarantine],
    desk: Desk,
    patient_id: int,
    item_id: UUID,
    words: str,
    at: datetime | None,
) -> None:
    verdict = try_again(items, patient_id, item_id, desk.user, timezone.now(), words, at)
    if verdict in ("stored", "duplicate"):
        messages.success(request, _("It is stored now."))
    else:
        messages.error(request, _("It was refused again."))
        hand_back(request, words)
