from __future__ import annotations

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from backend.dashboard.clinic_pages import show
from backend.dashboard.entry import Desk, admin_of, at_clinic
from backend.dashboard.plans import FollowUpForm, plans_of, programmes, screens
from backend.reminders.following_up import choices, choose
from backend.reminders.scheduling import ScheduleError


@require_safe
@at_clinic
def plans(request: HttpRequest, desk: Desk) -> HttpResponse:
    """What patients are asked by plan, what follows a positive screen, and the programmes to start from."""
    return _page(request, desk)


def _page(request: HttpRequest, desk: Desk, refused: FollowUpForm | None = None) -> HttpResponse:
    context = {
        "plans": plans_of(desk.clinic),
        "screens": screens(desk.clinic, refused),
        "programmes": list(programmes()),
    }
    return show(request, desk, "plans", "plans.html", context)


@require_POST
@at_clinic
def follow_up(request: HttpRequest, desk: Desk, code: str) -> HttpResponse:
    """What is asked after this screen, if it is positive."""
    admin_of(desk)
    choice = next((each for each in choices(desk.clinic) if each.screen == code), None)
    if choice is None:
        raise Http404
    form = FollowUpForm(choice, request.POST)
    if form.is_valid():
        try:
            choose(desk.clinic, code, form.cleaned_data["code"], by=desk.user, now=timezone.now())
        except ScheduleError as error:
            form.add_error("code", str(error))
        else:
            messages.success(request, _("Kept."))
            return redirect("dashboard:plans", desk.clinic.pk)
    return _page(request, desk, form)
