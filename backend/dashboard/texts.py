"""The clinic's own words: which there are, which are missing, and the next version of one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from django import forms
from django.utils.translation import gettext_lazy as _

from backend.dashboard.fields import languages
from backend.people.models import Clinic, ClinicText
from backend.people.texts import in_language, newest

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise

Kind = ClinicText.Kind

KINDS: dict[str, tuple[_StrPromise, _StrPromise]] = {
    Kind.CONSENT: (_("Consent"), _("What a patient agrees to when they enrol. Without it nobody can enrol.")),
    Kind.CRISIS: (_("Crisis"), _("Shown when item 9 of PHQ-9 is answered above zero.")),
    Kind.SUPPORT: (_("Support"), _("Shown when item 9 is left out, or depression is severe.")),
    Kind.EMERGENCY: (_("Emergency"), _("Shown on signs of cauda equina syndrome.")),
    Kind.SEEK_CARE: (_("Seek care"), _("Shown on other red flags.")),
    Kind.ADVERSE_EVENT: (_("Adverse event"), _("Shown on fainting, a seizure, chest pain or a burn.")),
    Kind.FLARE_PLAN: (_("Plan for a flare"), _("Shown on a flare, and when pain stays high.")),
    Kind.WITHDRAWAL: (_("Withdrawal"), _("What happens to the data when consent is withdrawn.")),
}
LONGEST = 20_000


class TextForm(forms.Form):
    body = forms.CharField(
        label=_("Text"),
        max_length=LONGEST,
        widget=forms.Textarea(attrs={"rows": 14}),
        help_text=_("Plain words; a line stays a line. Numbers to call are your own: none is built in."),
    )


@dataclass(frozen=True)
class Cell:
    """One kind in one language: the newest version, or what a phone shows in its place."""

    language: str
    text: ClinicText | None
    instead: ClinicText | None


@dataclass(frozen=True)
class Row:
    kind: str
    title: _StrPromise
    shown_when: _StrPromise
    cells: list[Cell]


def offered(clinic: Clinic) -> list[tuple[str, str]]:
    return languages(clinic.languages)


def table(clinic: Clinic) -> list[Row]:
    """Every kind in every language that the clinic offers. One statement."""
    by_kind: dict[str, list[ClinicText]] = {}
    for text in newest(clinic.pk):
        by_kind.setdefault(text.kind, []).append(text)
    return [
        Row(kind, title, when, [_cell(kind, code, by_kind.get(kind, []), clinic) for code in clinic.languages])
        for kind, (title, when) in KINDS.items()
    ]


def _cell(kind: str, language: str, texts: list[ClinicText], clinic: Clinic) -> Cell:
    text = next((text for text in texts if text.language == language), None)
    # Consent is never asked in another language than the one that was chosen.
    instead = None if text or kind == Kind.CONSENT else in_language(texts, language, clinic.languages)
    return Cell(language, text, instead)
