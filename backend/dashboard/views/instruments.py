"""The instruments of a clinic: read by all its colleagues, changed by its admins."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from backend.dashboard.clinic_pages import show
from backend.dashboard.entry import Desk, admin_of, at_clinic
from backend.dashboard.instruments import ReadingForm, TextForm, lines, preview
from backend.reminders.scheduling import refusals
from outcomes import library, packs
from outcomes.choices import BadChoiceError, Choice, choices_of, choose, chosen
from outcomes.clinic_models import InstrumentChoice, TextPack
from outcomes.instrument import Instrument, score_range

HISTORY = 20


@require_safe
@at_clinic
def instruments(request: HttpRequest, desk: Desk) -> HttpResponse:
    """All of them: what may be shown, in which languages, and why one can't be asked."""
    return show(request, desk, "instruments", "instruments.html", {"lines": lines(desk.clinic)})


@require_safe
@at_clinic
def instrument(request: HttpRequest, desk: Desk, code: str) -> HttpResponse:
    """One of them: its words as a phone shows them, who vouched for them, and how the clinic reads its scores."""
    found = _instrument(code)
    return _page(request, desk, found, TextForm(), ReadingForm(found, _choice(desk, found)))


@require_POST
@at_clinic
def load_text(request: HttpRequest, desk: Desk, code: str) -> HttpResponse:
    found = _instrument(code)
    admin_of(desk)
    form = TextForm(request.POST, request.FILES)
    if form.is_valid():
        try:
            text = packs.read_pack(form.cleaned_data["file"], desk.clinic, code)
            packs.load_pack(desk.clinic, text, form.cleaned_data["licence"], by=desk.user, now=timezone.now())
        except packs.BadPackError as error:
            for flaw in error.flaws:
                form.add_error("licence" if flaw.field == "licence" else "file", f"{flaw.field}: {flaw.why}")
        else:
            messages.success(request, _("The text is loaded."))
            return redirect("dashboard:instrument", desk.clinic.pk, code)
    return _page(request, desk, found, form, ReadingForm(found, _choice(desk, found)))


@require_POST
@at_clinic
def remove_text(request: HttpRequest, desk: Desk, code: str, pack_id: int) -> HttpResponse:
    admin_of(desk)
    pack = get_object_or_404(TextPack, clinic=desk.clinic, code=code, pk=pack_id)
    if packs.remove_pack(pack, by=desk.user, now=timezone.now()):
        messages.success(request, _("The text is removed: no phone shows it any more."))
    return redirect("dashboard:instrument", desk.clinic.pk, code)


@require_POST
@at_clinic
def reading(request: HttpRequest, desk: Desk, code: str) -> HttpResponse:
    """Set cut-offs, and how many items may be missing."""
    found = _instrument(code)
    admin_of(desk)
    form = ReadingForm(found, _choice(desk, found), request.POST)
    if form.is_valid():
        try:
            choose(desk.clinic, code, form.chosen(), by=desk.user, now=timezone.now())
        except BadChoiceError as error:
            form.refused(error.flaw)
        else:
            messages.success(request, _("Bands are read so from now on."))
            return redirect("dashboard:instrument", desk.clinic.pk, code)
    return _page(request, desk, found, TextForm(), form)


def _instrument(code: str) -> Instrument:
    try:
        return library.get(code)
    except library.UnknownInstrumentError:
        raise Http404 from None


def _choice(desk: Desk, found: Instrument) -> Choice:
    standing = choices_of([desk.clinic.pk]).get((desk.clinic.pk, found.code))
    return standing.choice if standing else Choice()


def _page(
    request: HttpRequest, desk: Desk, found: Instrument, text_form: TextForm, reading_form: ReadingForm
) -> HttpResponse:
    language = request.GET.get("language") or get_language() or "en"
    history = TextPack.objects.filter(clinic=desk.clinic, code=found.code).select_related("loaded_by", "removed_by")
    read = chosen(found, desk.clinic.pk, choices_of([desk.clinic.pk]))
    last = InstrumentChoice.objects.filter(clinic=desk.clinic, code=found.code).select_related("chosen_by")
    context: dict[str, Any] = {
        "instrument": found,
        "why_not": refusals(desk.clinic).get(found.code),
        "preview": preview(desk.clinic, found, language),
        "packs": history.order_by("-loaded_at", "-pk")[:HISTORY],
        "scores": [(score, *score_range(found, score)) for score in read.scores],
        "text_form": text_form,
        "reading_form": reading_form,
        "choice": last.order_by("-version").first(),
    }
    return show(request, desk, "instruments", "instrument.html", context)
