"""Notes about a patient: written once, and after that only followed by a next version."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from uuid import UUID

from django import forms
from django.db import transaction
from django.utils.translation import gettext_lazy as _
from uuid_utils.compat import uuid7

from backend.dashboard.fields import DayField
from backend.dashboard.models import Note
from backend.people import audit
from backend.people.models import Patient, User
from backend.people.writes import next_revisions

LONGEST = 10_000


class OvertakenError(Exception):
    """Somebody has written the next version since this one was read."""


class NoteForm(forms.Form):
    day = DayField(label=_("About the day"))
    body = forms.CharField(label=_("Note"), max_length=LONGEST, widget=forms.Textarea(attrs={"rows": 4}))
    seen = forms.IntegerField(required=False, min_value=1, max_value=32767, widget=forms.HiddenInput)


@dataclass
class Versions:
    """A note as it reads now, and what it said before, newest first."""

    now: Note
    before: list[Note] = field(default_factory=list)


def notes_of(patient: Patient) -> list[Versions]:
    """The latest day first; one statement."""
    found: dict[UUID, Versions] = {}
    for row in Note.objects.filter(patient=patient).select_related("written_by").order_by("-version"):
        if row.note in found:
            found[row.note].before.append(row)
        else:
            found[row.note] = Versions(row)
    return sorted(found.values(), key=lambda each: (each.now.day, each.now.note), reverse=True)


def write(
    patient: Patient,
    day: date,
    body: str,
    seen: int | None = None,
    *,
    by: User,
    now: datetime,
    replaces: UUID | None = None,
) -> Note:
    """A new note, or what follows the version `seen` of the one that it replaces.

    Raises Note.DoesNotExist, or OvertakenError where another version came first.
    """
    with transaction.atomic():
        next_revisions([patient.pk])  # two who edit the same note come one after the other
        number, version = uuid7(), 1
        note = number
        if replaces is not None:
            latest = Note.objects.filter(patient=patient, note=replaces).order_by("-version")[:1].get()
            if seen is not None and seen != latest.version:
                raise OvertakenError
            note, version = latest.note, latest.version + 1
        written = Note.objects.create(
            id=number,
            clinic_id=patient.clinic_id,
            patient=patient,
            note=note,
            version=version,
            day=day,
            body=body,
            written_by=by,
            written_at=now,
        )
        audit.record("wrote note", [patient.pk], by.pk)
    return written
