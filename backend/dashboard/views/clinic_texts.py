"""Consent and safety-card texts: read by all of the staff, published by its admins. What was published stays."""

from __future__ import annotations

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from backend.dashboard.clinic_pages import show
from backend.dashboard.entry import Desk, admin_of, at_clinic
from backend.dashboard.texts import KINDS, TextForm, offered, table
from backend.people.models import ClinicText
from backend.people.texts import publish


@require_safe
@at_clinic
def texts(request: HttpRequest, desk: Desk) -> HttpResponse:
    context = {"rows": table(desk.clinic), "languages": offered(desk.clinic)}
    return show(request, desk, "clinic_texts", "texts.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@at_clinic
def text(request: HttpRequest, desk: Desk, kind: str, language: str) -> HttpResponse:
    """One kind in one language: its next version with a preview, and all that came before."""
    if kind not in KINDS or language not in desk.clinic.languages:
        raise Http404
    versions = list(ClinicText.objects.filter(clinic=desk.clinic, kind=kind, language=language).order_by("-version"))
    current = versions[0].body if versions else ""
    form = TextForm(request.POST or None, initial={"body": current})
    preview = current
    if request.method == "POST":
        admin_of(desk)
        preview = form.cleaned_data["body"] if form.is_valid() else ""
        if preview and request.POST.get("do") == "publish":
            if preview == current:
                form.add_error("body", _("This is the current version already."))
            else:
                version = publish(desk.clinic, kind, language, preview).version
                messages.success(request, _("Version %(version)s is published.") % {"version": version})
                return redirect("dashboard:clinic_text", desk.clinic.pk, kind, language)
    title, when = KINDS[kind]
    context = {
        "title": title,
        "when": when,
        "kind": kind,
        "language": dict(offered(desk.clinic))[language],
        "code": language,
        "form": form,
        "preview": preview,
        "versions": versions,
    }
    return show(request, desk, "clinic_texts", "text.html", context)
