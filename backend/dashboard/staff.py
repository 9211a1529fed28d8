"""The forms of a clinic's staff and care teams."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from backend.people.models import Clinic, Membership, Role

ROLES = [
    (Role.CLINICIAN.value, _("Clinician: sees the patients of their care teams")),
    (Role.ADMIN.value, _("Admin: sees every patient and changes these pages")),
]


class ColleagueForm(forms.Form):
    email = forms.EmailField(label=_("E-mail"), help_text=_("They sign in with it. The letter goes there."))
    name = forms.CharField(
        label=_("Name"), max_length=200, required=False, help_text=_("A known account keeps the name that it has.")
    )
    role = forms.ChoiceField(label=_("Role"), choices=ROLES)


class MembersField(forms.ModelMultipleChoiceField):  # type: ignore[type-arg]  # not at runtime
    def label_from_instance(self, member: Membership) -> str:
        return member.user.name or member.user.email


class TeamForm(forms.Form):
    name = forms.CharField(label=_("Name of the team"), max_length=200)
    members = MembersField(
        Membership.objects.none(), label=_("Members"), required=False, widget=forms.CheckboxSelectMultiple
    )

    def __init__(self, members: list[Membership], clinic: Clinic, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["members"]
        assert isinstance(field, MembersField)  # noqa: S101  declared above
        field.queryset = Membership.objects.filter(clinic=clinic)
        # The list that the page has anyway: not one statement for each team.
        field.choices = [(member.pk, field.label_from_instance(member)) for member in members]
