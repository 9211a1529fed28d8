"""The exercise catalogue of a clinic: looked through, its own exercises written, pictures and clips hung on any."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import msgspec
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from backend.dashboard.catalogue import MOST, LookForm, MediaForm, change_words, facts, lines
from backend.dashboard.clinic_pages import show
from backend.dashboard.doses import dose_words
from backend.dashboard.entry import Desk, at_clinic
from backend.dashboard.own_entries import OwnEntry
from exercises import keeping
from exercises.api import codes_in, shown
from exercises.entry import LANGUAGE, Exercise
from exercises.finding import catalogue
from exercises.media import UnfitError
from exercises.models import Exercise as Row
from exercises.uploads import MOST as MOST_MEDIA
from exercises.uploads import TooManyError, hanging, hung, take_down, take_in


@require_safe
@at_clinic
def exercises(request: HttpRequest, desk: Desk) -> HttpResponse:
    """What can be prescribed here: all of it, or what is looked for."""
    language = _language()
    form = LookForm(request.GET, codes_in(language))
    found = lines(form.found(catalogue([desk.clinic.pk]), language), language)
    retired = Row.objects.filter(clinic=desk.clinic, retired=True).order_by("slug")
    context = {"form": form, "lines": found, "cut": len(found) == MOST, "retired": retired, "looking": request.GET}
    return show(request, desk, "exercises", "exercises.html", context)


@require_safe
@at_clinic
def exercise(request: HttpRequest, desk: Desk, slug: str) -> HttpResponse:
    """One exercise: as the patient sees it, what a clinician wants to know of it, what the clinic hangs on it."""
    return _page(request, desk, _row(desk, slug), MediaForm())


@require_POST
@at_clinic
def hang(request: HttpRequest, desk: Desk, slug: str) -> HttpResponse:
    """One more picture or clip."""
    row = _row(desk, slug)
    form = MediaForm(request.POST, request.FILES)
    if form.is_valid():
        try:
            take_in(desk.clinic.pk, slug, by=desk.user, now=timezone.now(), **form.cleaned_data)
        except (UnfitError, TooManyError) as error:
            form.add_error("file", str(error))
        else:
            messages.success(request, _("It is there: phones fetch it with the exercise."))
            return redirect("dashboard:exercise", desk.clinic.pk, slug)
    return _page(request, desk, row, form)


@require_POST
@at_clinic
def withdraw(request: HttpRequest, desk: Desk, slug: str, media_id: UUID) -> HttpResponse:
    """Take a picture or a clip down. Withdrawn twice is withdrawn."""
    if row := hanging(desk.clinic.pk, slug).filter(pk=media_id).first():
        take_down(row, by=desk.user, now=timezone.now())
        messages.success(request, _("It is withdrawn: nobody is shown it any more."))
    return redirect("dashboard:exercise", desk.clinic.pk, _row(desk, slug).slug)


@require_http_methods(["GET", "HEAD", "POST"])
@at_clinic
def add(request: HttpRequest, desk: Desk) -> HttpResponse:
    """A new exercise of the clinic's own, from nothing or, with `like`, from another."""
    slug = request.GET.get("like", "")
    start = msgspec.convert(_row(desk, slug).content, Exercise) if slug else None
    form = _form(request, desk, start)
    if entry := _sent(request, form):
        try:
            keeping.add(entry, desk.clinic.pk)
        except keeping.UnsoundError as error:
            form.refused(error.flaws)
        except keeping.ExistsError:
            form.head.add_error("slug", _("The clinic has an exercise of this name already, perhaps a retired one."))
        else:
            messages.success(request, _("It stands in the catalogue."))
            return redirect("dashboard:exercise", desk.clinic.pk, entry.slug)
    return show(request, desk, "exercises", "exercise_edit.html", {"form": form, "like": start})


@require_http_methods(["GET", "HEAD", "POST"])
@at_clinic
def edit(request: HttpRequest, desk: Desk, own: str) -> HttpResponse:
    """Another content for one of the clinic's own; a retired one is there again by it."""
    row = get_object_or_404(Row, clinic=desk.clinic, slug=own)
    form = _form(request, desk, msgspec.convert(row.content, Exercise), own)
    if entry := _sent(request, form):
        try:
            keeping.rewrite(row, entry, desk.clinic.pk)
        except keeping.UnsoundError as error:
            form.refused(error.flaws)
        else:
            messages.success(request, _("It is changed. What is prescribed already stays as it was."))
            return redirect("dashboard:exercise", desk.clinic.pk, own)
    return show(request, desk, "exercises", "exercise_edit.html", {"form": form, "row": row})


@require_POST
@at_clinic
def retire(request: HttpRequest, desk: Desk, own: str) -> HttpResponse:
    row = get_object_or_404(Row, clinic=desk.clinic, slug=own)
    try:
        keeping.retire(row, desk.clinic.pk)
    except keeping.UnsoundError as error:
        for _field, _code, why in error.flaws:
            messages.error(request, why)
        return redirect("dashboard:exercise", desk.clinic.pk, own)
    messages.success(request, _("It is prescribed no more. Programmes that have it keep it."))
    return redirect("dashboard:exercises", desk.clinic.pk)


def _language() -> str:
    return get_language() or LANGUAGE


def _row(desk: Desk, slug: str) -> Row:
    return get_object_or_404(catalogue([desk.clinic.pk]), slug=slug)


def _form(request: HttpRequest, desk: Desk, entry: Exercise | None, old: str = "") -> OwnEntry:
    return OwnEntry(
        request.POST if request.method == "POST" else None,
        language=_language(),
        spoken=desk.clinic.languages,
        known=keeping.known_in(desk.clinic.pk),
        entry=entry,
        old=old,
    )


def _sent(request: HttpRequest, form: OwnEntry) -> Exercise | None:
    """The entry that was sent to be kept; None for one that isn't finished."""
    if request.method != "POST":
        return None
    if request.POST.get("do") != "keep":
        form.hush()
        return None
    return form.made()


def _page(request: HttpRequest, desk: Desk, row: Row, form: MediaForm) -> HttpResponse:
    spoken = sorted(row.content["words"])
    language = request.GET.get("language") or _language()
    if language not in spoken:
        language = LANGUAGE
    media = hung([desk.clinic.pk], [row.slug]).get(row.slug, ())
    entry = shown(row, language, media)
    known = keeping.known_in(desk.clinic.pk)
    steps = [
        (title, known.get(change.to or ""), change_words(change, codes_in(language)))
        for title, change in ((_("Easier"), entry.regression), (_("Harder"), entry.progression))
    ]
    context: dict[str, Any] = {
        "row": row,
        "entry": entry,
        "dose": dose_words(entry.dose),
        "facts": facts(entry, _language()),
        "steps": [(title, to and (to.slug, to.words_in(language).name), words) for title, to, words in steps],
        "spoken": spoken,
        "media": hanging(desk.clinic.pk, row.slug).select_related("uploaded_by"),
        "form": form,
        "most": MOST_MEDIA,
    }
    return show(request, desk, "exercises", "exercise.html", context)
