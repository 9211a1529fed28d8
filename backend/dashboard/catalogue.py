"""The exercise catalogue as staff look through it, and what is uploaded to one of its exercises."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from django import forms
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from backend.dashboard.doses import dose_words
from exercises.api import ListedExercise, ShownExercise, codes_in, filtered, listed
from exercises.entry import Change, Codes
from exercises.finding import like
from exercises.media import LARGEST_CLIP, LARGEST_PICTURE, MIB, TYPES
from exercises.models import Exercise
from exercises.uploads import CLINIC_LICENCES, LONGEST, OWN_USE

MOST = 200
"""Exercises on the page; the shared catalogue has half as many."""

LEVELS = [("1", _("1, to begin with")), ("2", _("2, in between")), ("3", _("3, hard"))]

LICENCES = {
    "CC0-1.0": _("CC0: free for everybody"),
    "CC-BY-4.0": _("CC BY: free, the author is named"),
    "CC-BY-SA-4.0": _("CC BY-SA: free, the author is named, changes stay free"),
    OWN_USE: _("our own, for our patients alone"),
}


def choices(words: Mapping[str, Any], empty: Any = None) -> list[tuple[str, Any]]:
    return [*([("", empty)] if empty else []), *words.items()]


class LookForm(forms.Form):
    """What is looked for; nothing is everything."""

    q = forms.CharField(label=_("Find"), max_length=100, required=False, widget=forms.SearchInput)

    def __init__(self, data: Any, codes: Codes) -> None:
        super().__init__(data)
        for name, label, words in (
            ("modality", _("Modality"), codes.modalities),
            ("level", _("Level"), dict(LEVELS)),
            ("position", _("Position"), codes.positions),
            ("target", _("Target, a hypothesis"), codes.targets),
        ):
            self.fields[name] = forms.ChoiceField(label=label, choices=choices(words, _("any")), required=False)
        self.fields["equipment"] = forms.MultipleChoiceField(
            label=_("At home there is only"),
            choices=choices(codes.equipment),
            required=False,
            widget=forms.CheckboxSelectMultiple,
        )

    def found(self, rows: QuerySet[Exercise], language: str) -> list[ListedExercise]:
        """Those of the rows that are looked for, the likest first; all of them while something asked for is no code."""
        asked = self.cleaned_data if self.is_valid() else {}
        wanted = {name: str(value) for name, value in asked.items() if name != "equipment" and value}
        if asked.get("equipment"):
            wanted["equipment"] = ",".join(asked["equipment"])
        rows = filtered(rows, wanted)
        words = wanted.get("q", "").strip()
        rows = like(rows, words) if words else rows.order_by("modality", "level", "slug")
        return [listed(row, language) for row in rows[:MOST]]


@dataclass(frozen=True)
class Line:
    """An exercise in the list, in words."""

    row: ListedExercise
    modality: str
    position: str


def lines(rows: Iterable[ListedExercise], language: str) -> list[Line]:
    codes = codes_in(language)
    return [Line(row, codes.modalities[row.modality], codes.positions[row.position]) for row in rows]


class MediaForm(forms.Form):
    """A picture or a clip for an exercise. What kind of file it is says its content."""

    file = forms.FileField(
        label=_("Picture or clip"),
        widget=forms.FileInput(attrs={"accept": ",".join(f".{ending}" for ending in [*TYPES, "jpeg"])}),
        help_text=_(
            "JPEG, PNG or WebP up to %(picture)d MB, MP4 or WebM up to %(clip)d MB. Where it was taken is removed."
        )
        % {"picture": LARGEST_PICTURE // MIB, "clip": LARGEST_CLIP // MIB},
    )
    alternative_text = forms.CharField(
        label=_("What is to be seen"),
        max_length=LONGEST["alternative_text"],
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text=_("Read out to who can't see it."),
    )
    licence = forms.ChoiceField(
        label=_("Licence"), choices=[("", "–"), *((each, LICENCES[each]) for each in CLINIC_LICENCES)]
    )
    author = forms.CharField(label=_("Author"), max_length=LONGEST["author"])


@dataclass(frozen=True)
class Fact:
    label: Any
    value: str


def facts(shown: ShownExercise, language: str) -> Iterator[Fact]:
    """What a clinician wants to know of an exercise, beside what its patients read."""
    codes = codes_in(language)
    said = [
        (_("Modality"), codes.modalities[shown.modality]),
        (_("Level"), str(shown.level)),
        (_("Position"), codes.positions[shown.position]),
        (_("Equipment"), ", ".join(codes.equipment[code] for code in shown.equipment)),
        (_("Usual dose"), dose_words(shown.dose)),
        (_("Times a week"), str(shown.dose.sessions_per_week)),
        (_("Effort, 0–10"), f"{shown.rpe[0]}–{shown.rpe[1]}"),
        (_("Metabolic equivalents"), f"{shown.met:g}" if shown.met else ""),
        (_("Clearance"), str(_("asks for a recorded medical clearance")) if shown.clearance else ""),
        (_("Not for"), "; ".join(codes.conditions[code] for code in shown.contraindications)),
        (_("With care"), "; ".join(codes.conditions[code] for code in shown.precautions)),
        (_("What reviews propose"), "; ".join(shown.hypotheses)),
        (_("Evidence"), f"{shown.certainty}: {shown.evidence.summary}"),
        (_("Sources"), "; ".join(shown.evidence.sources)),
        (_("Licence of the text"), f"{shown.licence}, {shown.author}"),
    ]
    return (Fact(label, value) for label, value in said if value)


def change_words(change: Change, codes: Codes) -> str:
    """What a step easier or harder changes, where it leads to no other exercise."""
    words = codes.variables.get(change.variable or "", "")
    return (
        f"{words}, {change.by:g} at a time up to {change.limit:g}"
        if change.by is not None and change.limit is not None
        else words
    )
