"""The ladder of feared tasks while it is written: rungs that put themselves in order, and the one practised now.

Each rung has a key of its own, named in `rung`; `at` is the key of the one that is practised, or empty: the middle.
"""

from __future__ import annotations

from django import forms
from django.http import QueryDict
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from backend.dashboard.struct_forms import Form
from exercises.plan import Exposure, Rung

MOST_RUNGS = 20


class RungForm(Form):
    task = forms.CharField(label=_("Task, in the patient's words"), max_length=200)
    fear = forms.IntegerField(label=_("Fear of it, 0–100"), min_value=0, max_value=100)
    key: str


class Ladder:
    def __init__(self, data: QueryDict) -> None:
        self.at = data.get("at", "")
        self.rungs = [_rung(data, key) for key in data.getlist("rung")[:MOST_RUNGS]]

    def exposure(self) -> Exposure | None:
        """The ladder from the least to the most feared task, once each rung is valid; None without any rung."""
        if not self.rungs:
            return None
        ordered = sorted(self.rungs, key=lambda rung: rung.cleaned_data["fear"])
        ladder = tuple(Rung(**rung.cleaned_data) for rung in ordered)
        at = next((place for place, rung in enumerate(ordered) if rung.key == self.at), None)
        return Exposure(ladder=ladder, at=at)

    def is_valid(self) -> bool:
        right = [rung.is_valid() for rung in self.rungs]
        seen: set[str] = set()
        for rung in self.rungs:
            task = rung.cleaned_data.get("task")
            if task in seen:
                rung.add_error("task", gettext("Each task stands on the ladder once."))
                right.append(False)
            elif task:
                seen.add(task)
        return all(right)


def _rung(data: QueryDict, key: str) -> RungForm:
    form = RungForm(data, prefix=f"rung-{key}")
    form.key = key
    return form


def with_ladder(data: QueryDict, exposure: Exposure | None) -> None:
    """Write a ladder into `data` as its form would send it."""
    if exposure is None:
        return
    data.setlist("rung", [str(place) for place in range(len(exposure.ladder))])
    data["at"] = str(exposure.at)
    for place, rung in enumerate(exposure.ladder):
        data.update({f"rung-{place}-task": rung.task, f"rung-{place}-fear": str(rung.fear)})


def act(data: QueryDict, what: str, which: str) -> None:
    """Add or take out a rung; in any case put them in order of fear, those without a number last."""
    keys = data.getlist("rung")
    if what == "rung" and len(keys) < MOST_RUNGS:
        keys.append(str(max((int(key) for key in keys if key.isdecimal()), default=-1) + 1))
    elif what == "unrung":
        keys = [key for key in keys if key != which]
    keys.sort(key=lambda key: _fear(data.get(f"rung-{key}-fear", "")))
    data.setlist("rung", keys)


def _fear(said: str) -> int:
    return int(said) if said.isdecimal() and said.isascii() else 101
