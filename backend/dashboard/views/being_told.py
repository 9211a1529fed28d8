"""How a colleague is told that an alert waits: by which channels, in which browsers."""

from __future__ import annotations

from pathlib import Path
from typing import cast

import msgspec
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import FileResponse, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from backend.dashboard.entry import memberships_of
from backend.people.models import User
from backend.reminders import being_told
from backend.reminders.channels import webpush
from backend.reminders.colleague_models import Browser
from backend.rest.problems import Problem

WORKER = Path(__file__).parents[1] / "static/dashboard/calls-worker.js"
CHANNELS = {
    "auto": gettext_lazy("By browser, else by e-mail"),
    "email": gettext_lazy("By e-mail"),
    "both": gettext_lazy("By both"),
}


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@login_required
def calls(request: HttpRequest) -> HttpResponse:
    """The page; its forms say by `do` which they are. Patients and operators have no pages here."""
    user = cast(User, request.user)
    memberships_of(user)
    if request.method == "POST":
        try:
            _take(request, user)
            messages.success(request, _("Kept."))
        except Problem as problem:
            messages.error(request, str(problem.detail))
        return redirect("dashboard:calls")
    return render(request, "dashboard/calls.html", {"told": being_told.read(user), "channels": CHANNELS})


def _take(request: HttpRequest, user: User) -> None:
    do, sent = request.POST.get("do", ""), request.POST
    if do == "channel" and sent.get("channel") in CHANNELS:
        being_told.change(user, msgspec.convert({"channel": sent["channel"]}, being_told.ChangeCallSettings))
    elif do == "confirm":
        being_told.change(user, being_told.ChangeCallSettings(email_confirmed=True))
    elif do == "subscribe":
        try:
            subscription = msgspec.json.decode(sent.get("subscription", ""), type=webpush.Subscription)
        except msgspec.DecodeError as error:
            raise Problem(400, "invalid", _("The browser gave no subscription.")) from error
        being_told.subscribe(user, being_told.NewBrowser(subscription, sent.get("name", "")[:100]), timezone.now())
    elif do == "remove" and sent.get("browser", "").isdecimal():
        Browser.objects.filter(user=user, pk=int(sent["browser"][:18])).delete()
    else:
        raise Problem(400, "unknown", _("There is no such choice."))


@require_safe
def worker(request: HttpRequest) -> HttpResponseBase:
    """The service worker that shows a push. From here, not from the static files: its address must never change."""
    answer = FileResponse(WORKER.open("rb"), content_type="text/javascript")
    answer["Cache-Control"] = "no-cache"
    return answer
