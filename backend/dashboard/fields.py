"""Form fields that look the same on every page."""

from __future__ import annotations

from typing import Any

from django import forms


class DayField(forms.DateField):
    """A day, picked from the browser's own calendar."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"), **kwargs)
