"""What plans of questions and templates of programmes there are, in words."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from django import forms
from django.db.models import Count
from django.http import QueryDict
from django.utils.formats import time_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from backend.dashboard.doses import dose_words
from backend.people.models import Clinic
from backend.reminders.following_up import ShownChoice, choices
from backend.reminders.models import Schedule
from backend.reminders.scheduling import ScheduleError, plans, refusals
from backend.reminders.slots import Burst, Days, Points, Rule, Weeks, Window
from exercises.library import library as catalogue
from exercises.templates import Template, templates
from outcomes import library

ANCHORS = {
    "enrolment": gettext_lazy("from enrolment"),
    "programme-start": gettext_lazy("from the start of the programme"),
    "surgery": gettext_lazy("from the surgery"),
    "date": gettext_lazy("from a day that is set"),
    "prescription": gettext_lazy("as the programme says"),
}
DAYS = [
    gettext_lazy("Mon"),
    gettext_lazy("Tue"),
    gettext_lazy("Wed"),
    gettext_lazy("Thu"),
    gettext_lazy("Fri"),
    gettext_lazy("Sat"),
    gettext_lazy("Sun"),
]


@dataclass(frozen=True)
class Ask:
    """One instrument of a plan. `why_not`: why it can't be asked here; `patients`: who is asked for it, by any plan."""

    code: str
    title: str
    when: str
    why_not: ScheduleError | None
    patients: int


@dataclass(frozen=True)
class Plan:
    name: str
    title: str
    asks: list[Ask]


def plans_of(clinic: Clinic) -> list[Plan]:
    """A fixed number of statements, however many patients."""
    why_not = refusals(clinic)
    asked = Schedule.objects.filter(clinic=clinic, active=True, asks=Schedule.Asks.INSTRUMENT).values("code")
    patients = dict(asked.annotate(n=Count("patient", distinct=True)).values_list("code", "n"))
    return [
        Plan(
            name,
            plan.title,
            [
                Ask(
                    ask.code,
                    library.get(ask.code).title,
                    in_words(ask.rule),
                    why_not.get(ask.code),
                    patients.get(ask.code, 0),
                )
                for ask in plan.ask
            ],
        )
        for name, plan in plans().items()
    ]


def in_words(rule: Rule) -> str:
    """When a rule asks, such as "every 4 weeks from enrolment; 09:00 to 20:00 six days later"."""
    often = "" if rule.anchor == "prescription" else _pattern(rule.pattern)
    when = " ".join(filter(None, [often, _burst(rule.burst), str(ANCHORS[rule.anchor])]))
    windows = ", ".join(_window(window) for window in rule.windows)
    nudges = rule.remind.nudges + 1
    remind = ngettext("up to %(n)d reminder", "up to %(n)d reminders", nudges) % {"n": nudges}
    return "; ".join(filter(None, [when, windows, remind]))


def _pattern(pattern: Days | Weeks | Points) -> str:
    match pattern:
        case Days():
            return ngettext("every day", "every %(n)d days", pattern.every) % {"n": pattern.every}
        case Weeks():
            weeks = ngettext("every week", "every %(n)d weeks", pattern.every) % {"n": pattern.every}
            return weeks + "".join(f" {DAYS[day - 1]}" for day in pattern.on)
        case Points():
            return _(" and ").join(_points(pattern))


def _points(points: Points) -> Iterator[str]:
    days = [str(day) for day in points.days if day]
    if len(days) < len(points.days):
        yield _("on the day itself")
    if days:
        yield _("after %(list)s days") % {"list": ", ".join(days)}
    if points.months:
        yield _("after %(list)s months") % {"list": ", ".join(map(str, points.months))}


def _burst(burst: Burst | None) -> str:
    if burst is None:
        return ""
    return _("for %(days)d days every %(months)d months") % {"days": burst.days, "months": burst.months}


def _window(window: Window) -> str:
    said = {"opens": time_format(window.opens, "H:i"), "closes": time_format(window.closes, "H:i"), "n": window.days}
    if window.days == 0:
        return _("%(opens)s to %(closes)s") % said
    return (
        ngettext("%(opens)s to %(closes)s on the next day", "%(opens)s to %(closes)s, %(n)d days later", window.days)
        % said
    )


class FollowUpForm(forms.Form):
    """What is asked after one positive screen."""

    code = forms.ChoiceField(label=gettext_lazy("Ask for"))

    def __init__(self, choice: ShownChoice, data: QueryDict | None = None) -> None:
        super().__init__(data, initial={"code": choice.chosen}, auto_id=f"id_{choice.screen}_%s")
        self.choice = choice
        self.fields["code"] = forms.ChoiceField(
            label=gettext_lazy("Ask for"), choices=[(code, library.get(code).title) for code in choice.offered]
        )


@dataclass(frozen=True)
class Screen:
    """A screen that asks further when it is positive. `now` is the title of what it asks for."""

    choice: ShownChoice
    title: str
    now: str
    form: FollowUpForm


def screens(clinic: Clinic, refused: FollowUpForm | None = None) -> list[Screen]:
    """`refused` is one of the forms as it came back."""
    found = {each.screen: each for each in choices(clinic)}
    return [
        Screen(
            each,
            library.get(each.screen).title,
            library.get(each.chosen or each.offered[0]).title,
            refused if refused and refused.choice.screen == each.screen else FollowUpForm(each),
        )
        for each in found.values()
    ]


@dataclass(frozen=True)
class Programme:
    """A template with its exercises and their doses in words."""

    template: Template
    modality: str
    weekdays: str
    exercises: list[tuple[str, str]]


def programmes() -> Iterator[Programme]:
    """The templates that ship. No statement."""
    modalities = catalogue().codes["en"].modalities
    for template in templates().values():
        exercises = [
            (catalogue().exercises[item.exercise].words_in("en").name, dose_words(item.dose))
            for item in template.plan.items
        ]
        yield Programme(
            template,
            modalities.get(template.modality, _("several")),
            " ".join(str(DAYS[day - 1]) for day in template.plan.weekdays),
            exercises,
        )
