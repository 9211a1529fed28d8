"""A patient's move to another clinic, as its pages show it."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from backend.dashboard.entry import Desk
from backend.people.models import CareTeam, Clinic, Transfer
from backend.people.transferring import destinations, open_ones


class ProposalForm(forms.Form):
    to = forms.ModelChoiceField(Clinic.objects.none(), label=_("To which clinic"))

    def __init__(self, clinic: Clinic, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["to"]
        assert isinstance(field, forms.ModelChoiceField)  # noqa: S101  declared above
        field.queryset = destinations(clinic)


class ArrivalForm(forms.Form):
    identifier = forms.CharField(
        label=_("Identifier"), max_length=64, help_text=_("Your clinic's own number for this person.")
    )
    care_team = forms.ModelChoiceField(CareTeam.objects.none(), label=_("Care team"), empty_label=None)

    def __init__(self, desk: Desk, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["care_team"]
        assert isinstance(field, forms.ModelChoiceField)  # noqa: S101  declared above
        field.queryset = desk.teams


def arriving(desk: Desk) -> list[Transfer]:
    """Whoever has agreed to come here, for an admin to accept; before they agree nobody here knows of it."""
    if not desk.is_admin:
        return []
    agreed = open_ones().filter(to_clinic=desk.clinic).exclude(agreed="")
    return list(agreed.select_related("patient", "clinic").order_by("agreed_at"))
