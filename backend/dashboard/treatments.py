"""Other treatments in words, and the forms by which they and their sessions are entered."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, get_args

import msgspec
from django import forms
from django.http import QueryDict
from django.utils.translation import gettext_lazy as _

from backend.dashboard.field_words import CHOICES, LABELS
from backend.dashboard.fields import DayField
from backend.dashboard.struct_forms import Form, StructForm, posted, struct_form
from exercises.models import Treatment
from exercises.treatments import PARAMETERS, BrainStimulation, Details, Given, GivenEvent

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise

KINDS: dict[str, _StrPromise] = {
    "brain-stimulation": _("Brain stimulation"),
    "pain-neuroscience-education": _("Pain education"),
    "cbt": _("Cognitive behavioural therapy"),
    "manual-therapy": _("Manual therapy"),
    "motor-imagery": _("Motor imagery"),
    "injection": _("Injection"),
    "drug-change": _("Drug change"),
    "surgery": _("Surgery"),
    "work-status": _("Work"),
    "life-event": _("Life event"),
}

STRUCTS: dict[str, type[msgspec.Struct]] = {
    str(struct.__struct_config__.tag): struct for struct in get_args(Details.__value__)
}

EVENTS = 3
"""Adverse events that the form of one session has room for."""


def kinds() -> list[tuple[str, _StrPromise]]:
    return list(KINDS.items())


@dataclass(frozen=True)
class Described:
    row: Treatment
    title: str
    details: list[tuple[str, str]]

    @property
    def course(self) -> bool:
        return self.row.kind == "brain-stimulation"

    @property
    def planned(self) -> int | None:
        planned: int | None = self.row.details.get("planned_sessions")
        return planned


def described(row: Treatment) -> Described:
    return Described(row, title_of(row), words(row.details))


def title_of(row: Treatment) -> str:
    """Such as "Brain stimulation: rTMS"; what it was, in two or three words."""
    main = next((row.details[name] for name in MAIN if row.details.get(name)), "")
    return f"{KINDS[row.kind]}: {CHOICES.get(main, main)}" if main else str(KINDS[row.kind])


MAIN = ("modality", "drug", "technique", "substance", "procedure", "topic", "status", "what", "stage")


def words(content: Mapping[str, Any]) -> list[tuple[str, str]]:
    """The parts of a structure as it is stored, each with its label."""
    return [(str(LABELS[name]), _said(value)) for name, value in content.items() if name != "kind"]


def _said(value: Any) -> str:
    if isinstance(value, bool):
        return str(_("yes") if value else _("no"))
    return str(CHOICES.get(str(value), value))


class FrameForm(Form):
    """What every treatment has."""

    starts_on = DayField(label=_("From"))
    ends_on = DayField(label=_("Until"), required=False, help_text=_("Empty: it goes on, or was on one day."))
    note = forms.CharField(label=_("Note"), max_length=2000, required=False, widget=forms.Textarea(attrs={"rows": 2}))


def details_form(kind: str, data: QueryDict | None = None) -> StructForm:
    return struct_form(STRUCTS[kind])(data, prefix="details")


def sent(row: Treatment) -> QueryDict:
    """The form of a treatment as it would be sent to enter it just so."""
    data = QueryDict(mutable=True)
    posted(msgspec.convert(row.details, Details), "details", data)
    data.update({"starts_on": str(row.starts_on), "ends_on": str(row.ends_on or ""), "note": row.note})
    return data


class SessionForms:
    """The three parts of the form of one session: the session itself, its parameters, and room for adverse events."""

    def __init__(self, course: BrainStimulation, data: QueryDict | None, day: str) -> None:
        self.frame = struct_form(Given, frozenset({"parameters", "events"}))(
            data, prefix="given", initial={"day": day, "completed": True}
        )
        self.parameters = struct_form(PARAMETERS[course.modality])(data, prefix="parameters")
        self.events = [
            struct_form(GivenEvent)(data, prefix=f"event-{n}", use_required_attribute=False) for n in range(EVENTS)
        ]

    def value(self) -> Given | None:
        """What was given, where everything is in order; each part says what is wrong with it."""
        told = [form for form in self.events if form["kind"].data or form["severity"].data]
        right = [form.is_valid() for form in (self.parameters, *told)]
        self.frame.whole = all(right)
        if self.frame.whole:
            events = [msgspec.to_builtins(form.value) for form in told]
            self.frame.given = {"parameters": msgspec.to_builtins(self.parameters.value), "events": events}
        given: Given | None = self.frame.value if self.frame.is_valid() and self.frame.whole else None
        return given

    @property
    def parts(self) -> list[StructForm]:
        return [self.frame, self.parameters, *self.events]

    def refused(self, field: str, detail: str) -> None:
        self.frame.add_error(field if field in self.frame.fields else None, detail)
