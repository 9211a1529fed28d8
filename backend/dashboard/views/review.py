"""What was imported or simulated and is old: read, and decided by a person."""

from __future__ import annotations

from collections import Counter

from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST, require_safe

from backend.dashboard import worklist
from backend.dashboard.clinic_pages import show
from backend.dashboard.entry import Desk, at_clinic
from backend.dashboard.unsent import hand_back
from backend.people import audit
from outcomes.alert_handling import Step, StepRefusedError, take
from outcomes.models import Alert
from outcomes.reviewing import open_alert

PAGE = 50


@require_safe
@at_clinic
def review(request: HttpRequest, desk: Desk) -> HttpResponse:
    """The gravest first, of these the latest answer first."""
    waiting = worklist.visible(desk.user, desk.clinic).filter(state=Alert.State.REVIEW)
    found = list(waiting.select_related("patient").order_by("-severity", "-authored_at", "pk")[: PAGE + 1])
    audit.record("read review list", {alert.patient_id for alert in found[:PAGE]}, desk.user.pk)
    context = {"alerts": found[:PAGE], "more": len(found) > PAGE, "now": timezone.now()}
    return show(request, desk, "review", "review.html", context)


@require_POST
@at_clinic
def decide(request: HttpRequest, desk: Desk) -> HttpResponse:
    """Close those that were ticked with a word, or make them alerts; each by itself: one doesn't hold up others."""
    opening = request.POST.get("do") == "open"
    note = request.POST.get("note", "")[:2000]
    numbers = {int(number) for number in request.POST.getlist("alert") if number.isdecimal() and len(number) < 19}
    if not numbers:
        messages.error(request, _("Tick at least one."))
        hand_back(request, note)
        return redirect("dashboard:review", desk.clinic.pk)
    if not note.strip():
        messages.error(request, _("Say in a word what you found."))
        return redirect("dashboard:review", desk.clinic.pk)
    done: Counter[str] = Counter()
    for number in sorted(numbers):
        done[_decide(desk, number, note, opening=opening)] += 1
    if count := done.pop("", 0):
        said = (
            ngettext("%(n)d is an alert now.", "%(n)d are alerts now.", count)
            if opening
            else ngettext("%(n)d is reviewed.", "%(n)d are reviewed.", count)
        )
        messages.success(request, said % {"n": count})
    if done:
        hand_back(request, note)
    for code in sorted(done):
        messages.error(request, REFUSALS[code])
    return redirect("dashboard:review", desk.clinic.pk)


def _decide(desk: Desk, number: int, note: str, *, opening: bool) -> str:
    """Decide one; why it couldn't be, or nothing."""
    alerts, now = worklist.visible(desk.user, desk.clinic).filter(state=Alert.State.REVIEW), timezone.now()
    try:
        with transaction.atomic():
            if opening:
                alert = open_alert(alerts, number, by=desk.user, at=now, note=note)
            else:
                alert = take(alerts, number, Step.RESOLVED, by=desk.user, at=now, note=note)
            audit.record("open reviewed" if opening else "review answer", [alert.patient_id], desk.user.pk)
    except Alert.DoesNotExist:
        return "gone"
    except StepRefusedError as refused:
        return refused.code
    return ""


REFUSALS = {
    "gone": _("One is no longer on the list: a colleague may have decided it just now."),
    "already-open": _("One has an open alert of the same kind already: add to that one, then mark this as reviewed."),
}
