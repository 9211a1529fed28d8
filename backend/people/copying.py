"""A patient's copy of everything that is kept about them: JSON Lines, one row of one table a line, whatever the table.

Which tables there are, `registry.py` says; a test fails when one is missing there.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime
from functools import cache
from typing import Any

import msgspec
from django.apps import apps
from django.db.models import F, Field, Model, QuerySet
from django.db.models.fields.related import ForeignKey

from backend.people.models import Clinic, Patient
from backend.people.registry import PATIENT_DATA
from backend.rest.flat import csv_lines

# Keys, fingerprints that nothing is restored by, what lets anybody push to a phone, and how colleagues are reached.
LEFT_OUT = {
    "people.Invitation.code_hash",
    "people.Device.session_key",
    "outcomes.Response.digest",
    "sync.Quarantine.digest",
    "reminders.Call.target",
    "reminders.Address.target",
    "reminders.Message.lease",
    "reminders.Call.lease",
}
# What a number in another table means, in words.
NAMES = {
    "people.Clinic": ("name",),
    "people.CareTeam": ("name",),
    "people.ClinicText": ("kind", "language", "version", "body", "published_at"),
    "outcomes.Measure": ("code", "title"),
    "outcomes.InstrumentVersion": ("code", "version"),
}
CHUNK = 500


def copy_of(patient: Patient, now: datetime, recorded_at: Clinic | None = None) -> Iterator[bytes]:
    """The copy, line by line: a heading, what the columns mean, then every row. Streams.

    `recorded_at`: only what was recorded at this clinic, which the patient has left.
    """
    encode = msgspec.json.Encoder().encode
    heading = {"patient": patient.identifier, "clinic": (recorded_at or patient.clinic).name, "made_at": now}
    if recorded_at is not None:
        del heading["patient"]  # the number that the other clinic has given them
    yield encode({"type": "copy"} | heading) + b"\n"
    meanings = {
        thing: {each.name: str(each.help_text) for each in fields_of(model)} for thing, model in _kept().items()
    }
    yield encode({"type": "columns", "meaning": meanings}) + b"\n"
    yield from records(Patient.objects.filter(pk=patient.pk), recorded_at)


def _kept() -> dict[str, type[Model]]:
    return {data.thing: apps.get_model(label) for label, data in PATIENT_DATA.items() if data.exported}


def records(patients: QuerySet[Patient], recorded_at: Clinic | None = None) -> Iterator[bytes]:
    """Every row of every table that is kept about these patients, table by table. Streams.

    `recorded_at`: only those of this clinic; the patient's own row is that of the clinic where they are now.
    """
    encode = msgspec.json.Encoder().encode
    for thing, model in _kept().items():
        if recorded_at is not None and model is Patient:
            continue
        for row in _rows(model, patients, recorded_at):
            yield encode({"type": thing} | row) + b"\n"


def tables() -> dict[str, type[Model]]:
    """The tables that are offered as CSV, by a name for a file; answers and scores have better ones of their own."""
    return {thing.replace(" ", "-"): model for thing, model in _kept().items() if thing not in ("responses", "scores")}


def csv_of_table(name: str, patients: QuerySet[Patient]) -> Iterator[str]:
    """One line a row, beginning with the clinic's own number for the person."""
    model = tables()[name]
    rows = _rows(model, patients) if model is Patient else _rows(model, patients, identifier="patient__identifier")
    return csv_lines(list(columns_of(model)), (_flat(model, row) for row in rows))


def columns_of(model: type[Model]) -> dict[str, str]:
    """The columns of a table's CSV, and what they mean."""
    found = {"identifier": "the clinic's own number for the person"}
    for field in fields_of(model):
        names, meaning = _names(field), str(field.help_text or field.verbose_name)
        if len(names) > 1:
            found |= {f"{field.name}.{name}": f"{meaning}: {name}" for name in names}
        else:
            found.setdefault(field.name, meaning)
    return found


@cache
def _columns(model: type[Model]) -> list[tuple[str, str]]:
    """Each column's field, and which part of what it names."""
    return [(name, part) for name, _, part in (column.partition(".") for column in columns_of(model))]


def _flat(model: type[Model], row: dict[str, Any]) -> list[object]:
    return [_cell(row[name][part] if part else row[name]) for name, part in _columns(model)]


def _cell(value: object) -> object:
    if isinstance(value, dict | list):
        return msgspec.json.encode(value).decode()
    return value.isoformat() if isinstance(value, date) else value


def fields_of(model: type[Model]) -> list[Field[Any, Any]]:
    """The columns of a table that a copy holds."""
    return [field for field in model._meta.concrete_fields if f"{model._meta.label}.{field.name}" not in LEFT_OUT]


def _rows(
    model: type[Model], patients: QuerySet[Patient], recorded_at: Clinic | None = None, **more: str
) -> Iterator[dict[str, Any]]:
    """`more`: further columns by the name they get."""
    named = {}
    columns = []
    for field in fields_of(model):
        names = _names(field)
        if names != ("",):
            named[field.name] = names
            columns += [f"{field.name}__{name}" for name in names]
        else:
            columns.append(field.name)
    which: dict[str, Any] = {"pk__in": patients} if model is Patient else {"patient__in": patients}
    if recorded_at is not None:
        which["clinic"] = recorded_at
    found = model._default_manager.filter(**which).values(*columns, **{name: F(path) for name, path in more.items()})
    for row in found.iterator(CHUNK):
        for name, parts in named.items():
            values = {part: row.pop(f"{name}__{part}") for part in parts}
            row[name] = values if len(parts) > 1 else values[parts[0]]
        yield {name: _readable(value, fingerprint=name == "digest") for name, value in row.items()}


def _names(field: Field[Any, Any]) -> tuple[str, ...]:
    """What of another table says what a number in this column means; one empty name where it says so itself."""
    return NAMES.get(field.related_model._meta.label, ("",)) if isinstance(field, ForeignKey) else ("",)


def _readable(value: object, *, fingerprint: bool) -> object:
    """What a phone sent and was refused stands as bytes, as it came."""
    if not isinstance(value, bytes | memoryview):
        return value
    return bytes(value).hex() if fingerprint else bytes(value).decode(errors="replace")
