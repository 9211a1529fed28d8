"""A clinic's own exercise while it is written: the parts of its form, and the entry that they make."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec
from django import forms
from django.http import QueryDict
from django.utils.text import slugify
from django.utils.translation import gettext_lazy as _

from backend.dashboard.catalogue import LEVELS, LICENCES, choices
from backend.dashboard.drafting import DOSES
from backend.dashboard.fields import languages
from backend.dashboard.struct_forms import Form, RangeField, StructForm, struct_form
from exercises.api import codes_in
from exercises.consistency import LICENCES as SHARED_LICENCES
from exercises.entry import LANGUAGE, Change, Codes, Exercise
from exercises.keeping import Flaw

KINDS = [
    ("sets", _("sets of repetitions, seconds or breaths")),
    ("intervals", _("intervals, hard and easy in turn")),
    ("minutes", _("minutes")),
    ("steps", _("steps a day")),
]
LONGEST = 2000


def _lines(label: Any, help_text: Any) -> forms.CharField:
    widget = forms.Textarea(attrs={"rows": 4})
    return forms.CharField(label=label, max_length=LONGEST, widget=widget, help_text=help_text)


def _sentence(label: Any) -> forms.CharField:
    return forms.CharField(label=label, max_length=500, widget=forms.Textarea(attrs={"rows": 2}))


def _listed(text: str) -> list[str]:
    return [line.strip() for line in text.splitlines() if line.strip()]


def _many(label: Any, words: Mapping[str, str], *, required: bool = False) -> forms.MultipleChoiceField:
    widget = forms.CheckboxSelectMultiple
    return forms.MultipleChoiceField(label=label, choices=list(words.items()), required=required, widget=widget)


class HeadForm(Form):
    """What an exercise is, apart from its words, its dose and its steps. A field is named as the part of the entry."""

    def __init__(self, data: QueryDict | None, codes: Codes, initial: Mapping[str, Any], *, new: bool) -> None:
        super().__init__(data, initial=dict(initial))
        if new:
            self.fields["slug"] = forms.RegexField(
                r"^[a-z0-9]+(-[a-z0-9]+)*$",
                label=_("Its name in addresses"),
                max_length=64,
                required=False,
                help_text=_(
                    "Small letters and dashes; empty: made from the name. That of a shared one takes its place here."
                ),
                error_messages={"invalid": _("Small letters, digits and single dashes.")},
            )
        self.fields |= {
            "modality": forms.ChoiceField(label=_("Modality"), choices=choices(codes.modalities, "–")),
            "level": forms.ChoiceField(label=_("Level"), choices=LEVELS),
            "position": forms.ChoiceField(label=_("Position"), choices=choices(codes.positions, "–")),
            "rpe": RangeField(0, 10, label=_("Effort to aim at, 0–10")),
            "met": forms.FloatField(
                label=_("Metabolic equivalents"),
                min_value=1.01,
                max_value=25,
                required=False,
                widget=forms.NumberInput(attrs={"step": "any"}),
                help_text=_("Of aerobic work; empty for others."),
            ),
            "clearance": forms.BooleanField(label=_("Asks for a recorded medical clearance"), required=False),
            "equipment": _many(_("Equipment"), codes.equipment),
            "targets": _many(_("What reviews propose that it acts on"), codes.targets, required=True),
            "contraindications": _many(_("Not for: blocks prescribing"), codes.conditions),
            "precautions": _many(_("With care: shown"), codes.conditions),
            "grade": forms.ChoiceField(label=_("Certainty of the evidence"), choices=choices(codes.grades, "–")),
            "summary": _sentence(_("What the evidence says")),
            "sources": _lines(_("Sources"), _("One a line.")),
            "licence": forms.ChoiceField(
                label=_("Licence of the text"), choices=[(each, LICENCES[each]) for each in SHARED_LICENCES]
            ),
            "author": forms.CharField(label=_("Author"), max_length=200),
        }


class WordsForm(Form):
    """What a patient reads, in one language."""

    name = forms.CharField(label=_("Name"), max_length=100)
    purpose = _sentence(_("What it is for, in one sentence"))
    start = _sentence(_("Start position"))
    steps = _lines(_("Steps"), _("One a line, two at least."))
    breathing = _sentence(_("Breathing"))
    feel = _sentence(_("What it should feel like"))
    stop = _sentence(_("When to stop"))
    easier = _sentence(_("How it is made easier"))
    harder = _sentence(_("How it is made harder"))
    title: str
    language: str

    @property
    def told(self) -> bool:
        """English is always; another language once there is a word of it."""
        return self.language == LANGUAGE or any(str(field.value() or "").strip() for field in self)

    def clean_steps(self) -> list[str]:
        steps = _listed(self.cleaned_data["steps"])
        if len(steps) < 2:
            raise forms.ValidationError(_("Two steps at least, one a line."))
        return steps


class ChangeForm(Form):
    """The next easier or harder form: another exercise, or one variable of this."""

    def __init__(
        self, data: QueryDict | None, codes: Codes, others: Mapping[str, str], change: Change | None, prefix: str
    ) -> None:
        super().__init__(data, prefix=prefix, initial=msgspec.structs.asdict(change) if change else {})
        number: dict[str, Any] = {
            "required": False,
            "min_value": 0.01,
            "widget": forms.NumberInput(attrs={"step": "any"}),
        }
        self.fields |= {
            "to": forms.ChoiceField(
                label=_("Another exercise"), choices=choices(dict(others), _("none")), required=False
            ),
            "variable": forms.ChoiceField(
                label=_("Or one thing changes"), choices=choices(codes.variables, "–"), required=False
            ),
            "by": forms.FloatField(label=_("By how much, if a number of the dose"), **number),
            "limit": forms.FloatField(label=_("And up or down to"), **number),
        }

    @property
    def value(self) -> dict[str, Any]:
        return {name: value for name, value in self.cleaned_data.items() if value not in (None, "")}


class OwnEntry:
    """The whole form. It starts from `entry`, where there is one; `old` is the slug that is kept on a change."""

    def __init__(
        self,
        data: QueryDict | None,
        *,
        language: str,
        spoken: Iterable[str],
        known: Mapping[str, Exercise],
        entry: Exercise | None,
        old: str = "",
    ) -> None:
        codes = codes_in(language)
        self.entry, self.old = entry, old
        names = {slug: each.words_in(language).name for slug, each in known.items() if slug != old}
        names = dict(sorted(names.items(), key=lambda pair: pair[1].casefold()))
        self.head = HeadForm(data, codes, _initial(entry), new=not old)
        kind = data.get("kind", "") if data is not None else (entry and _kind(entry)) or ""
        self.kind = kind if kind in DOSES else "sets"
        same = entry is not None and _kind(entry) == self.kind
        dose = msgspec.structs.asdict(entry.dose) if entry and same else {"sessions_per_week": 3}
        self.dose: StructForm = struct_form(DOSES[self.kind])(data, prefix="dose", initial=dose)
        self.regression = ChangeForm(data, codes, names, entry.regression if entry else None, "regression")
        self.progression = ChangeForm(data, codes, names, entry.progression if entry else None, "progression")
        first = [LANGUAGE, *(each for each in spoken if each != LANGUAGE)]
        self.words = [_words_form(data, entry, code, title) for code, title in languages(first)]

    @property
    def kinds(self) -> list[tuple[str, Any]]:
        return KINDS

    @property
    def forms(self) -> list[Form]:
        return [self.head, self.dose, self.regression, self.progression, *self.words]

    def hush(self) -> None:
        for form in self.forms:
            form.hushed()

    def made(self) -> Exercise | None:
        """The entry, where each part is in order; else each field says what is wrong with it."""
        told = [form for form in self.words if form.told]
        right = [form.is_valid() for form in (self.head, self.dose, self.regression, self.progression, *told)]
        if not all(right):
            return None
        head = dict(self.head.cleaned_data)
        asked = {form.language for form in self.words}
        kept = {code: words for code, words in self.entry.words.items() if code not in asked} if self.entry else {}
        given = {form.language: form.cleaned_data for form in told}
        slug = head.pop("slug", "") or self.old or slugify(given[LANGUAGE]["name"])[:64].strip("-")
        if not slug:
            self.head.add_error("slug", _("Give it one: none can be made from the name."))
            return None
        evidence = {"grade": head.pop("grade"), "summary": head.pop("summary"), "sources": _listed(head.pop("sources"))}
        raw = head | {
            "slug": slug,
            "level": int(head["level"]),
            "evidence": evidence,
            "dose": msgspec.to_builtins(self.dose.value),
            "regression": self.regression.value,
            "progression": self.progression.value,
            "words": msgspec.to_builtins(kept) | given,
        }
        return msgspec.convert(raw, Exercise)

    def refused(self, flaws: Iterable[Flaw]) -> None:
        """Put what was found wrong beside the field that it is about."""
        for field, _code, detail in flaws:
            match field:
                case "regression":
                    self.regression.add_error(None, detail)
                case "progression":
                    self.progression.add_error(None, detail)
                case "evidence.grade":
                    self.head.add_error("grade", detail)
                case _:
                    self.head.add_error(field if field in self.head.fields else None, detail)


def _kind(entry: Exercise) -> str:
    return str(entry.dose.__struct_config__.tag)


def _initial(entry: Exercise | None) -> dict[str, Any]:
    if entry is None:
        return {"licence": "CC0-1.0"}
    evidence = msgspec.structs.asdict(entry.evidence) | {"sources": "\n".join(entry.evidence.sources)}
    return msgspec.structs.asdict(entry) | evidence


def _words_form(data: QueryDict | None, entry: Exercise | None, language: str, title: str) -> WordsForm:
    words = entry.words.get(language) if entry else None
    initial = msgspec.structs.asdict(words) | {"steps": "\n".join(words.steps)} if words else {}
    first = language == LANGUAGE
    form = WordsForm(data, prefix=f"words-{language}", initial=initial, use_required_attribute=first)
    form.language, form.title = language, title
    return form
