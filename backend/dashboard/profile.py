"""Who a patient is: entered and changed by the colleagues of their care team."""

from __future__ import annotations

from datetime import date
from typing import Any

from django import forms
from django.db import transaction
from django.utils.translation import gettext_lazy as _

from backend.dashboard.entry import Desk
from backend.dashboard.fields import DayField, languages
from backend.people import audit
from backend.people.enrolment import ADULT, is_adult
from backend.people.models import CareTeam, Patient
from backend.people.staff_api import saved
from backend.people.writes import next_revision_here

FIRST_YEAR = 1900  # of birth; before it a century was mistyped


class ProfileForm(forms.Form):
    identifier = forms.CharField(
        label=_("Identifier"), max_length=64, help_text=_("Your clinic's own number for this person.")
    )
    name = forms.CharField(label=_("Name"), max_length=200, required=False)
    date_of_birth = DayField(
        label=_("Date of birth"), required=False, help_text=_("A phone must say the same date before a code works.")
    )
    language = forms.ChoiceField(label=_("Language"), help_text=_("Questions and reminders come in it."))
    care_team = forms.ModelChoiceField(CareTeam.objects.none(), label=_("Care team"), empty_label=None)

    def __init__(self, desk: Desk, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.today = desk.today
        self._field("language", forms.ChoiceField).choices = languages(desk.clinic.languages or ["en"])
        self._field("care_team", forms.ModelChoiceField).queryset = desk.teams

    def _field[F: forms.Field](self, name: str, kind: type[F]) -> F:
        field = self.fields[name]
        assert isinstance(field, kind)  # noqa: S101  so it is declared above
        return field

    def clean_date_of_birth(self) -> date | None:
        born: date | None = self.cleaned_data["date_of_birth"]
        if born and not FIRST_YEAR <= born.year <= self.today.year:
            raise forms.ValidationError(_("Nobody alive was born then."))
        if born and not is_adult(born, self.today):
            raise forms.ValidationError(_("This is for people of %(years)s years and over.") % {"years": ADULT})
        return born


def profile_of(patient: Patient) -> dict[str, Any]:
    return {name: getattr(patient, name) for name in ProfileForm.base_fields}


@transaction.atomic
def enter(desk: Desk, profile: dict[str, Any]) -> Patient:
    """A new patient of the clinic; their phone says later in which zone they are. Raises Problem."""
    patient = saved(Patient(clinic=desk.clinic, time_zone=desk.clinic.time_zone, **profile))
    audit.record("write profile", [patient.pk], desk.user.pk)
    return patient


@transaction.atomic
def change(desk: Desk, patient: Patient, profile: dict[str, Any]) -> None:
    """Raises Problem."""
    next_revision_here(patient)
    for name, value in profile.items():
        setattr(patient, name, value)
    saved(patient, list(profile))
    audit.record("write profile", [patient.pk], desk.user.pk)
