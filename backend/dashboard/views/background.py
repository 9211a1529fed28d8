"""What bears on a programme and on the trends: conditions, clearances, likings, and other treatments."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Any

from django import forms
from django.contrib import messages
from django.db.models import Count, F
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from backend.dashboard.entry import Desk, at_patient
from backend.dashboard.fields import DayField
from backend.dashboard.gatekeeping import condition
from backend.dashboard.struct_forms import Form
from backend.dashboard.treatments import described, kinds
from backend.people import audit
from backend.people.models import Patient
from exercises.background import Likings, end_condition, enter_clearance, enter_condition, likings, write_likings
from exercises.entry import LANGUAGE, Codes
from exercises.library import library
from exercises.models import AdverseEvent, Clearance, Condition, Treatment
from exercises.prescribing import RefusedError, today_of

EVENTS = 20


class ConditionForm(Form):
    code = forms.ChoiceField(label=gettext_lazy("Condition"))
    since = DayField(label=gettext_lazy("Since"), required=False)
    note = forms.CharField(label=gettext_lazy("Note"), max_length=500, required=False)

    def __init__(self, *args: Any, codes: Codes, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        named = sorted(codes.conditions.items(), key=lambda each: each[1])
        self.fields["code"] = forms.ChoiceField(label=_("Condition"), choices=[("", "–"), *named])


class ClearanceForm(Form):
    screen = forms.CharField(label=gettext_lazy("By what screen"), max_length=200)
    cleared_by = forms.CharField(label=gettext_lazy("Who did it"), max_length=200)
    cleared_on = DayField(label=gettext_lazy("On"))
    valid_until = DayField(label=gettext_lazy("Valid until"))


class LikingsForm(Form):
    """Whatever stands in one of the lists is one of the codes; the rest is the room's own to refuse."""

    def __init__(self, *args: Any, codes: Codes, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        labels = {"liked": _("Likes"), "disliked": _("Dislikes"), "equipment": _("Has at home")}
        for name, label in labels.items():
            choices = codes.equipment if name == "equipment" else codes.modalities
            self.fields[name] = forms.MultipleChoiceField(
                label=label, choices=list(choices.items()), widget=forms.CheckboxSelectMultiple, required=False
            )


@dataclass
class Standing:
    row: Condition
    words: str


@require_http_methods(["GET", "HEAD", "POST"])
@at_patient
def background(request: HttpRequest, desk: Desk, patient: Patient) -> HttpResponse:
    """The page; each of its forms says by `do` which it is, and comes back with what is wrong with it."""
    language = get_language() or LANGUAGE
    codes = library().codes.get(language, library().codes[LANGUAGE])
    today, do = today_of(patient, timezone.now()), request.POST.get("do", "")
    data = request.POST if request.method == "POST" else None
    sent = {name: data if do == name else None for name in ("condition", "clearance", "likings")}
    found: dict[str, Form] = {
        "condition": ConditionForm(sent["condition"], codes=codes, prefix="condition"),
        "clearance": ClearanceForm(sent["clearance"], prefix="clearance", initial=_a_year(today)),
        "likings": LikingsForm(sent["likings"], codes=codes, prefix="likings", initial=_as_dict(likings(patient.pk))),
    }
    if do in found and found[do].is_valid() and _written(WRITERS[do], found[do], desk, patient):
        messages.success(request, _("Entered."))
        return redirect("dashboard:background", patient.pk)
    conditions = (
        Condition.objects.filter(patient=patient)
        .select_related("entered_by")
        .order_by(F("ended_on").desc(nulls_first=True), "code")
    )
    treatments = Treatment.objects.filter(patient=patient).annotate(given=Count("sessions")).order_by("-starts_on")
    audit.record("read conditions", [patient.pk], desk.user.pk)
    context = {
        "desk": desk,
        "section": "patients",
        "page": "background",
        "patient": patient,
        "today": today,
        "forms": found,
        "conditions": [Standing(row, condition(row.code, language)) for row in conditions],
        "clearances": Clearance.objects.filter(patient=patient).order_by("-cleared_on", "-id"),
        "treatments": [described(row) for row in treatments],
        "kinds": kinds(),
        "events": AdverseEvent.objects.filter(patient=patient).order_by("-authored_at")[:EVENTS],
    }
    return render(request, "dashboard/background.html", context)


def _a_year(today: date) -> dict[str, date]:
    return {"cleared_on": today, "valid_until": date.fromordinal(today.toordinal() + 365)}


def _as_dict(asked: Likings) -> dict[str, list[str]]:
    return {"liked": asked.liked, "disliked": asked.disliked, "equipment": asked.equipment}


def _written(write: Callable[[Desk, Patient, dict[str, Any]], str], form: Form, desk: Desk, patient: Patient) -> bool:
    try:
        action = write(desk, patient, form.cleaned_data)
    except RefusedError as error:
        form.add_error(error.field if error.field in form.fields else None, error.detail)
        return False
    audit.record(action, [patient.pk], desk.user.pk)
    return True


def _condition(desk: Desk, patient: Patient, given: dict[str, Any]) -> str:
    enter_condition(patient, by=desk.user, now=timezone.now(), **given)
    return "wrote condition"


def _clearance(desk: Desk, patient: Patient, given: dict[str, Any]) -> str:
    enter_clearance(patient, by=desk.user, now=timezone.now(), **given)
    return "wrote clearance"


def _likings(desk: Desk, patient: Patient, given: dict[str, Any]) -> str:
    write_likings(patient.pk, patient.clinic_id, Likings(**given), timezone.now())
    return "wrote preferences"


WRITERS = {"condition": _condition, "clearance": _clearance, "likings": _likings}


@require_POST
@at_patient
def condition_over(request: HttpRequest, desk: Desk, patient: Patient, condition_id: int) -> HttpResponse:
    """It stays on record and blocks nothing any more."""
    end_condition(get_object_or_404(Condition, patient=patient, pk=condition_id), patient, timezone.now())
    audit.record("ended condition", [patient.pk], desk.user.pk)
    messages.success(request, _("It is over: it blocks nothing any more."))
    return redirect("dashboard:background", patient.pk)
