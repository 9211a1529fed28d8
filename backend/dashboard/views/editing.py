"""Writing a programme: a new one, or what follows the one in force. Every button asks the server, htmx or not."""

from __future__ import annotations

from uuid import UUID

import msgspec
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe
from uuid_utils.compat import uuid7

from backend.dashboard.drafting import Draft, act, blank, form_data, reasons_given
from backend.dashboard.entry import Desk, at_patient
from backend.dashboard.gatekeeping import obstacles, precautions, search
from backend.people import audit
from backend.people.models import Patient
from exercises import prescribing
from exercises.advancing import proposed_plan
from exercises.entry import LANGUAGE
from exercises.known import known_of
from exercises.library import library
from exercises.models import Prescription, Proposal
from exercises.plan import Plan
from exercises.suggesting import Suggestion, suggest
from exercises.templates import Template, templates


@require_safe
@at_patient
def start(request: HttpRequest, desk: Desk, patient: Patient) -> HttpResponse:
    """What to start a programme from: the templates, those that fit best first and with reasons, or nothing."""
    found = suggest(known_of(patient, timezone.now()))
    audit.record("read suggestions", [patient.pk], desk.user.pk)
    ranked: list[tuple[Template, Suggestion | None]] = [(templates()[each.code], each) for each in found.templates]
    context = {
        "desk": desk,
        "section": "patients",
        "page": "programme",
        "patient": patient,
        "found": found,
        "ranked": ranked or [(template, None) for template in templates().values()],
    }
    return render(request, "dashboard/programme_start.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@at_patient
def new(request: HttpRequest, desk: Desk, patient: Patient) -> HttpResponse:
    """A new programme, from nothing or from the template that the address names."""
    slug = request.GET.get("template", "")
    today = prescribing.today_of(patient, timezone.now())
    if slug and slug not in templates():
        raise Http404
    first = form_data(templates()[slug].plan, day=today) if slug else blank(day=today)
    return _edit(request, desk, patient, None, first, slug)


@require_http_methods(["GET", "HEAD", "POST"])
@at_patient
def change(request: HttpRequest, desk: Desk, patient: Patient, prescription_id: UUID) -> HttpResponse:
    """What follows this version; with `proposal`, the plan that a rule proposes is where it starts from."""
    old = get_object_or_404(Prescription.objects.select_related("patient"), patient=patient, pk=prescription_id)
    plan, more = msgspec.convert(old.plan, Plan), reasons_given(old.overrides)
    if request.GET.get("proposal"):
        plan, more = _proposed(patient, old, request.GET["proposal"], more)
    today = prescribing.today_of(patient, timezone.now())
    return _edit(request, desk, patient, old, form_data(plan, day=today, **more), old.template)


def _proposed(patient: Patient, old: Prescription, proposal: str, more: dict[str, str]) -> tuple[Plan, dict[str, str]]:
    try:
        row = Proposal.objects.filter(patient=patient, prescription=old, pk=UUID(proposal)).first()
    except ValueError:
        row = None
    if row is None:
        raise Http404
    return proposed_plan(row), more | {"reason": row.rule}


def _edit(
    request: HttpRequest, desk: Desk, patient: Patient, old: Prescription | None, first: QueryDict, template: str
) -> HttpResponse:
    do = request.POST.get("do", "") if request.method == "POST" else ""
    language = get_language() or LANGUAGE
    data = act(request.POST, patient.clinic_id) if request.method == "POST" else first
    draft = Draft(data, patient.clinic_id, language, old)
    programme = _named(data.get("programme", ""))
    now = timezone.now()
    finding = prescribing.gate(patient, draft.entries, now)
    keys = [block.key for block in finding.blocks]
    overrides = draft.overrides(keys)
    if do == "save":
        if plan := draft.plan():
            try:
                _write(desk, patient, plan, draft, old or programme, overrides, template)
            except prescribing.RefusedError as error:
                draft.refused(error)
            except prescribing.BlockedError:
                draft.problem = _("The safety gate stands in the way: take the exercise out, or write why it is right.")
            else:
                messages.success(request, _("The programme is prescribed.") if old is None else _("It is changed."))
                return redirect("dashboard:programme", patient.pk)
    else:
        draft.hush()
    audit.record("read conditions", [patient.pk], desk.user.pk)
    words, modality = data.get("q", "").strip()[:100], data.get("modality", "")
    context = {
        "desk": desk,
        "section": "patients",
        "page": "programme",
        "patient": patient,
        "old": old,
        "programme": programme,
        "draft": draft,
        "saving": do == "save",
        "obstacles": obstacles(finding.blocks, draft.exercises, language, data),
        "precautions": precautions(finding.precautions, draft.exercises, language),
        "words": words,
        "modality": modality,
        "modalities": library().codes[LANGUAGE].modalities,
        "found": search(patient, words, modality, language),
        "template": templates().get(template),
    }
    return render(request, "dashboard/programme_edit.html", context)


def _named(programme: str) -> UUID:
    """What a new programme will be called: the form carries it along, so that a second click starts no second one."""
    try:
        return UUID(programme)
    except ValueError:
        return uuid7()


def _write(
    desk: Desk,
    patient: Patient,
    plan: Plan,
    draft: Draft,
    old: Prescription | UUID,
    overrides: dict[str, str],
    template: str,
) -> None:
    """Let `plan` follow a version, or start the programme of that name."""
    day, now = draft.head.cleaned_data["day"], timezone.now()
    if isinstance(old, UUID):
        prescribing.prescribe(
            patient,
            plan,
            by=desk.user,
            now=now,
            starts_on=day,
            overrides=overrides,
            template=template,
            programme=old,
        )
        audit.record("wrote prescription", [patient.pk], desk.user.pk)
        return
    reason = draft.head.cleaned_data["reason"]
    prescribing.change(old, plan, by=desk.user, now=now, reason=reason, from_day=day, overrides=overrides)
    audit.record("changed prescription", [patient.pk], desk.user.pk)
