from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from backend.dashboard import worklist
from backend.dashboard.entry import Desk, at_patient
from backend.dashboard.patient import lines, standing
from backend.people import audit
from backend.people.models import Patient


@require_safe
@at_patient
def overview(request: HttpRequest, desk: Desk, patient: Patient) -> HttpResponse:
    now = timezone.now()
    today = now.astimezone(desk.zone).date()
    found = lines(patient)
    audit.record("read record", [patient.pk], desk.user.pk)
    context = {
        "desk": desk,
        "section": "patients",
        "patient": patient,
        "sentences": standing(found, today),
        "lines": found,
        "alerts": worklist.of_patient(patient),
        "now": now,
        "today": today,
    }
    return render(request, "dashboard/patient.html", context)
