"""What a clinic says of itself: its languages, where its wall clock hangs, how long it keeps a record."""

from __future__ import annotations

from django import forms
from django.conf.locale import LANG_INFO
from django.db import transaction
from django.http import QueryDict
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from backend.people import changes
from backend.people.models import Clinic, ClinicChange, Patient
from backend.people.zones import known_zones

LONGEST = 100  # years


class SettingsForm(forms.Form):
    languages = forms.CharField(
        label=_("Languages"),
        max_length=100,
        help_text=_("Codes, such as “de, en”. The first one stands in where a text is missing."),
    )
    time_zone = forms.ChoiceField(
        label=_("Time zone"), help_text=_("Of the clinic's wall clock. Each patient lives by their own.")
    )
    keep_years = forms.IntegerField(
        label=_("Years that a record is kept"),
        min_value=1,
        max_value=LONGEST,
        required=False,
        help_text=_("A discharged patient is erased once their record lay untouched for so long. Empty: never."),
    )

    def __init__(self, clinic: Clinic, data: QueryDict | None = None) -> None:
        initial = {
            "languages": ", ".join(clinic.languages),
            "time_zone": clinic.time_zone,
            "keep_years": clinic.keep_years,
        }
        super().__init__(data, initial=initial)
        self.clinic = clinic
        zones = self.fields["time_zone"]
        assert isinstance(zones, forms.ChoiceField)  # noqa: S101  declared above
        zones.choices = [(name, name) for name in sorted(known_zones() | {clinic.time_zone})]

    def clean_languages(self) -> list[str]:
        codes = [code.strip().lower() for code in self.cleaned_data["languages"].split(",")]
        codes = list(dict.fromkeys(filter(None, codes)))
        if unknown := [code for code in codes if code not in LANG_INFO]:
            raise forms.ValidationError(_("No language is called “%(code)s”."), params={"code": unknown[0]})
        if not codes:
            raise forms.ValidationError(_("Name at least one."))
        gone = set(self.clinic.languages) - set(codes)
        spoken = Patient.objects.filter(clinic=self.clinic, language__in=gone).exclude(status=Patient.Status.DISCHARGED)
        if gone and (count := spoken.count()):
            raise forms.ValidationError(
                ngettext(
                    "%(n)s patient is asked in a language that would go. Change theirs first.",
                    "%(n)s patients are asked in a language that would go. Change theirs first.",
                    count,
                )
                % {"n": count}
            )
        return codes

    @transaction.atomic
    def keep(self, by: int) -> None:
        kept = self.cleaned_data
        Clinic.objects.filter(pk=self.clinic.pk).update(**kept)
        said = f"{', '.join(kept['languages'])}; {kept['time_zone']}; kept for {kept['keep_years'] or 'ever'} (years)"
        changes.record(self.clinic, by, ClinicChange.What.SETTINGS, said)
