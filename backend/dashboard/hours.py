"""The forms of a clinic's hours, holidays and on-call chain."""

from __future__ import annotations

from datetime import time
from typing import Any

from django import forms
from django.http import QueryDict
from django.utils.dates import WEEKDAYS
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from backend.dashboard.fields import ClockField, DayField
from backend.people.hours import Span
from backend.people.models import Membership, OnCall, OpeningHours

SPANS = 2  # of a day, and more where the clinic has named more
SAID = {
    False: {"opens": _("opens"), "closes": _("closes")},
    True: {"opens": _("opens again"), "closes": _("closes again")},
}
"""The ends of a day's first span, and of those after it."""


class WeekdayForm(forms.Form):
    """When one weekday opens and closes, and again after a break."""

    def __init__(self, weekday: int, hours: list[OpeningHours], data: QueryDict | None = None) -> None:
        self.weekday = weekday
        self.day = WEEKDAYS[weekday]
        self.spans = max(SPANS, len(hours))
        initial: dict[str, time] = {}
        for n, one in enumerate(hours):
            initial |= {f"opens{n}": one.opens, f"closes{n}": one.closes}
        super().__init__(data, prefix=f"day{weekday}", initial=initial)
        for n in range(self.spans):
            for name, label in SAID[n > 0].items():
                self.fields[f"{name}{n}"] = ClockField(label=format_lazy("{} {}", self.day, label), required=False)

    @property
    def pairs(self) -> list[tuple[forms.BoundField, forms.BoundField]]:
        return [(self[f"opens{n}"], self[f"closes{n}"]) for n in range(self.spans)]

    def clean(self) -> dict[str, Any]:
        self.open: list[Span] = []
        for n in range(self.spans):
            opens, closes = self.cleaned_data.get(f"opens{n}"), self.cleaned_data.get(f"closes{n}")
            if opens is None and closes is None:
                continue
            if opens is None or closes is None:
                self.add_error(f"{'opens' if opens is None else 'closes'}{n}", _("Say both, or neither."))
            elif closes != time(0) and closes <= opens:
                self.add_error(f"closes{n}", _("After it opens; 00:00 is midnight."))
            elif self.open and (self.open[-1][2] == time(0) or opens < self.open[-1][2]):
                self.add_error(f"opens{n}", _("Not before it closes the time before."))
            else:
                self.open.append((self.weekday, opens, closes))
        return self.cleaned_data


class HolidayForm(forms.Form):
    day = DayField(label=_("Day"))
    name = forms.CharField(label=_("What it is"), max_length=100, required=False)


class FallbackForm(forms.Form):
    email = forms.EmailField(
        label=_("E-mail"),
        required=False,
        help_text=_("Told of an alert that nobody of the chain has acknowledged. An address that is read."),
    )


class PlaceForm(forms.Form):
    """One place in the chain: who, and when a duty begins and ends."""

    membership = forms.TypedChoiceField(label=_("Who"), coerce=int)
    weekdays = forms.TypedMultipleChoiceField(
        label=_("A duty begins on"),
        coerce=int,
        choices=list(WEEKDAYS.items()),
        initial=list(WEEKDAYS),
        widget=forms.CheckboxSelectMultiple,
    )
    starts = ClockField(label=_("From"), initial=time(0))
    ends = ClockField(
        label=_("Until"),
        initial=time(0),
        help_text=_("No later than “from”: on the next day. 00:00 to 00:00 is all day."),
    )
    on_holidays = forms.BooleanField(label=_("On the clinic's holidays too"), required=False, initial=True)
    hours = forms.CharField(
        label=_("In words"), max_length=200, help_text=_("For colleagues to read, e.g. “weekdays until six, by phone”.")
    )

    def __init__(self, members: list[Membership], *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["membership"]
        assert isinstance(field, forms.TypedChoiceField)  # noqa: S101  declared above
        field.choices = [(member.pk, member.user.name or member.user.email) for member in members]

    @staticmethod
    def initial_of(place: OnCall) -> dict[str, Any]:
        weekdays = [day for day in WEEKDAYS if place.weekdays >> day & 1]
        names = ("starts", "ends", "on_holidays", "hours")
        return {"membership": place.membership_id, "weekdays": weekdays} | {
            name: getattr(place, name) for name in names
        }

    def place(self) -> OnCall:
        said = self.cleaned_data
        return OnCall(
            membership_id=said["membership"],
            weekdays=sum(1 << day for day in said["weekdays"]),
            **{name: said[name] for name in ("starts", "ends", "on_holidays", "hours")},
        )
