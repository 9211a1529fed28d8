"""Takes programmes, what was done of them, treatments and baselines back in from records.jsonl of an export.

Rows keep their keys and their content as it was; who wrote them is left out, as colleagues do not come along. What is
there already is left. Adherence is computed anew, and so are trends.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime
from itertools import batched
from typing import Any, NamedTuple, Self
from uuid import UUID

import msgspec
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import BinaryField, CompositePrimaryKey, Field, Model
from django.db.models.fields.related import ForeignKey

from backend.people import audit
from backend.people.copying import fields_of
from backend.people.models import Clinic, Patient, User
from backend.people.registry import PATIENT_DATA
from backend.people.writes import next_revisions
from exercises.models import (
    AdverseEvent,
    Clearance,
    Condition,
    Pause,
    Preferences,
    Prescription,
    Proposal,
    Session,
    SessionFollowup,
    Treatment,
    TreatmentSession,
)
from exercises.plan import Plan
from exercises.prescribing import RefusedError, check_near, today_of
from exercises.series import refresh, spans_of
from outcomes.exporting import OWN, own_name
from outcomes.importing import WITHDRAWN, known_patients, own_code
from outcomes.loading import measure_ids
from outcomes.models import Baseline, Trend
from outcomes.store import mark_due

BATCH = 1000
# In an order in which rows find what they point at.
MODELS: tuple[type[Model], ...] = (
    *(Baseline, Condition, Preferences, Clearance, Prescription, Pause, Proposal),
    *(Treatment, TreatmentSession, Session, SessionFollowup, AdverseEvent),
)
TABLES = {PATIENT_DATA[model._meta.label].thing: model for model in MODELS}
# Their own numbers mean nothing elsewhere; what tells one row from another does.
NATURAL: Mapping[type[Model], tuple[str, ...]] = {
    Baseline: ("measure_id", "version"),
    Condition: ("code", "since", "entered_at"),
    Clearance: ("screen", "cleared_on", "entered_at"),
    Preferences: (),
}
PARENTS: Mapping[type[Model], str] = {Proposal: "prescription", TreatmentSession: "treatment"}


class Restored(msgspec.Struct):
    """What became of the records, or a part of them. `refused`: line and reason."""

    lines: int = 0
    rows: int = 0
    duplicates: int = 0
    passed_over: int = 0
    refused: list[tuple[int, str]] = []

    def __iadd__(self, other: Restored) -> Self:
        for name in self.__struct_fields__:
            setattr(self, name, getattr(self, name) + getattr(other, name))
        return self


class _Row(NamedTuple):
    line: int
    patient: int
    row: Any


class _WrongError(Exception):
    """Why a line can't be taken."""


def restore(lines: Iterable[bytes], clinic: Clinic, now: datetime) -> Iterator[Restored]:
    """So many lines at a time, each batch whole or not at all. The patients must be there: see outcomes.restoring."""
    people: dict[int, int] = {}
    for batch in batched(enumerate(lines, 1), BATCH, strict=False):
        done = Restored(lines=len(batch))
        with transaction.atomic():
            found = _read(batch, clinic, now, people, done)
            if found:
                _restore(found, clinic, now, done)
        yield done


def _read(
    batch: Sequence[tuple[int, bytes]], clinic: Clinic, now: datetime, people: dict[int, int], done: Restored
) -> dict[type[Model], list[_Row]]:
    """The rows by their tables. `people`: the patients' numbers, theirs to ours; it grows with their profiles."""
    read = []
    profiles: dict[str, int] = {}
    for number, text in batch:
        try:
            line = msgspec.json.decode(text, type=dict[str, Any])
            if line.get("type") == "profile":
                profiles[str(line["identifier"])] = int(line["id"])
            elif line.get("type") in TABLES:
                read.append((number, line))
            else:
                done.passed_over += 1
        except (msgspec.DecodeError, KeyError, ValueError) as error:
            done.refused.append((number, f"not a record: {error}"))
    people |= {profiles[name]: ours for name, ours in known_patients(profiles, clinic).items() if ours != WITHDRAWN}
    done.passed_over += len(profiles)
    found = defaultdict(list)
    for number, line in read:
        model = TABLES[line["type"]]
        try:
            theirs = line.get("patient")
            ours = people.get(theirs) if isinstance(theirs, int) else None
            if ours is None:
                raise _WrongError("patient: there is no such patient who takes part; restore responses.jsonl first")
            found[model].append(_Row(number, ours, _row(model, line, ours, clinic, now)))
        except _WrongError as error:
            done.refused.append((number, str(error)))
    return found


def _row(model: type[Model], line: Mapping[str, Any], patient: int, clinic: Clinic, now: datetime) -> Model:
    values: dict[str, Any] = {"patient_id": patient, "clinic_id": clinic.pk}
    for field in fields_of(model):
        ours = field.name in ("patient", "clinic", "rev") or field.generated or (field.primary_key and model in NATURAL)
        if ours or field.name not in line:
            continue
        if isinstance(field, ForeignKey):
            values[field.attname] = _pointed_at(field, line[field.name], clinic)
        else:
            values[field.name] = _value(field, line[field.name])
    try:
        if model is Prescription:
            msgspec.convert(values.get("plan"), Plan)
        check_near(now.date(), **{name: values.get(name) for name in _DAYS if isinstance(values.get(name), date)})
    except msgspec.ValidationError as error:
        raise _WrongError(f"plan: {error}") from None
    except RefusedError as error:
        raise _WrongError(f"{error.field}: {error}") from None
    return model(**values)


