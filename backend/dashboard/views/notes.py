from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from backend.dashboard.entry import Desk, at_patient
from backend.dashboard.models import Note
from backend.dashboard.notes import NoteForm, OvertakenError, notes_of, write
from backend.people import audit
from backend.people.models import Patient


@require_http_methods(["GET", "HEAD", "POST"])
@at_patient
def notes(request: HttpRequest, desk: Desk, patient: Patient) -> HttpResponse:
    """All notes, and room for a new one or for the next version of one."""
    form = NoteForm(request.POST or None, initial={"day": desk.today})
    replaces = _replaced(request.POST.get("note", ""))
    if request.method == "POST" and form.is_valid():
        try:
            write(patient, **form.cleaned_data, by=desk.user, now=timezone.now(), replaces=replaces)
        except Note.DoesNotExist:
            raise Http404 from None
        except OvertakenError:
            overtaken = _("A colleague has changed this note meanwhile. Read it below; yours can be the next version.")
            form.add_error("body", ValidationError(overtaken, code="overtaken"))
        else:
            messages.success(request, _("The note is kept."))
            return redirect("dashboard:notes", patient.pk)
    found = notes_of(patient)
    audit.record("read notes", [patient.pk], desk.user.pk, count=len(found))
    latest = {each.now.note: each.now.version for each in found}
    overtaken_by = latest.get(replaces) if replaces and form.has_error("body", "overtaken") else None
    context = {
        "desk": desk,
        "section": "patients",
        "page": "notes",
        "patient": patient,
        "form": form,
        "replaces": replaces,
        "seen": overtaken_by or form["seen"].value(),
        "notes": found,
    }
    return render(request, "dashboard/notes.html", context)


def _replaced(text: str) -> UUID | None:
    """The note that is edited; None: a new one."""
    if not text:
        return None
    try:
        return UUID(text)
    except ValueError:
        raise Http404 from None
