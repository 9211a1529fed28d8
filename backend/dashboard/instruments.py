"""What a clinic can ask: which instruments, in which words, and how it reads them."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from backend.people.models import Clinic
from backend.reminders.scheduling import ScheduleError, refusals
from outcomes import library, packs
from outcomes.choices import Choice
from outcomes.instrument import Instrument, Score, score_range
from outcomes.shown import ShownInstrument, shown
from outcomes.soundness import Flaw

LARGEST = 512 * 1024


@dataclass(frozen=True)
class Line:
    """An instrument in the list. `why_not`: why it can't go to a phone."""

    instrument: Instrument
    languages: list[str]
    why_not: ScheduleError | None


def lines(clinic: Clinic) -> list[Line]:
    """All instruments; a fixed number of statements."""
    languages, why_not = packs.languages_of(clinic.pk), refusals(clinic)
    return [Line(each, languages[each.code], why_not.get(each.code)) for each in library.newest()]


@dataclass(frozen=True)
class Preview:
    """An instrument as a phone shows it, and the languages in which it can."""

    shown: ShownInstrument
    languages: list[str]


def preview(clinic: Clinic, instrument: Instrument, language: str) -> Preview | None:
    """In the language that is asked for, or another that there are words in; None where there are none."""
    texts = packs.texts_of(clinic.pk, instrument)
    return Preview(shown(instrument, texts, language), sorted(texts)) if texts else None


class TextForm(forms.Form):
    """A text that the clinic may use, and on what grounds."""

    file = forms.FileField(
        label=_("File"), help_text=_("TOML, as described in docs/instrument-texts.md; up to half a megabyte.")
    )
    licence = forms.CharField(
        label=_("Licence"),
        max_length=500,
        help_text=_("On what grounds the clinic may show these words: licence number, letter, contract."),
    )
    attested = forms.BooleanField(label=_("I confirm that the clinic may show these words to its patients."))

    def clean_file(self) -> dict[str, Any]:
        """What the file holds."""
        file = self.cleaned_data["file"]
        if (file.size or 0) > LARGEST:
            raise forms.ValidationError(_("This is too large for a text."))
        try:
            return tomllib.loads(file.read().decode())
        except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
            raise forms.ValidationError(_("This is no TOML: %(why)s"), params={"why": str(error)[:200]}) from error


class TableField(forms.CharField):
    """A licensed table, pasted: two numbers a line."""

    widget = forms.Textarea(attrs={"rows": 5, "spellcheck": "false"})

    @staticmethod
    def written(table: Mapping[int, float]) -> str:
        return "\n".join(f"{raw}, {value}" for raw, value in sorted(table.items()))

    def clean(self, value: Any) -> dict[int, float]:
        table = {}
        for number, line in enumerate(super().clean(value).splitlines(), 1):
            if not line.strip():
                continue
            found = re.fullmatch(r"(\d{1,9})[\s,;]+(-?\d{1,9}(?:\.\d{1,9})?)", line.strip(), re.ASCII)
            if found is None:
                why = _("Line %(n)s is not two numbers with a comma between them.")
                raise forms.ValidationError(why, params={"n": number})
            table[int(found[1])] = float(found[2])
        return table


class ReadingForm(forms.Form):
    """Where the bands of an instrument begin, and how many of its items may be missing."""

    def __init__(self, instrument: Instrument, choice: Choice, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.instrument = instrument
        self.choice = choice
        for score in instrument.scores:
            self.fields.update(dict(self._fields(score)))

    def _fields(self, score: Score) -> Iterator[tuple[str, forms.Field]]:
        title = score.title or score.name
        low, high = score_range(self.instrument, score)
        for band in score.bands[1:]:
            yield (
                f"cutoff.{score.name}.{band.name}",
                forms.FloatField(
                    label=_("%(score)s: %(band)s from") % {"score": title, "band": band.name},
                    required=False,
                    min_value=low,
                    max_value=high,
                    initial=self.choice.cutoffs.get(score.name, {}).get(band.name),
                    widget=forms.NumberInput(attrs={"placeholder": f"{band.from_:g}", "step": "any"}),
                ),
            )
        if score.clinic_table:
            yield (
                f"table.{score.name}",
                TableField(
                    label=_("%(score)s: the table that the clinic may use") % {"score": title},
                    required=False,
                    initial=TableField.written(self.choice.tables.get(score.name, {})),
                    help_text=_("One line a value: what was answered, then what it is worth, as in “11111, 1.000”."),
                ),
            )
        if score.items and score.form in ("sum", "mean", "percent") and score.blank is None:
            yield (
                f"missing.{score.name}",
                forms.IntegerField(
                    label=_("%(score)s: items that may be missing") % {"score": title},
                    required=False,
                    min_value=0,
                    max_value=len(score.items) - 1,
                    initial=self.choice.max_missing.get(score.name),
                    widget=forms.NumberInput(attrs={"placeholder": str(score.max_missing)}),
                ),
            )

    def chosen(self) -> dict[str, Any]:
        """The choice as `outcomes.choices.choose` takes it."""
        tables: dict[str, dict[int, float]] = {}
        cutoffs: dict[str, dict[str, float]] = {}
        max_missing: dict[str, int] = {}
        for name, value in self.cleaned_data.items():
            kind, score, *band = name.split(".")
            if value is None:
                continue
            if kind == "cutoff":
                cutoffs.setdefault(score, {})[band[0]] = value
            elif kind == "table":
                tables |= {score: value} if value else {}
            else:
                max_missing[score] = value
        return {"cutoffs": cutoffs, "max_missing": max_missing, "tables": tables}

    def refused(self, flaw: Flaw) -> None:
        """What the choice as a whole was refused for, next to the table where it is about that."""
        tables = [name for name in self.fields if name.startswith("table.")]
        self.add_error(tables[0] if flaw.field == "tables" and tables else None, flaw.why)