def _value(field: Field[Any, Any], value: Any) -> Any:
    if value in field.empty_values:  # which a form would not allow, and a table does
        return value
    try:
        return bytes.fromhex(value) if isinstance(field, BinaryField) else field.clean(value, None)
    except ValidationError as error:
        raise _WrongError(f"{field.name}: {' '.join(error.messages)}") from None
    except (ValueError, TypeError) as error:
        raise _WrongError(f"{field.name}: {error}") from None


_DAYS = ("starts_on", "ends_on", "from_day", "to_day", "local_day")


def _pointed_at(field: ForeignKey[Any, Any], value: Any, clinic: Clinic) -> Any:
    if field.related_model is User:
        return None
    if field.name == "measure":
        code = str(value["code"]) if isinstance(value, dict) and "code" in value else ""
        number = measure_ids().get(own_code(clinic, own_name(code)) if code.startswith(OWN) else code)
        if number is None:
            raise _WrongError(f"measure: there is no {code!r} here")
        return number
    try:
        return UUID(str(value))
    except ValueError:
        raise _WrongError(f"{field.name}: not an id") from None


def _restore(found: Mapping[type[Model], list[_Row]], clinic: Clinic, now: datetime, done: Restored) -> None:
    numbers = sorted({row.patient for rows in found.values() for row in rows})
    revisions = next_revisions(numbers)
    patients = Patient.objects.in_bulk(numbers)
    today = {number: today_of(patient, now) for number, patient in patients.items()}
    written: dict[int, int] = defaultdict(int)
    days: list[tuple[int, date]] = []
    for model in MODELS:
        for row in _insert(model, found.get(model, []), revisions, done):
            written[row.patient] += 1
            days += _days(row, today[row.patient])
    if not written:
        return
    done.rows = sum(written.values())
    audit.record_each("restore records", written, user_id=None)
    refresh(spans_of(days, today))
    mark_due(
        Trend.objects.filter(patient__in=[*written]).values_list("patient_id", "measure_id", "clinic_id"),
    )


def _days(row: _Row, today: date) -> Iterator[tuple[int, date]]:
    """The first and the last day whose adherence the row bears on."""
    match row.row:
        case Prescription() as version:
            first, last = version.starts_on, version.ends_on or today
        case Pause() as pause:
            first, last = pause.from_day, pause.to_day or today
        case Session() as session:
            first = last = session.local_day
        case _:
            return
    yield row.patient, first
    yield row.patient, max(first, min(last, today))


def _insert(model: type[Model], rows: Sequence[_Row], revisions: Mapping[int, int], done: Restored) -> Iterator[_Row]:
    if not rows:
        return
    new: dict[tuple[Any, ...], _Row] = {}
    standing = _standing(model, rows)
    parents = _parents(model, rows)
    for row in rows:
        key = _key(model, row.row)
        owner = standing.get(key)
        if owner == row.patient or key in new:
            done.duplicates += 1
        elif owner is not None:
            done.refused.append((row.line, "id: another patient here has it; who moves within a server is transferred"))
        elif (parent := PARENTS.get(model)) and (row.patient, getattr(row.row, f"{parent}_id")) not in parents:
            done.refused.append((row.line, f"{parent}: this patient has no such one"))
        else:
            if any(field.name == "rev" for field in model._meta.concrete_fields):
                row.row.rev = revisions[row.patient]
            new[key] = row
    if model is Baseline:  # the rule's own, made here since the answers came back, give way to those that stood
        there = Baseline.objects.filter(patient__in=revisions, set_by=None, reason="")
        way = [row.pk for row in there if _key(Baseline, row) in new]
        Baseline.objects.filter(pk__in=way).delete()
    model._default_manager.bulk_create([row.row for row in new.values()])
    yield from new.values()


def _key(model: type[Model], row: Any) -> tuple[Any, ...]:
    if model in NATURAL:
        return (row.patient_id, *(getattr(row, name) for name in NATURAL[model]))
    if isinstance(model._meta.pk, CompositePrimaryKey):
        return row.patient_id, row.id
    return (row.id,)


def _standing(model: type[Model], rows: Sequence[_Row]) -> dict[tuple[Any, ...], int]:
    """Who has what is there under these keys."""
    if model in NATURAL:
        there: Iterable[Any] = model._default_manager.filter(patient__in={row.patient for row in rows})
    else:
        there = model._default_manager.filter(id__in=[row.row.id for row in rows])
    if model is Baseline:
        come = {_baseline(row.row) for row in rows}
        there = [row for row in there if row.reason or row.set_by_id or _baseline(row) in come]
    return {_key(model, row): row.patient_id for row in there}


def _baseline(row: Baseline) -> tuple[object, ...]:
    return row.patient_id, row.measure_id, row.version, row.value, row.from_day, row.to_day, row.set_at


def _parents(model: type[Model], rows: Sequence[_Row]) -> set[tuple[int, UUID]]:
    if model not in PARENTS:
        return set()
    parent: Any = model._meta.get_field(PARENTS[model]).related_model
    ids = {getattr(row.row, f"{PARENTS[model]}_id") for row in rows}
    return set(parent._default_manager.filter(id__in=ids).values_list("patient_id", "id"))
