"""One treatment: entered, put right, ended by its last day, and the sessions of a course."""

from __future__ import annotations

from uuid import UUID

import msgspec
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from backend.dashboard.entry import Desk, at_patient
from backend.dashboard.struct_forms import StructForm
from backend.dashboard.treatments import KINDS, FrameForm, SessionForms, described, details_form, sent, words
from backend.people import audit
from backend.people.models import Patient
from exercises.models import Treatment
from exercises.prescribing import RefusedError
from exercises.treating import change_treatment, enter_session, enter_treatment, slopes_around
from exercises.treatments import BrainStimulation, Details
from outcomes.library import measures

SLOPES = ["daily-diary.pain-average", "daily-diary.fear", "phq-9.total", "rmdq-24.total", "adherence.day"]
"""What is shown before and after a treatment began."""


@require_http_methods(["GET", "HEAD", "POST"])
@at_patient
def new(request: HttpRequest, desk: Desk, patient: Patient, treatment_kind: str) -> HttpResponse:
    if treatment_kind not in KINDS:
        raise Http404
    data = request.POST if request.method == "POST" else None
    details, frame = details_form(treatment_kind, data), FrameForm(data, initial={"starts_on": desk.today})
    right = [form.is_valid() for form in (details, frame)]
    if all(right):
        try:
            row = enter_treatment(patient, details.value, by=desk.user, now=timezone.now(), **frame.cleaned_data)
        except RefusedError as error:
            frame.add_error(error.field, error.detail)
        else:
            audit.record("wrote treatment", [patient.pk], desk.user.pk)
            messages.success(request, _("Entered."))
            return redirect("dashboard:treatment", patient.pk, row.pk)
    context = {
        "desk": desk,
        "section": "patients",
        "page": "background",
        "patient": patient,
        "title": KINDS[treatment_kind],
        "forms": [frame, details],
    }
    return render(request, "dashboard/treatment_new.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@at_patient
def treatment(request: HttpRequest, desk: Desk, patient: Patient, treatment_id: UUID) -> HttpResponse:
    """What it was, the slopes before and after it began, its sessions; and the form to put it right."""
    row = get_object_or_404(Treatment.objects.select_related("entered_by"), patient=patient, pk=treatment_id)
    details = msgspec.convert(row.details, Details)
    do, data = request.POST.get("do", ""), request.POST if request.method == "POST" else None
    filled = data if do == "change" else sent(row)
    forms = (details_form(row.kind, filled), FrameForm(filled))
    session = None
    if isinstance(details, BrainStimulation):
        session = SessionForms(details, data if do == "session" else None, str(desk.today))
    if do == "change" and _changed(row, *forms):
        audit.record("changed treatment", [patient.pk], desk.user.pk)
        messages.success(request, _("It is put right."))
        return redirect("dashboard:treatment", patient.pk, row.pk)
    if do == "session" and session and _given(row, patient, session, desk):
        audit.record("wrote treatment session", [patient.pk], desk.user.pk)
        messages.success(request, _("The session is entered."))
        return redirect("dashboard:treatment", patient.pk, row.pk)
    sessions = list(row.sessions.select_related("entered_by").order_by("-day", "-id"))
    known = [code for code in SLOPES if code in measures()]
    around = slopes_around(patient, known, row.starts_on)
    audit.record("read treatments", [patient.pk], desk.user.pk, count=1 + len(sessions))
    context = {
        "desk": desk,
        "section": "patients",
        "page": "background",
        "patient": patient,
        "described": described(row),
        "forms": forms,
        "session": session,
        "sessions": [(each, words(each.given["parameters"])) for each in sessions],
        "slopes": [(measures()[each.measure].title, each) for each in around if each.before.n or each.after.n],
        "do": do,
    }
    return render(request, "dashboard/treatment.html", context)


def _changed(row: Treatment, details: StructForm, frame: FrameForm) -> bool:
    right = [form.is_valid() for form in (details, frame)]
    if all(right):
        try:
            change_treatment(row, details.value, now=timezone.now(), **frame.cleaned_data)
        except RefusedError as error:
            frame.add_error(error.field if error.field in frame.fields else None, error.detail)
        else:
            return True
    return False


def _given(row: Treatment, patient: Patient, session: SessionForms, desk: Desk) -> bool:
    given = session.value()
    if given is None:
        return False
    try:
        enter_session(row, patient, given, by=desk.user, now=timezone.now())
    except RefusedError as error:
        session.refused(error.field, error.detail)
        return False
    return True
