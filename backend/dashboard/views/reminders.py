"""What this patient is asked for and when, what was sent, opened, and why not; days away; and how they are reminded."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST

from backend.dashboard.asked import rule_words
from backend.dashboard.entry import Desk, at_patient
from backend.dashboard.fields import DayField
from backend.dashboard.schedules import ScheduleForm
from backend.people import audit
from backend.people.models import Origin, Patient
from backend.people.writes import Door
from backend.reminders.models import Absence, Schedule, SlotState
from backend.reminders.scheduling import (
    NO_TEXT,
    Offers,
    ScheduleError,
    apply_plan,
    ask_anew,
    change_rule,
    end_schedule,
    offers,
)
from backend.reminders.timeline import schedules_of, shown_schedules, timeline
from backend.reminders.wishes import (
    AbsenceError,
    NewAbsence,
    absences,
    add_absence,
    cancel_absence,
    read_settings,
    set_email,
)
from backend.rest.problems import Problem
from exercises.prescribing import today_of

BACK, AHEAD = timedelta(days=14), timedelta(days=7)
TO_COME = (SlotState.OPEN, SlotState.UPCOMING)
PAST = (SlotState.COMPLETED, SlotState.LATE, SlotState.DECLINED, SlotState.MISSED, SlotState.PAUSED)


class AwayForm(forms.Form):
    first_day = DayField(label=gettext_lazy("First day away"))
    last_day = DayField(label=gettext_lazy("Last day away"))


class MailForm(forms.Form):
    email = forms.EmailField(label=gettext_lazy("E-mail"), max_length=254)


class PlanForm(forms.Form):
    plan = forms.ChoiceField(label=gettext_lazy("Plan"))
    anchor_on = DayField(
        label=gettext_lazy("Counted from"), required=False, help_text=gettext_lazy("Of a surgery or another date.")
    )

    def __init__(self, data: QueryDict | None, offered: Offers) -> None:
        super().__init__(data)
        self.fields["plan"] = forms.ChoiceField(
            label=_("Plan"), choices=[(plan.name, plan.title) for plan in offered.plans]
        )


@require_http_methods(["GET", "HEAD", "POST"])
@at_patient
def reminders(request: HttpRequest, desk: Desk, patient: Patient) -> HttpResponse:
    """The page; its forms say by `do` which they are."""
    now, do = timezone.now(), request.POST.get("do", "")
    today, offered = today_of(patient, now), offers(patient)
    away = AwayForm(request.POST if do == "away" else None)
    plan = PlanForm(request.POST if do == "plan" else None, offered)
    settings = read_settings(patient.pk)
    mail = MailForm(request.POST if do == "mail" else None, initial={"email": settings.email})
    if (
        _away(request, desk, patient, away)
        or _planned(request, desk, patient, plan, offered)
        or _mailed(request, desk, patient, mail)
    ):
        return redirect("dashboard:reminders", patient.pk)
    shown = shown_schedules(schedules_of(patient.pk))
    titles = {each.id: each.title for each in shown}
    slots = timeline(patient.pk, today - BACK, today + AHEAD)
    audit.record("read slots", [patient.pk], desk.user.pk, count=len(slots))
    context = {
        "desk": desk,
        "section": "patients",
        "page": "reminders",
        "patient": patient,
        "now": now,
        "schedules": [(each, rule_words(each.rule)) for each in shown if each.active],
        "ended": [each for each in shown if not each.active],
        "to_come": [(slot, titles.get(slot.schedule, slot.code)) for slot in slots if slot.state in TO_COME],
        "past": [(slot, titles.get(slot.schedule, slot.code)) for slot in reversed(slots) if slot.state in PAST],
        "settings": settings,
        "mail": mail,
        "absences": absences(patient.pk),
        "away": away,
        "plan": plan,
        "offered": offered.plans,
        "today": today,
    }
    return render(request, "dashboard/reminders.html", context)


def _door(desk: Desk) -> Door:
    return Door(origin=Origin.CLINIC, received_at=timezone.now(), user_id=desk.user.pk)


def _away(request: HttpRequest, desk: Desk, patient: Patient, form: AwayForm) -> bool:
    if not form.is_valid():
        return False
    try:
        add_absence(patient, NewAbsence(**form.cleaned_data), _door(desk))
    except AbsenceError as error:
        form.add_error(error.error.field if error.error.field in form.fields else None, error.error.detail)
        return False
    audit.record("wrote absence", [patient.pk], desk.user.pk)
    messages.success(request, _("Nothing is asked on these days."))
    return True


def _mailed(request: HttpRequest, desk: Desk, patient: Patient, form: MailForm) -> bool:
    if not form.is_valid():
        return False
    try:
        set_email(patient, form.cleaned_data["email"])
    except Problem as problem:
        form.add_error("email", str(problem.detail))
        return False
    audit.record("changed e-mail", [patient.pk], desk.user.pk)
    messages.success(request, _("That address is used from now on."))
    return True


def _planned(request: HttpRequest, desk: Desk, patient: Patient, form: PlanForm, offered: Offers) -> bool:
    """Ask by a plan; what of it can't be asked is said, with the reason."""
    if not form.is_valid():
        return False
    name, anchor_on = form.cleaned_data["plan"], form.cleaned_data["anchor_on"]
    try:
        made, left_out = apply_plan(patient, name, timezone.now(), anchor_on=anchor_on, by=desk.user)
    except ScheduleError as error:
        form.add_error(error.field if error.field in form.fields else None, str(error))
        return False
    audit.record("wrote schedule", [patient.pk], desk.user.pk, count=len(made))
    for why in left_out:
        messages.warning(request, str(why))
    messages.success(request, _("Asked by the plan."))
    return True


