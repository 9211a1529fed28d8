"""What raises an alert here: read by all of the staff, moved within bounds by its admins."""

from __future__ import annotations

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from backend.dashboard.clinic_pages import show
from backend.dashboard.entry import Desk, admin_of, at_clinic
from backend.dashboard.thresholds import form_of, shown
from outcomes.alert_rules import BY_CODE
from outcomes.clinic_rules import set_thresholds


@require_safe
@at_clinic
def thresholds(request: HttpRequest, desk: Desk) -> HttpResponse:
    return show(request, desk, "clinic_thresholds", "thresholds.html", {"rules": shown(desk.clinic)})


@require_POST
@at_clinic
def change(request: HttpRequest, desk: Desk, rule_code: str) -> HttpResponse:
    admin_of(desk)
    if (rule := BY_CODE.get(rule_code)) is None or (form := form_of(rule, request.POST)) is None:
        raise Http404
    if not form.is_valid():
        context = {"rules": shown(desk.clinic, form)}
        return show(request, desk, "clinic_thresholds", "thresholds.html", context)
    set_thresholds(desk.clinic, rule, form.own(), by=desk.user, now=timezone.now())
    messages.success(request, _("Kept. Alerts that stand keep the clock that they were raised with."))
    return redirect(reverse("dashboard:clinic_thresholds", args=[desk.clinic.pk]) + f"#{rule_code}")
