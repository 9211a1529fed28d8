"""The form of one schedule: which instrument, in which rhythm, in which windows. It gives back the rule.

What a rule can hold and the form doesn't ask for (bursts, first and last day, how often is reminded) stays as it was.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from django import forms
from django.http import QueryDict
from django.utils.dates import WEEKDAYS
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from backend.dashboard.fields import ClockField, DayField
from backend.dashboard.plans import ANCHORS
from backend.reminders.scheduling import COUNTED_FROM, Offer, ScheduleError
from backend.reminders.slots import Days, Points, Remind, Rule, RuleError, Weeks, read_rule

ROOM = 3  # windows a day that the form has room for, unless the rule has more of them

RHYTHMS = [("days", _("every so many days")), ("weeks", _("every so many weeks")), ("points", _("at single points"))]


class OffsetsField(forms.CharField):
    """Whole numbers with commas between them."""

    def clean(self, value: Any) -> list[int]:
        parts = super().clean(value).replace(",", " ").split()
        if any(not re.fullmatch(r"-?\d{1,4}", part) for part in parts):
            raise forms.ValidationError(_("Whole numbers, with commas between them."))
        return [int(part) for part in parts]


class ScheduleForm(forms.Form):
    """`old` is the rule that is changed; without it, one more instrument is asked for, of those `offered`."""

    code = forms.ChoiceField(label=_("Instrument"))
    rhythm = forms.ChoiceField(label=_("Asked"), choices=RHYTHMS)
    every = forms.IntegerField(
        label=_("How many days or weeks"), min_value=1, max_value=366, required=False, help_text=_("1: each of them.")
    )
    on = forms.TypedMultipleChoiceField(
        label=_("On these weekdays"),
        choices=[(str(number + 1), name) for number, name in WEEKDAYS.items()],
        coerce=int,
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=_("Of every so many weeks; none: the weekday of the first day."),
    )
    days = OffsetsField(
        label=_("Single points, in days"), required=False, max_length=200, help_text=_("Such as “0, 14”.")
    )
    months = OffsetsField(
        label=_("Single points, in months"), required=False, max_length=200, help_text=_("Such as “3, 6, 12”.")
    )
    anchor = forms.ChoiceField(
        label=_("Counted"), choices=[(name, words) for name, words in ANCHORS.items() if name != "prescription"]
    )
    anchor_on = DayField(
        label=_("That day"), required=False, help_text=_("Of the surgery, or the day that is set; else empty.")
    )
    nudges = forms.IntegerField(
        label=_("Reminders after the first"), min_value=0, max_value=5, help_text=_("While the window is open.")
    )

    def __init__(
        self,
        data: QueryDict | None,
        *,
        offered: Sequence[Offer] = (),
        old: Rule | None = None,
        anchor_on: date | None = None,
    ) -> None:
        self.kept = old.to_json() if old else {}
        super().__init__(data, initial=_initial(old, anchor_on))
        if old is None:
            self.fields["code"] = forms.ChoiceField(
                label=_("Instrument"),
                choices=[("", "–"), *((each.code, each.title) for each in offered if not each.why_not)],
            )
        else:
            del self.fields["code"]
        windows = old.windows if old else ()
        self.room = max(ROOM, len(windows))
        for n in range(self.room):
            window = windows[n] if n < len(windows) else None
            self.fields[f"opens_{n}"] = ClockField(
                label=_("Window %(n)s opens") % {"n": n + 1}, required=n == 0, initial=window and window.opens
            )
            self.fields[f"closes_{n}"] = ClockField(
                label=_("closes"), required=n == 0, initial=window and window.closes
            )
            self.fields[f"later_{n}"] = forms.IntegerField(
                label=_("so many days later"),
                min_value=0,
                max_value=92,
                required=False,
                initial=window.days if window else 0,
                help_text=_("0: on the same day."),
            )
        self.rule: Rule | None = None

    @property
    def rhythm_fields(self) -> list[forms.BoundField]:
        return [self[name] for name in self.fields if name.partition("_")[0] not in ("opens", "closes", "later")]

    @property
    def windows(self) -> list[list[forms.BoundField]]:
        return [[self[f"{part}_{n}"] for part in ("opens", "closes", "later")] for n in range(self.room)]

    def clean(self) -> dict[str, Any]:
        found = self.cleaned_data
        if not self.errors:
            self._need(found)
        if not self.errors:
            try:
                self.rule = read_rule(self._rule(found))
            except RuleError as error:
                self._refused(str(error))
        return found

    def _need(self, found: Mapping[str, Any]) -> None:
        """What can be said of a field before the rule as a whole is looked at."""
        if found["rhythm"] == "points" and not found["days"] and not found["months"]:
            self.add_error("days", gettext("Name at least one point, in days or in months."))
        if found["rhythm"] != "points" and found["every"] is None:
            self.add_error("every", gettext("Say how many."))
        if found["anchor"] in COUNTED_FROM and found["anchor_on"] is None:
            self.add_error("anchor_on", gettext("Say which day."))
        if found["anchor"] not in COUNTED_FROM and found["anchor_on"] is not None:
            self.add_error("anchor_on", gettext("Leave it empty: this is counted from another day."))
        for n in range(self.room):
            opens, closes = found[f"opens_{n}"], found[f"closes_{n}"]
            if (opens is None) != (closes is None):
                missing = "opens" if opens is None else "closes"
                self.add_error(f"{missing}_{n}", gettext("A window has a beginning and an end."))
            elif opens is not None and closes <= opens and not found[f"later_{n}"]:
                self.add_error(f"closes_{n}", gettext("It closes before it opens. Past midnight: 1 day later."))

    def _rule(self, found: Mapping[str, Any]) -> dict[str, Any]:
        match found["rhythm"]:
            case "points":
                pattern = {"days": found["days"], "months": found["months"]}
            case "weeks":
                pattern = {"every": found["every"], "on": sorted(found["on"])}
            case _:
                pattern = {"every": found["every"]}
        windows = [
            {"opens": found[f"opens_{n}"], "closes": found[f"closes_{n}"], "days": found[f"later_{n}"] or 0}
            for n in range(self.room)
            if found[f"opens_{n}"] is not None
        ]
        return self.kept | {
            "pattern": {"type": found["rhythm"]} | pattern,
            "windows": windows,
            "anchor": found["anchor"],
            "remind": self.kept.get("remind", {}) | {"nudges": found["nudges"]},
        }

    def _refused(self, why: str) -> None:
        """The rule says what is wrong with it, and where."""
        said, _at, place = why.partition(" - at ")
        window = re.search(r"windows\[(\d+)\]", place)
        if window:
            self.add_error(f"closes_{window[1]}", said)
        elif "overlap" in said:
            self.add_error(
                "opens_0", gettext("Windows stand in order and don't overlap, this day's or the next one's.")
            )
        elif "pattern" in place:
            name = next((name for name in ("days", "months", "every", "on") if f".{name}" in place), "rhythm")
            self.add_error(name, said)
        else:
            self.add_error(None, said)

    def refused(self, error: ScheduleError) -> None:
        """What was refused deeper down."""
        self.add_error(error.field if error.field in self.fields else None, str(error))


def _initial(old: Rule | None, anchor_on: date | None) -> dict[str, Any]:
    if old is None:
        return {"rhythm": "days", "every": 1, "anchor": "enrolment", "nudges": Remind().nudges}
    found: dict[str, Any] = {"anchor": old.anchor, "anchor_on": anchor_on, "nudges": old.remind.nudges, "every": 1}
    match old.pattern:
        case Days(every=every):
            return found | {"rhythm": "days", "every": every}
        case Weeks(every=every, on=on):
            return found | {"rhythm": "weeks", "every": every, "on": on}
        case Points(days=days, months=months):
            return found | {"rhythm": "points", "days": _listed(days), "months": _listed(months)}


def _listed(numbers: Sequence[int]) -> str:
    return ", ".join(map(str, numbers))