@require_http_methods(["GET", "HEAD", "POST"])
@at_patient
def schedule_new(request: HttpRequest, desk: Desk, patient: Patient) -> HttpResponse:
    """Ask for one more instrument."""
    offered = offers(patient).instruments
    form = ScheduleForm(request.POST if request.method == "POST" else None, offered=offered)
    if form.is_valid() and form.rule:
        code, anchor_on = form.cleaned_data["code"], form.cleaned_data["anchor_on"]
        try:
            ask_anew(patient, code, form.rule, timezone.now(), anchor_on=anchor_on, by=desk.user)
        except ScheduleError as error:
            form.refused(error)
        else:
            audit.record("wrote schedule", [patient.pk], desk.user.pk)
            messages.success(request, _("It is asked from now on."))
            return redirect("dashboard:reminders", patient.pk)
    refused = [each for each in offered if each.why_not]
    why_not = [each for each in refused if each.why_not != NO_TEXT]
    wordless = [each.title for each in refused if each.why_not == NO_TEXT]
    return _schedule_page(request, desk, patient, form, {"why_not": why_not, "wordless": wordless})


@require_http_methods(["GET", "HEAD", "POST"])
@at_patient
def schedule_change(request: HttpRequest, desk: Desk, patient: Patient, schedule_id: UUID) -> HttpResponse:
    """Ask by another rule from now on. How a programme's sessions are asked for is said by the programme."""
    asked = Schedule.objects.filter(patient=patient, asks=Schedule.Asks.INSTRUMENT)
    schedule = get_object_or_404(asked.select_related("patient__clinic"), pk=schedule_id)
    (shown,) = shown_schedules([schedule])
    data = request.POST if request.method == "POST" else None
    form = ScheduleForm(data, old=shown.rule, anchor_on=shown.anchor_on)
    if form.is_valid() and form.rule:
        try:
            change_rule(schedule, form.rule, timezone.now(), anchor_on=form.cleaned_data["anchor_on"])
        except ScheduleError as error:
            form.refused(error)
        else:
            audit.record("changed schedule", [patient.pk], desk.user.pk)
            messages.success(request, _("It is asked so from now on."))
            return redirect("dashboard:reminders", patient.pk)
    audit.record("read schedules", [patient.pk], desk.user.pk)
    return _schedule_page(request, desk, patient, form, {"shown": shown, "when": rule_words(shown.rule)})


def _schedule_page(
    request: HttpRequest, desk: Desk, patient: Patient, form: ScheduleForm, more: dict[str, Any]
) -> HttpResponse:
    around = {"desk": desk, "section": "patients", "page": "reminders", "patient": patient, "form": form}
    return render(request, "dashboard/schedule.html", around | more)


@require_POST
@at_patient
def end(request: HttpRequest, desk: Desk, patient: Patient, schedule_id: UUID) -> HttpResponse:
    end_schedule(get_object_or_404(Schedule, patient=patient, pk=schedule_id), timezone.now())
    audit.record("ended schedule", [patient.pk], desk.user.pk)
    messages.success(request, _("It is asked no more."))
    return redirect("dashboard:reminders", patient.pk)


@require_POST
@at_patient
def back(request: HttpRequest, desk: Desk, patient: Patient, absence_id: UUID) -> HttpResponse:
    """Ask on these days after all."""
    row = get_object_or_404(Absence.objects.select_related("patient"), patient=patient, id=absence_id)
    cancel_absence(row, _door(desk))
    audit.record("ended absence", [patient.pk], desk.user.pk)
    messages.success(request, _("It is asked on these days after all."))
    return redirect("dashboard:reminders", patient.pk)
