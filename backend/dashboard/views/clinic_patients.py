"""A clinic's patients as records: entered, invited, changed, discharged, erased."""

from __future__ import annotations

from django.contrib import messages
from django.db.models import Max, Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from backend.dashboard.clinic_pages import show
from backend.dashboard.entry import Desk, admin_of, at_clinic, at_patient
from backend.dashboard.fields import tell
from backend.dashboard.moving import ProposalForm, arriving
from backend.dashboard.profile import ProfileForm, change, enter, profile_of
from backend.people import audit, discharging
from backend.people.erasing import erase
from backend.people.models import Patient
from backend.people.transferring import open_ones
from backend.rest.problems import Problem
from outcomes.models import Alert

WAITING_ROWS = 100


@require_safe
@at_clinic
def patients(request: HttpRequest, desk: Desk) -> HttpResponse:
    """Whoever has not enrolled yet, the newest first, with the state of their codes."""
    unused = Q(invitations__redeemed_at=None)
    waiting = (
        Patient.objects.visible_to(desk.user)
        .filter(clinic=desk.clinic, status=Patient.Status.INVITED)
        .annotate(holds_until=Max("invitations__expires_at", filter=unused))
        .order_by("-pk")[:WAITING_ROWS]
    )
    audit.record("list patients", [patient.pk for patient in waiting], desk.user.pk)
    coming = arriving(desk)
    audit.record("read transfer", [move.patient_id for move in coming], desk.user.pk)
    context = {"arriving": coming, "waiting": waiting, "full": len(waiting) == WAITING_ROWS, "now": timezone.now()}
    return show(request, desk, "clinic_patients", "patients.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@at_clinic
def add(request: HttpRequest, desk: Desk) -> HttpResponse:
    form = ProfileForm(desk, request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            patient = enter(desk, form.cleaned_data)
        except Problem as problem:
            tell(form, problem)
        else:
            messages.success(request, _("Entered. Make a code for their phone next."))
            return redirect("dashboard:phone", patient.pk)
    return show(request, desk, "clinic_patients", "patient_new.html", {"form": form})


@require_http_methods(["GET", "HEAD", "POST"])
@at_patient
def manage(request: HttpRequest, desk: Desk, patient: Patient) -> HttpResponse:
    """Who they are, and what may be done with the whole record."""
    form = ProfileForm(desk, request.POST or None, initial=profile_of(patient))
    if request.method == "POST" and form.is_valid():
        try:
            change(desk, patient, form.cleaned_data)
        except Problem as problem:
            tell(form, problem)
        else:
            messages.success(request, _("Kept."))
            return redirect("dashboard:manage", patient.pk)
    return managed(request, desk, patient, form)


def managed(request: HttpRequest, desk: Desk, patient: Patient, form: ProfileForm, unsure: str = "") -> HttpResponse:
    patient.refresh_from_db()  # whatever a form has tried with it
    audit.record("read profile", [patient.pk], desk.user.pk)
    open_alerts = Alert.objects.filter(patient=patient).exclude(state=Alert.State.RESOLVED).count()
    context = {
        "desk": desk,
        "section": "patients",
        "page": "manage",
        "patient": patient,
        "form": form,
        "unsure": unsure,
        "open_alerts": open_alerts,
        "transfer": open_ones().filter(patient=patient).select_related("to_clinic").first(),
        "proposal": ProposalForm(desk.clinic),
    }
    return render(request, "dashboard/manage.html", context)


@require_POST
@at_patient
def status(request: HttpRequest, desk: Desk, patient: Patient) -> HttpResponse:
    """Discharge somebody, or take them back, whichever the button said: a second click undoes nothing."""
    if request.POST.get("do") == "take-back":
        if patient.status == Patient.Status.DISCHARGED:
            discharging.take_back(patient, desk.user.pk)
        messages.success(request, _("Taken back."))
    else:
        discharging.discharge(patient, desk.user.pk, timezone.now())
        messages.success(request, _("Discharged."))
    return redirect("dashboard:manage", patient.pk)


@require_POST
@at_patient
def erasure(request: HttpRequest, desk: Desk, patient: Patient) -> HttpResponse:
    """Erase the record. The identifier is typed, so that it isn't done to somebody else by a slip."""
    admin_of(desk)
    if request.POST.get("identifier", "").strip() != patient.identifier:
        unsure = _("This is not the identifier of this patient. Nothing was erased.")
        return managed(request, desk, patient, ProfileForm(desk, initial=profile_of(patient)), unsure)
    erase(patient.pk, desk.user.pk, among=Patient.objects.filter(clinic=desk.clinic))
    messages.success(request, _("The record was erased."))
    return redirect("dashboard:panel", desk.clinic.pk)
