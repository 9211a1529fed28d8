from __future__ import annotations

from typing import TYPE_CHECKING

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from backend.dashboard import worklist
from backend.dashboard.entry import Desk, at_clinic
from backend.dashboard.idle import record_read
from backend.dashboard.templatetags.dashboard import state
from backend.dashboard.unsent import hand_back
from backend.people import audit
from outcomes.alert_handling import Step, StepRefusedError, take
from outcomes.models import Alert

if TYPE_CHECKING:
    from collections.abc import Callable

PAGE = 100

LISTS = {"open": worklist.OPEN, "closed": [Alert.State.RESOLVED]}


@require_safe
@at_clinic
def work_list(request: HttpRequest, desk: Desk) -> HttpResponse:
    """Open alerts by urgency, or closed ones, the newest first."""
    which = request.GET.get("list", "open")
    if which not in LISTS:
        which = "open"
    alerts = worklist.visible(desk.user, desk.clinic).filter(state__in=LISTS[which]).select_related("patient")
    after = request.GET.get("after", "")
    start = int(after) if after.isascii() and after.isdigit() and len(after) < 19 else None
    ordered = (worklist.by_urgency if which == "open" else worklist.newest)(alerts, start)
    items = worklist.items(ordered[: PAGE + 1])
    more, items = len(items) > PAGE, items[:PAGE]
    record_read(request, "read alerts", {item.alert.patient_id for item in items}, desk)
    context = {
        "desk": desk,
        "section": "alerts",
        "which": which,
        "items": items,
        "after": items[-1].alert.pk if more else None,
        "first_page": start is None,
        "now": timezone.now(),
        "with_patient": True,
    }
    return render(request, "dashboard/alerts.html", context)


@require_POST
@at_clinic
def step(request: HttpRequest, desk: Desk, alert_id: int) -> HttpResponse:
    """Take one step with an alert, then back to where it was taken."""
    alerts = worklist.visible(desk.user, desk.clinic)
    name = request.POST.get("step", "")
    note = request.POST.get("note", "")[:2000]
    try:
        if name not in {kind.value for kind in Step}:
            raise StepRefusedError("not-possible", "")
        alert = take(alerts, alert_id, Step(name), by=desk.user, at=timezone.now(), note=note)
    except Alert.DoesNotExist:
        raise Http404 from None
    except StepRefusedError as refused:
        messages.error(request, REFUSALS[refused.code](refused.state))
        hand_back(request, note)
        alert = get_object_or_404(alerts, pk=alert_id)
    else:
        audit.record(f"alert {name}", [alert.patient_id], desk.user.pk)
        messages.success(request, _("Noted: %(state)s.") % {"state": state(alert.state)})
    if request.POST.get("from") == "patient":
        return redirect(reverse("dashboard:patient", args=[alert.patient_id]) + "#alerts")
    return redirect("dashboard:alerts", desk.clinic.pk)


REFUSALS: dict[str, Callable[[str], str]] = {
    "not-possible": lambda now: _("That is not possible now: the alert is %(state)s.") % {"state": state(now)},
    "contact-first": lambda now: _("A critical alert is closed only after somebody was reached."),
    "note-missing": lambda now: _("Say in the note to whom or how it ended."),
}
