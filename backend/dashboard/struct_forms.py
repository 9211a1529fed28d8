"""Forms made from the structures of the other rooms.

A structure such as a dose says itself what its parts are and within which bounds: its form asks for just that, and
gives back the structure.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any, ClassVar

import msgspec
from django import forms
from django.forms.utils import ErrorDict
from django.http import QueryDict
from django.utils.translation import gettext_lazy as _
from msgspec import inspect

from backend.dashboard.field_words import CHOICES, LABELS
from backend.dashboard.fields import ClockField, DayField


class Form(forms.Form):
    """A form that can show what was filled in so far without complaining that it isn't finished."""

    def hushed(self) -> None:
        self._errors = ErrorDict()


class _Ends(forms.MultiWidget):
    """Two numbers, the lower and the upper end."""

    use_fieldset = True

    def __init__(self, low: int | None, high: int | None) -> None:
        bounds = {"min": low, "max": high}
        ends = ({"aria-label": _("from")}, {"aria-label": _("to")})
        super().__init__([forms.NumberInput(attrs=bounds | end) for end in ends], {"class": "end"})

    def decompress(self, value: Any) -> list[Any]:
        return list(value) if value else [None, None]


class RangeField(forms.MultiValueField):
    def __init__(self, low: int | None, high: int | None, **kwargs: Any) -> None:
        ends = [forms.IntegerField(min_value=low, max_value=high) for _end in range(2)]
        super().__init__(ends, widget=_Ends(low, high), **kwargs)

    def compress(self, data_list: list[Any]) -> tuple[Any, ...] | None:
        return tuple(data_list) if data_list else None


class StructForm(Form):
    """Asks for the parts of a structure, but for those that are `given`. `value` is it, once the form is valid."""

    struct: ClassVar[type[msgspec.Struct]]
    given: Mapping[str, Any] = {}
    whole: bool = True  # false while a part that is given isn't known yet
    value: Any

    def clean(self) -> dict[str, Any]:
        asked = self.cleaned_data
        if self.whole and not self.errors:
            parts = {name: value for name, value in asked.items() if value not in (None, "")}
            try:
                self.value = msgspec.convert({**parts, **self.given, **_tag(self.struct)}, self.struct)
            except msgspec.ValidationError as error:
                self.add_error(None, str(error).partition(" - at ")[0])
        return asked


def _tag(struct: type[msgspec.Struct]) -> dict[str, Any]:
    config = struct.__struct_config__
    return {config.tag_field: config.tag} if config.tag_field else {}


@cache
def struct_form(struct: type[msgspec.Struct], but: frozenset[str] = frozenset()) -> type[StructForm]:
    """The form of a structure, without the parts named in `but`."""
    info = inspect.type_info(struct)
    assert isinstance(info, inspect.StructType)  # noqa: S101
    fields = {field.name: _field(field) for field in info.fields if field.name not in but}
    return type(f"{struct.__name__}Form", (StructForm,), {"struct": struct, **fields})


def _field(part: inspect.Field) -> forms.Field:
    kind, required = part.type, part.required
    if isinstance(kind, inspect.UnionType):
        (kind,) = (each for each in kind.types if not isinstance(each, inspect.NoneType))
        required = False
    default = None if part.default is msgspec.NODEFAULT else part.default
    common: dict[str, Any] = {"label": LABELS[part.name], "required": required, "initial": default}
    match kind:
        case inspect.IntType(ge=low, le=high):
            return forms.IntegerField(min_value=low, max_value=high, **common)
        case inspect.FloatType(ge=low, gt=above, le=high):
            widget = forms.NumberInput(attrs={"step": "any"})
            return forms.FloatField(
                min_value=low if low is not None else above, max_value=high, widget=widget, **common
            )
        case inspect.BoolType():
            return forms.BooleanField(**common | {"required": False})
        case inspect.DateType():
            return DayField(**common)
        case inspect.TimeType():
            return ClockField(**common)
        case inspect.LiteralType(values=values):
            return forms.ChoiceField(choices=_choices(values, required), **common)
        case inspect.TupleType(item_types=(inspect.IntType(ge=low, le=high), _second)):
            return RangeField(low, high, **common)
        case inspect.StrType(max_length=longest):
            return forms.CharField(max_length=longest, **common)
    raise TypeError(f"no field for {part.name}: {kind}")


def _choices(values: Iterable[Any], required: bool) -> list[tuple[str, Any]]:
    named = [(str(value), CHOICES.get(str(value), str(value).replace("-", " "))) for value in values]
    return [("", "–"), *named] if required else named


def posted(value: msgspec.Struct, prefix: str, into: QueryDict) -> None:
    """Write a structure into `into` as its form with this prefix would send it."""
    for name, part in msgspec.structs.asdict(value).items():
        if part is True:
            into[f"{prefix}-{name}"] = "on"
        elif isinstance(part, tuple):
            for end, number in enumerate(part):
                into[f"{prefix}-{name}_{end}"] = str(number)
        elif part is not None and part is not False:
            into[f"{prefix}-{name}"] = str(part)
