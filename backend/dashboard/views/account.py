"""A reader's own affairs: their language, and ending all their sessions."""

from __future__ import annotations

from typing import cast

from allauth.usersessions.models import UserSession
from django.contrib import messages
from django.contrib.auth import logout
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import translation
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from backend.dashboard.entry import memberships_of
from backend.dashboard.language import languages
from backend.people.models import User


@require_POST
@never_cache
@login_required
def sign_out_everywhere(request: HttpRequest) -> HttpResponse:
    """End all sessions of the reader, this one last: browsers and tokens alike."""
    for session in UserSession.objects.filter(user=request.user.pk):
        session.end()
    logout(request)
    messages.success(request, _("You are signed out everywhere."))
    return redirect("account_login")


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@login_required
def language(request: HttpRequest) -> HttpResponse:
    """Choose the language of the pages. Patients and operators have no pages here."""
    user = cast(User, request.user)
    memberships_of(user)
    if request.method == "POST":
        chosen = request.POST.get("language", "")
        if chosen in languages():
            user.language = chosen
            user.save(update_fields=["language"])
            with translation.override(chosen):
                messages.success(request, _("These pages speak %(language)s now.") % {"language": languages()[chosen]})
        else:
            messages.error(request, _("That language isn't there."))
        return redirect("dashboard:language")
    return render(request, "dashboard/language.html", {"languages": languages()})
