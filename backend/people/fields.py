"""Kinds of fields that several forms have."""

from __future__ import annotations

from datetime import date
from typing import Any

from django.utils import timezone
from rest_framework import serializers

from backend.people import zones
from backend.rest.problems import in_words


class ZoneField(serializers.CharField):
    """An IANA name of a time zone."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(max_length=64, **kwargs)

    def to_internal_value(self, data: Any) -> str:
        name = super().to_internal_value(data)
        if name not in zones.known_zones():
            raise serializers.ValidationError(in_words("No such time zone; an IANA name is meant."), code="unknown")
        return name


class BirthField(serializers.DateField):
    """A date of birth; a mistyped century is none."""

    def to_internal_value(self, value: Any) -> date:
        born: date = super().to_internal_value(value)
        if not 1900 <= born.year <= timezone.now().year:
            raise serializers.ValidationError(in_words("Nobody alive was born then."), code="out_of_range")
        return born
