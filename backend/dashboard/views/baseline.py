"""From which days the change of a measure is counted: what holds, what held before, and a new one with a reason."""

from __future__ import annotations

from datetime import timedelta

from django import forms
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods

from backend.dashboard.entry import Desk, at_patient
from backend.dashboard.fields import DayField
from backend.people import audit
from backend.people.models import Patient
from outcomes.baselines import BaselineError, set_baseline
from outcomes.loading import measure
from outcomes.models import Baseline, Trend


class BaselineForm(forms.Form):
    from_day = DayField(label=gettext_lazy("First day"))
    to_day = DayField(label=gettext_lazy("Last day"))
    reason = forms.CharField(label=gettext_lazy("Why from these days"), max_length=500)


@require_http_methods(["GET", "HEAD", "POST"])
@at_patient
def baseline(request: HttpRequest, desk: Desk, patient: Patient, measure_code: str) -> HttpResponse:
    trend = Trend.objects.filter(patient=patient, measure__code=measure_code).first()
    if trend is None:
        raise Http404
    last = trend.last_day or desk.today
    form = BaselineForm(request.POST or None, initial={"from_day": last - timedelta(days=6), "to_day": last})
    if request.method == "POST" and form.is_valid():
        try:
            row = set_baseline(patient, measure_code, by=desk.user, now=timezone.now(), **form.cleaned_data)
        except BaselineError as error:
            form.add_error(error.field, error.detail)
        else:
            audit.record("wrote baseline", [patient.pk], desk.user.pk)
            said = _("The change is counted from version %(n)s now; the trend follows in some seconds.")
            messages.success(request, said % {"n": row.version})
            return redirect("dashboard:patient", patient.pk)
    versions = Baseline.objects.filter(patient=patient, measure__code=measure_code).select_related("set_by")
    audit.record("read baselines", [patient.pk], desk.user.pk)
    context = {
        "desk": desk,
        "section": "patients",
        "page": "overview",
        "patient": patient,
        "measure": measure(measure_code),
        "trend": trend,
        "versions": versions.order_by("-version"),
        "form": form,
    }
    return render(request, "dashboard/baseline.html", context)
