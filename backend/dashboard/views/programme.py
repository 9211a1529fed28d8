"""The programme page: what is prescribed, what the rules propose, how it is kept to; pausing, stopping, deciding."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from uuid import UUID

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from backend.dashboard.calendars import month_of, months_around
from backend.dashboard.entry import Desk, at_patient
from backend.dashboard.fields import DayField
from backend.dashboard.programmes import programmes_of, proposals_of, sessions_of
from backend.dashboard.struct_forms import Form
from backend.dashboard.unsent import hand_back
from backend.people import audit
from backend.people.models import Patient
from exercises import prescribing
from exercises.advancing import decide
from exercises.entry import LANGUAGE
from exercises.models import Prescription, Proposal

PAUSES = [
    ("holiday", gettext_lazy("holiday")),
    ("illness", gettext_lazy("illness")),
    ("flare", gettext_lazy("flare")),
    ("other", gettext_lazy("other")),
]


class PauseForm(Form):
    reason = forms.ChoiceField(label=gettext_lazy("Why"), choices=PAUSES)
    from_day = DayField(label=gettext_lazy("From"))
    to_day = DayField(
        label=gettext_lazy("Until"), required=False, help_text=gettext_lazy("Empty: until it is resumed.")
    )


class StopForm(Form):
    reason = forms.CharField(label=gettext_lazy("Why it ends"), max_length=500)
    last_day = DayField(label=gettext_lazy("Last day"), required=False, help_text=gettext_lazy("Empty: yesterday."))


class DecisionForm(Form):
    reason = forms.CharField(label=gettext_lazy("A word why"), max_length=500)


@require_safe
@at_patient
def programme(request: HttpRequest, desk: Desk, patient: Patient) -> HttpResponse:
    return _page(request, desk, patient)


def _page(
    request: HttpRequest, desk: Desk, patient: Patient, wrong: tuple[str, UUID, Form] | None = None
) -> HttpResponse:
    """The page; `wrong` is a form that was refused: which, about what, and with its errors."""
    today = prescribing.today_of(patient, timezone.now())
    month = month_of(request.GET.get("month", ""), today)
    waiting, settled = proposals_of(patient)
    found = programmes_of(patient, today, get_language() or LANGUAGE)
    audit.record("read prescriptions", [patient.pk], desk.user.pk, count=len(found))
    context = {
        "desk": desk,
        "section": "patients",
        "page": "programme",
        "patient": patient,
        "today": today,
        "programmes": [(each, *_forms(each.latest.row, today, wrong)) for each in found if not each.over],
        "past": [each for each in found if each.over],
        "waiting": waiting,
        "settled": settled,
        "month": months_around(patient, month, today),
        "sessions": sessions_of(patient),
        "wrong": wrong,
    }
    return render(request, "dashboard/programme.html", context)


def _forms(row: Prescription, today: date, wrong: tuple[str, UUID, Form] | None) -> tuple[Form, Form]:
    """To pause and to stop this programme. There may be several on the page, and each label belongs to one field."""
    refused = {wrong[0]: wrong[2]} if wrong and wrong[1] == row.pk else {}
    pausing = refused.get("pause") or PauseForm(initial={"from_day": today})
    stopping = refused.get("stop") or StopForm()
    pausing.auto_id, stopping.auto_id = f"pause-{row.pk}-%s", f"stop-{row.pk}-%s"
    return pausing, stopping


def _one(patient: Patient, prescription_id: UUID) -> Prescription:
    return get_object_or_404(Prescription.objects.select_related("patient"), patient=patient, pk=prescription_id)


def _done(
    request: HttpRequest, desk: Desk, patient: Patient, form: Form, wrong: tuple[str, UUID], write: Callable[[], object]
) -> HttpResponse | None:
    """Do it, where the form is in order; else the page again, with what is wrong beside its field."""
    if form.is_valid():
        try:
            write()
        except prescribing.RefusedError as error:
            if error.field in form.fields:
                form.add_error(error.field, error.detail)
            else:
                messages.error(request, error.detail)
                hand_back(request, form.cleaned_data.get("reason", ""))  # the form may be there no more
        else:
            return None
    return _page(request, desk, patient, (*wrong, form))


@require_POST
@at_patient
def pause(request: HttpRequest, desk: Desk, patient: Patient, prescription_id: UUID) -> HttpResponse:
    row, form = _one(patient, prescription_id), PauseForm(request.POST)

    def write() -> None:
        prescribing.pause(row, by=desk.user, now=timezone.now(), **form.cleaned_data)
        audit.record("paused prescription", [patient.pk], desk.user.pk)
        messages.success(request, _("The programme is paused."))

    return _done(request, desk, patient, form, ("pause", row.pk), write) or redirect("dashboard:programme", patient.pk)


@require_POST
@at_patient
def resume(request: HttpRequest, desk: Desk, patient: Patient, prescription_id: UUID) -> HttpResponse:
    row = _one(patient, prescription_id)
    try:
        prescribing.resume(row, now=timezone.now())
    except prescribing.RefusedError as error:
        messages.error(request, error.detail)
    else:
        audit.record("resumed prescription", [patient.pk], desk.user.pk)
        messages.success(request, _("The programme goes on."))
    return redirect("dashboard:programme", patient.pk)


@require_POST
@at_patient
def stop(request: HttpRequest, desk: Desk, patient: Patient, prescription_id: UUID) -> HttpResponse:
    row, form = _one(patient, prescription_id), StopForm(request.POST)

    def write() -> None:
        prescribing.stop(row, now=timezone.now(), **form.cleaned_data)
        audit.record("stopped prescription", [patient.pk], desk.user.pk)
        messages.success(request, _("The programme is stopped."))

    return _done(request, desk, patient, form, ("stop", row.pk), write) or redirect("dashboard:programme", patient.pk)


@require_POST
@at_patient
def decide_proposal(request: HttpRequest, desk: Desk, patient: Patient, proposal_id: UUID) -> HttpResponse:
    """Yes or no to what a rule proposes, with a word why."""
    row = get_object_or_404(Proposal, patient=patient, pk=proposal_id)
    form, accepted = DecisionForm(request.POST), request.POST.get("do") == "accept"

    def write() -> None:
        decide(row, accepted=accepted, by=desk.user, now=timezone.now(), **form.cleaned_data)
        audit.record("decided proposal", [patient.pk], desk.user.pk)
        messages.success(request, _("Accepted: the programme is changed.") if accepted else _("Declined."))

    form.fields["reason"].required = not accepted
    return _done(request, desk, patient, form, ("decide", row.pk), write) or redirect("dashboard:programme", patient.pk)
