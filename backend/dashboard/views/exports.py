from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from backend.dashboard.clinic_pages import show
from backend.dashboard.entry import Desk, admin_of, at_clinic
from backend.people import copying
from backend.people.models import Patient
from outcomes import exporting


@require_safe
@at_clinic
def exports(request: HttpRequest, desk: Desk) -> HttpResponse:
    """The files of the clinic; each is read from the API, which notes it for each patient in it."""
    admin_of(desk)
    patients = Patient.objects.visible_to(desk.user).filter(clinic=desk.clinic)
    files = exporting.files(patients)
    tables = [file for file in files if file.name.removesuffix(".csv") in copying.tables()]
    context = {"files": [file for file in files if file not in tables], "tables": tables, "count": patients.count()}
    return show(request, desk, "exports", "exports.html", context)
