"""The rules of red flags as a clinic reads them, and the forms by which it moves their numbers within bounds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django import forms
from django.utils.formats import number_format
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from backend.people.models import Clinic
from outcomes.alert_rules import BY_CODE, Bounded, Rule
from outcomes.clinic_rules import rules_of
from outcomes.models import ClinicRule

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise

NUMBERS: dict[str, _StrPromise] = {
    "limit": _("To be acknowledged within"),
    "at_least": _("From"),
    "rise": _("Rise"),
    "rise_percent": _("Rise in per cent"),
    "reports": _("On at least"),
    "of_last": _("Of the last"),
    "days": _("For"),
    "jump": _("Jump"),
    "pain_above": _("Pain above"),
    "times": _("In at least"),
    "within_days": _("Within"),
    "silent_days": _("Silent for"),
    "pain_at_least": _("Pain from"),
    "depression_at_least": _("Depression from"),
    "lasting_days": _("Lasting"),
    "share_below": _("Below"),
    "over_days": _("Over"),
    "ears_below": _("EARS below"),
}


@dataclass(frozen=True)
class Number:
    """One number of a rule as it holds in the clinic."""

    name: str
    bound: Bounded
    default: float

    @property
    def title(self) -> str:
        return str(NUMBERS[self.name])

    @property
    def movable(self) -> bool:
        return self.bound.least < self.bound.most

    @property
    def moved(self) -> bool:
        return self.bound.value != self.default


class NumbersForm(forms.Form):
    """What is left empty is the default again."""

    def __init__(self, numbers: list[Number], *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.defaults = {number.name: number.default for number in numbers}
        for number in numbers:
            bound = number.bound
            help_text = _now("%(least)s to %(most)s %(unit)s; the default is %(default)s.") % {
                "least": number_format(int(bound.least)),
                "most": number_format(int(bound.most)),
                "unit": bound.unit,
                "default": number_format(int(number.default)),
            }
            self.fields[number.name] = forms.IntegerField(
                label=number.title,
                initial=int(bound.value),
                min_value=int(bound.least),
                max_value=int(bound.most),
                required=False,
                help_text=help_text,
            )

    def own(self) -> dict[str, float]:
        """The numbers that differ from the default: only these are the clinic's own."""
        said = self.cleaned_data.items()
        return {name: value for name, value in said if value is not None and value != self.defaults[name]}


@dataclass(frozen=True)
class Shown:
    rule: Rule
    numbers: list[Number]
    form: NumbersForm | None  # None where no number may be moved
    changed: ClinicRule | None  # who moved a number last

    @property
    def own(self) -> bool:
        return any(number.moved for number in self.numbers)


def numbers_of(rule: Rule) -> list[Number]:
    defaults = BY_CODE[rule.code].bounds()
    return [Number(name, bound, defaults[name].value) for name, bound in rule.bounds().items()]


def form_of(rule: Rule, data: Any = None) -> NumbersForm | None:
    movable = [number for number in numbers_of(rule) if number.movable]
    return NumbersForm(movable, data, prefix=rule.code) if movable else None


def shown(clinic: Clinic, refused: NumbersForm | None = None) -> list[Shown]:
    """Every rule as it holds in the clinic, most urgent first. Two statements. `refused` is a form that came back."""
    own = ClinicRule.objects.filter(clinic=clinic).select_related("changed_by").order_by("version")
    changed = {one.rule: one for one in own}
    found = []
    for rule in rules_of([clinic.pk])[clinic.pk].values():
        mine = refused if refused is not None and refused.prefix == rule.code else form_of(rule)
        found.append(Shown(rule, numbers_of(rule), mine, changed.get(rule.code)))
    return found
