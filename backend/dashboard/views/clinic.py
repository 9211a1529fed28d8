from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from backend.dashboard.clinic_pages import show
from backend.dashboard.clinic_settings import SettingsForm
from backend.dashboard.entry import Desk, admin_of, at_clinic
from backend.people.models import ClinicChange

SHOWN = 200


@require_safe
@at_clinic
def hub(request: HttpRequest, desk: Desk) -> HttpResponse:
    return show(request, desk, "clinic", "hub.html", {})


@require_http_methods(["GET", "HEAD", "POST"])
@at_clinic
def settings(request: HttpRequest, desk: Desk) -> HttpResponse:
    form = SettingsForm(desk.clinic, request.POST or None)
    if request.method == "POST":
        admin_of(desk)
        if form.is_valid():
            form.keep(desk.user.pk)
            messages.success(request, _("Kept."))
            return redirect("dashboard:clinic_settings", desk.clinic.pk)
    return show(request, desk, "clinic_settings", "settings.html", {"form": form})


@require_safe
@at_clinic
def clinic_changes(request: HttpRequest, desk: Desk) -> HttpResponse:
    """Who changed the staff, the rota, the hours and the settings, and when."""
    admin_of(desk)
    rows = ClinicChange.objects.filter(clinic=desk.clinic).select_related("user").order_by("-pk")[:SHOWN]
    return show(request, desk, "clinic_changes", "changes.html", {"rows": rows})
