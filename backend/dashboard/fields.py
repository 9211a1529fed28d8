"""Form fields that look the same on every page."""

from __future__ import annotations

from typing import Any

from django import forms
from django.conf.locale import LANG_INFO

from backend.rest.problems import Problem


class DayField(forms.DateField):
    """A day, picked from the browser's own calendar."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"), **kwargs)


class ClockField(forms.TimeField):
    """A time of day."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(widget=forms.TimeInput(attrs={"type": "time"}, format="%H:%M"), **kwargs)


def languages(codes: list[str]) -> list[tuple[str, str]]:
    """A choice of languages, each by the name that its speakers give it."""
    return [(code, LANG_INFO.get(code, {}).get("name_local", code)) for code in codes]


def tell(form: forms.Form, problem: Problem) -> None:
    """Put what was refused deeper down next to the field that it is about."""
    form.add_error(problem.field if problem.field in form.fields else None, str(problem.detail))
