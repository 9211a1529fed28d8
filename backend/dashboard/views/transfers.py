"""Patients who move to another clinic, who arrive from one, and what is still read of those who left."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from backend.dashboard.answers import entries
from backend.dashboard.clinic_pages import show
from backend.dashboard.entry import Desk, admin_of, at_clinic, at_patient
from backend.dashboard.fields import tell
from backend.dashboard.moving import ArrivalForm, ProposalForm
from backend.people import audit, transferring
from backend.people.copying import copy_of
from backend.people.models import Patient, Transfer
from backend.people.rights_api import LINES
from backend.people.snapshot import of_one_state
from backend.people.transferring import open_ones
from backend.rest.problems import Problem


@require_POST
@at_patient
def transfer(request: HttpRequest, desk: Desk, patient: Patient) -> HttpResponse:
    """Propose a move, note that the patient has signed for it, or call it off."""
    under_way = open_ones().filter(patient=patient).first()
    do, now = request.POST.get("do", ""), timezone.now()
    try:
        if do == "propose":
            form = ProposalForm(desk.clinic, request.POST)
            if form.is_valid():
                transferring.propose(patient, form.cleaned_data["to"], desk.user.pk, now)
                messages.success(request, _("Proposed. The patient is asked to agree; then the other clinic accepts."))
            else:
                messages.error(request, _("Name the clinic."))
        elif under_way is None:
            messages.error(request, _("No transfer is under way."))
        elif do == "paper" and request.POST.get("signed"):
            transferring.agree_on_paper(under_way, desk.user.pk, now)
            messages.success(request, _("Noted. The other clinic may accept now."))
        elif do == "paper":
            messages.error(request, _("Confirm that you hold the patient's signed consent."))
        elif do == "cancel":
            transferring.call_off(under_way, desk.user.pk, now)
            messages.success(request, _("Called off."))
    except Problem as problem:
        messages.error(request, str(problem.detail))
    return redirect("dashboard:manage", patient.pk)


@require_http_methods(["GET", "HEAD", "POST"])
@at_clinic
def arrival(request: HttpRequest, desk: Desk, transfer_id: int) -> HttpResponse:
    """Accept a patient who has agreed to come here, or decline."""
    admin_of(desk)
    agreed = open_ones().filter(to_clinic=desk.clinic).exclude(agreed="").select_related("patient", "clinic")
    coming = get_object_or_404(agreed, pk=transfer_id)
    form = ArrivalForm(desk, request.POST or None)
    if request.method == "POST" and request.POST.get("do") == "decline":
        transferring.call_off(coming, desk.user.pk, timezone.now())
        messages.success(request, _("Declined. The patient stays where they are."))
        return redirect("dashboard:clinic_patients", desk.clinic.pk)
    if request.method == "POST" and form.is_valid():
        said = form.cleaned_data
        try:
            patient = transferring.accept(coming, said["care_team"], said["identifier"], desk.user.pk, timezone.now())
        except Problem as problem:
            tell(form, problem)
        else:
            messages.success(request, _("Welcome: their history came along. Look over what they are asked and do."))
            return redirect("dashboard:patient", patient.pk)
    audit.record("read transfer", [coming.patient_id], desk.user.pk)
    return show(request, desk, "clinic_patients", "arrival.html", {"coming": coming, "form": form})


def _left(desk: Desk) -> list[Transfer]:
    """The last move of each patient who has left and whom one may still read about."""
    patients = Patient.objects.moved_on_from(desk.clinic.pk, desk.user)
    moves = Transfer.objects.filter(clinic=desk.clinic, accepted_at__isnull=False, patient__in=patients)
    return list(moves.select_related("to_clinic").order_by("patient", "-accepted_at").distinct("patient"))


@require_safe
@at_clinic
def former(request: HttpRequest, desk: Desk) -> HttpResponse:
    left = sorted(_left(desk), key=lambda move: move.accepted_at or move.proposed_at, reverse=True)
    audit.record("list former patients", [move.patient_id for move in left], desk.user.pk)
    return show(request, desk, "clinic_former", "former.html", {"left": left})


@require_safe
@at_clinic
def former_answers(request: HttpRequest, desk: Desk, former_id: int) -> HttpResponse:
    """What somebody answered while they were here, and nothing of what came after."""
    patient = get_object_or_404(Patient.objects.moved_on_from(desk.clinic.pk, desk.user), pk=former_id)
    try:
        after = UUID(request.GET.get("after", ""))
    except ValueError:
        after = None
    shown, following = entries(patient, get_language() or "en", after, recorded_at=desk.clinic.pk)
    audit.record("read former responses", [patient.pk], desk.user.pk, count=len(shown))
    move = next(move for move in _left(desk) if move.patient_id == patient.pk)
    context = {
        "desk": desk,
        "section": "clinic",
        "left": move,
        "patient": patient,
        "entries": shown,
        "after": following,
        "first_page": after is None,
    }
    return render(request, "dashboard/answers.html", context)


@require_safe
@at_clinic
def former_copy(request: HttpRequest, desk: Desk, former_id: int) -> StreamingHttpResponse:
    """Everything that was recorded here about somebody who left, as JSON Lines."""
    patient = get_object_or_404(Patient.objects.moved_on_from(desk.clinic.pk, desk.user), pk=former_id)
    audit.record("export former copy", [patient.pk], desk.user.pk)
    return StreamingHttpResponse(
        of_one_state(copy_of(patient, timezone.now(), recorded_at=desk.clinic)),
        content_type=LINES,
        headers={"Content-Disposition": 'attachment; filename="copy.jsonl"'},
    )
