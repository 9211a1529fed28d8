"""A programme while it is written. All there is of it stands in the form, so that the server keeps no half-made plans.

The form names each exercise in `item`, in order; what belongs to one has its slug as prefix. So an exercise moves by
moving its part of the form, by hand or by `act`, and nothing else has to change.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django import forms
from django.http import QueryDict
from django.utils.dates import WEEKDAYS
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from backend.dashboard import ladder
from backend.dashboard.fields import ClockField, DayField
from backend.dashboard.struct_forms import Form, StructForm, posted, struct_form
from exercises.dose import Dose, Intervals, Minutes, Sets, Steps
from exercises.entry import Exercise
from exercises.models import Prescription
from exercises.plan import Item, Limits, Phase, Plan
from exercises.prescribing import RefusedError, entries_of, find_exercises

MOST_ITEMS, MOST_PHASES = 30, 10

DOSES: dict[str, type[Dose]] = {"sets": Sets, "intervals": Intervals, "minutes": Minutes, "steps": Steps}

EACH_WEEK = frozenset({"sessions_per_week"})  # follows from the weekdays

MODES = [
    ("pain-contingent", _("by symptoms: pain 4–5 holds")),
    ("quota", _("by quota: grows by the calendar, whatever the pain up to 5")),
]
FORMS = [("usual", _("as described")), ("easier", _("in its easier form")), ("harder", _("in its harder form"))]


class HeadForm(Form):
    """What a programme is as a whole. A change has a reason; a new one has none."""

    title = forms.CharField(label=_("Title"), max_length=200)
    day = DayField(label=_("Starts on"))
    weekdays = forms.TypedMultipleChoiceField(
        label=_("Weekdays"),
        choices=[(str(number + 1), name) for number, name in WEEKDAYS.items()],
        coerce=int,
        widget=forms.CheckboxSelectMultiple,
    )
    opens = ClockField(label=_("Asked from"))
    closes = ClockField(label=_("until"))
    mode = forms.ChoiceField(label=_("Grows"), choices=MODES, widget=forms.Select({"class": "long"}))
    step_back = forms.IntegerField(
        label=_("May ease by itself, % of the volume"),
        min_value=0,
        max_value=50,
        help_text=_("Your signature: within it the dose may be held or eased without asking. 0: never."),
    )
    step_up = forms.BooleanField(label=_("May step up by itself"), required=False)
    reason = forms.CharField(label=_("Why it is changed"), max_length=500)

    def __init__(self, data: QueryDict, *, changes: bool) -> None:
        super().__init__(data)
        if changes:
            self.fields["day"].label = _("Holds from")
        else:
            del self.fields["reason"]


class PhaseForm(StructForm):
    struct = Phase
    name = forms.CharField(label=_("Phase"), max_length=100)
    goal = forms.CharField(label=_("Goal"), max_length=500)
    weeks = forms.IntegerField(label=_("Weeks"), min_value=1, max_value=52)
    key: str
    value: Phase


class ItemForm(Form):
    form = forms.ChoiceField(label=_("Done"), choices=FORMS)
    note = forms.CharField(label=_("Your word to the patient"), max_length=500, required=False)


@dataclass
class DraftItem:
    """An exercise of the draft. Without `entry` it stands in the catalogue no more."""

    slug: str
    entry: Exercise | None
    name: str
    kind: str
    dose: StructForm
    rest: ItemForm
    problem: str = ""


class Draft:
    def __init__(self, data: QueryDict, clinic_id: int, language: str, old: Prescription | None) -> None:
        """What is to follow `old`, or a new programme."""
        self.data = data
        self.problem = ""
        self.head = HeadForm(data, changes=old is not None)
        slugs = items_of(data)
        self.exercises = find_exercises(slugs, clinic_id, entries_of(old) if old else None)
        self.items = [self._item(slug, language) for slug in slugs]
        self.phases = [self._phase(key) for key in data.getlist("phase")[:MOST_PHASES]]
        self.ladder = ladder.Ladder(data)

    def _item(self, slug: str, language: str) -> DraftItem:
        entry = self.exercises.get(slug)
        kind = _kind(entry.dose) if entry else self.data.get(f"{slug}-kind", "minutes")
        dose = struct_form(DOSES.get(kind, Minutes), EACH_WEEK)(self.data, prefix=slug)
        dose.given = {"sessions_per_week": len(self.data.getlist("weekdays")) or 1}
        name = entry.words_in(language).name if entry else slug
        return DraftItem(slug, entry, name, kind, dose, ItemForm(self.data, prefix=slug))

    def _phase(self, key: str) -> PhaseForm:
        form = PhaseForm(self.data, prefix=f"phase-{key}")
        form.key = key
        return form

    @property
    def entries(self) -> list[Exercise]:
        return [item.entry for item in self.items if item.entry]

    @property
    def forms(self) -> Iterable[Form]:
        yield self.head
        for item in self.items:
            yield from (item.dose, item.rest)
        yield from (*self.phases, *self.ladder.rungs)

    def hush(self) -> None:
        """Show what there is without saying what is missing."""
        for form in self.forms:
            form.hushed()

    def plan(self) -> Plan | None:
        """The plan, where everything is in order; else each field says what is wrong with it."""
        right = [*(form.is_valid() for form in self.forms), self.ladder.is_valid()]
        if not self.items:
            self.problem = gettext("A programme has at least one exercise: add one.")
        if self.problem or not all(right):
            return None
        head = self.head.cleaned_data
        if head["opens"] >= head["closes"]:
            self.head.add_error("closes", gettext("The window closes after it opens."))
            return None
        return Plan(
            title=head["title"],
            items=tuple(
                Item(exercise=each.slug, dose=each.dose.value, **each.rest.cleaned_data) for each in self.items
            ),
            weekdays=tuple(sorted(head["weekdays"])),
            opens=head["opens"],
            closes=head["closes"],
            mode=head["mode"],
            limits=Limits(step_back=head["step_back"], step_up=head["step_up"]),
            phases=tuple(phase.value for phase in self.phases),
            exposure=self.ladder.exposure(),
        )

    def refused(self, error: RefusedError) -> None:
        """Put what was refused beside the field that it is about."""
        match error.field.split("."):
            case ["starts_on" | "from_day"]:
                self.head.add_error("day", error.detail)
            case ["items", place, "dose", name]:
                self.items[int(place)].dose.add_error(name, error.detail)
            case ["items", place, *_rest]:
                self.items[int(place)].problem = error.detail
            case _:
                self.problem = error.detail

    def overrides(self, keys: Iterable[str]) -> dict[str, str]:
        """The written reasons against these blocks of the safety gate."""
        given = {key: self.data.get(f"override-{key}", "").strip()[:500] for key in keys}
        return {key: reason for key, reason in given.items() if reason}


def items_of(data: QueryDict) -> list[str]:
    return [slug[:64] for slug in dict.fromkeys(data.getlist("item"))][:MOST_ITEMS]


def _kind(dose: Dose) -> str:
    return next(kind for kind, struct in DOSES.items() if isinstance(dose, struct))


def form_data(plan: Plan, **more: Any) -> QueryDict:
    """The form as it would be sent to write this very plan."""
    data = QueryDict(mutable=True)
    data.setlist("weekdays", [str(day) for day in plan.weekdays])
    data.setlist("item", [item.exercise for item in plan.items])
    data.setlist("phase", [str(number) for number in range(len(plan.phases))])
    data.update({"title": plan.title, "mode": plan.mode, "step_back": str(plan.limits.step_back)})
    data.update({"opens": f"{plan.opens:%H:%M}", "closes": f"{plan.closes:%H:%M}"})
    if plan.limits.step_up:
        data["step_up"] = "on"
    for item in plan.items:
        _with_item(data, item)
    for number, phase in enumerate(plan.phases):
        posted(phase, f"phase-{number}", data)
    ladder.with_ladder(data, plan.exposure)
    data.update({name: str(value) for name, value in more.items()})
    return data


def blank(**more: Any) -> QueryDict:
    """A form to start from nothing: three days a week, within the day."""
    data = QueryDict(mutable=True)
    data.setlist("weekdays", ["1", "3", "5"])
    limits = Limits()
    data.update({"opens": "08:00", "closes": "21:00", "mode": "pain-contingent", "step_back": str(limits.step_back)})
    data.update({name: str(value) for name, value in more.items()})
    return data


def _with_item(data: QueryDict, item: Item) -> None:
    posted(item.dose, item.exercise, data)
    data.update({f"{item.exercise}-form": item.form, f"{item.exercise}-note": item.note})
    data[f"{item.exercise}-kind"] = _kind(item.dose)


def act(sent: QueryDict, clinic_id: int) -> QueryDict:
    """The form after its button `do` was pressed: an exercise, a phase or a rung added, moved or taken out."""
    data = sent.copy()
    what, _colon, which = data.get("do", "").partition(":")
    items, phases = items_of(data), data.getlist("phase")
    match what:
        case "add" if which not in items and len(items) < MOST_ITEMS:
            for slug, entry in find_exercises([which], clinic_id).items():
                _with_item(data, Item(exercise=slug, dose=entry.dose))
                items.append(slug)
        case "remove":
            items = [slug for slug in items if slug != which]
        case "up" | "down":
            _move(items, which, -1 if what == "up" else 1)
        case "phase" if len(phases) < MOST_PHASES:
            phases.append(str(max((int(key) for key in phases if key.isdecimal()), default=-1) + 1))
        case "unphase":
            phases = [key for key in phases if key != which]
        case "rung" | "unrung" | "order":
            ladder.act(data, what, which)
    data.setlist("item", items)
    data.setlist("phase", phases)
    return data


def _move(items: list[str], which: str, by: int) -> None:
    if which in items and 0 <= (to := items.index(which) + by) < len(items):
        items.remove(which)
        items.insert(to, which)


def reasons_given(overrides: Iterable[Mapping[str, str]]) -> dict[str, str]:
    """Reasons kept with a version, as the form of the next one starts out with them."""
    return {f"override-{each['key']}": each["reason"] for each in overrides}
