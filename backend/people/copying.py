"""A patient's copy of everything that is kept about them: JSON Lines, one row of one table a line, whatever the table.

Which tables there are, `registry.py` says; a test fails when one is missing there.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

import msgspec
from django.apps import apps
from django.db.models import Field, Model
from django.db.models.fields.related import ForeignKey

from backend.people.models import Patient
from backend.people.registry import PATIENT_DATA

# Keys and fingerprints that say nothing, and how colleagues are reached, which is theirs.
LEFT_OUT = {
    "people.Invitation.code_hash",
    "people.Device.session_key",
    "outcomes.Response.digest",
    "exercises.Session.digest",
    "exercises.SessionFollowup.digest",
    "exercises.AdverseEvent.digest",
    "exercises.Proposal.digest",
    "sync.Quarantine.digest",
    "reminders.Call.target",
    "reminders.Message.lease",
    "reminders.Call.lease",
}
# What a number in another table means, in words.
NAMES = {
    "people.Clinic": ("name",),
    "people.CareTeam": ("name",),
    "people.ClinicText": ("kind", "language", "version", "body"),
    "outcomes.Measure": ("code", "title"),
    "outcomes.InstrumentVersion": ("code", "version"),
}
CHUNK = 500


def copy_of(patient: Patient, now: datetime) -> Iterator[bytes]:
    """The copy, line by line: a heading, what the columns mean, then every row. Streams."""
    encode = msgspec.json.Encoder().encode
    yield encode({"type": "copy", "patient": patient.identifier, "clinic": patient.clinic.name, "made_at": now}) + b"\n"
    tables = {data.thing: apps.get_model(label) for label, data in PATIENT_DATA.items() if data.exported}
    meanings = {thing: {each.name: str(each.help_text) for each in fields_of(model)} for thing, model in tables.items()}
    yield encode({"type": "columns", "meaning": meanings}) + b"\n"
    for thing, model in tables.items():
        for row in _rows(model, patient.pk):
            yield encode({"type": thing} | row) + b"\n"


def fields_of(model: type[Model]) -> list[Field[Any, Any]]:
    """The columns of a table that a copy holds."""
    return [field for field in model._meta.concrete_fields if f"{model._meta.label}.{field.name}" not in LEFT_OUT]


def _rows(model: type[Model], patient_id: int) -> Iterator[dict[str, Any]]:
    named = {}
    columns = []
    for field in fields_of(model):
        names = NAMES.get(field.related_model._meta.label, ()) if isinstance(field, ForeignKey) else ()
        if names:
            named[field.name] = names
            columns += [f"{field.name}__{name}" for name in names]
        else:
            columns.append(field.name)
    which = {"pk": patient_id} if model is Patient else {"patient": patient_id}
    for row in model._default_manager.filter(**which).values(*columns).iterator(CHUNK):
        for name, parts in named.items():
            values = {part: row.pop(f"{name}__{part}") for part in parts}
            row[name] = values if len(parts) > 1 else values[parts[0]]
        yield {name: _readable(value) for name, value in row.items()}


def _readable(value: object) -> object:
    """What a phone sent and was refused stands as bytes, as it came."""
    return bytes(value).decode(errors="replace") if isinstance(value, bytes | memoryview) else value
