"""Takes the rows of records.jsonl of an export back in, table by table, in this or another clinic.

Rows keep their keys and their content as it was; what is there already is left. Which tables come back, and what is
particular about one, each room says in its `restored.py`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import batched
from typing import Annotated, Any, NamedTuple, Self

import msgspec
from django.contrib.postgres.fields import ArrayField
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import (
    BinaryField,
    CharField,
    CompositePrimaryKey,
    Field,
    JSONField,
    Model,
    TextField,
    UniqueConstraint,
)
from django.db.models.fields.related import ForeignKey

from backend.people import audit
from backend.people.copying import fields_of
from backend.people.models import Clinic, ClinicText, Consent, Membership, Patient, User
from backend.people.registry import PATIENT_DATA
from backend.people.writes import next_revisions
from backend.rest.body import nul_field

BATCH = 1000
Moment = Annotated[datetime, msgspec.Meta(tz=True)]
# What a table holds where there is nothing, by the kind of column.
EMPTY: tuple[tuple[type[Field[Any, Any]], Any], ...] = (
    (CharField, ""),
    (TextField, ""),
    (ArrayField, []),
    (JSONField, []),
    (JSONField, {}),
)
# How a line of JSON may be broken.
UNREADABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)


class WrongError(Exception):
    """Why a line can't be taken."""


def _as_it_is(_row: Any, _now: datetime) -> None:
    pass


def _nothing_gives_way(_rows: Sequence[Any]) -> None:
    pass


@dataclass(frozen=True)
class Table:
    """How the rows of one table come back.

    `key`: what tells one row of a patient from another, where its own number means nothing elsewhere. `parent`: the
    column that points at another row of the patient's. `names`: columns that say in words what they point at, and what
    finds it here; raises WrongError. `check` may put a row right, or raise WrongError. `give_way` takes away what this
    server has made by itself in place of these rows.
    """

    model: type[Model]
    key: tuple[str, ...] | None = None
    parent: str = ""
    names: Mapping[str, Callable[[Any, Clinic], Any]] = field(default_factory=dict)
    check: Callable[[Any, datetime], None] = _as_it_is
    give_way: Callable[[Sequence[Any]], None] = _nothing_gives_way


class Tally(msgspec.Struct):
    """What became of lines that were to come back. `refused`: line and reason."""

    lines: int = 0
    duplicates: int = 0
    refused: list[tuple[int, str]] = []

    def add(self, other: Self) -> None:
        for name in self.__struct_fields__:
            setattr(self, name, getattr(self, name) + getattr(other, name))


class Restored(Tally):
    """What became of the records, or a part of them."""

    rows: int = 0
    passed_over: int = 0


def nul_in(text: bytes) -> str:
    """Why a line of JSON can't be stored that holds a NUL; nothing where it holds none."""
    field = nul_field(msgspec.json.decode(text)) if b"\\u0000" in text else None
    return f"{field}: holds a NUL character, which can't be stored" if field is not None else ""


class _Row(NamedTuple):
    line: int
    theirs: Any  # its number in the export
    row: Any


class _Profile(msgspec.Struct):
    id: int
    identifier: str
    created_at: Moment
    enrolled_at: Moment | None = None


class _Colleague(msgspec.Struct):
    id: int
    email: str


class _Words(msgspec.Struct):
    """A text of a clinic's, as the copy names it."""

    kind: str
    language: str
    version: int
    body: str
    published_at: Moment


class Restoring:
    """One run over the lines of an export. `tables`: in an order in which rows find what they point at.

    `settle` is given what came in of each table, in the same transaction.
    """

    def __init__(
        self,
        tables: Sequence[Table],
        clinic: Clinic,
        now: datetime,
        settle: Callable[[Mapping[type[Model], Sequence[Any]], datetime], None],
    ) -> None:
        self.tables = {PATIENT_DATA[table.model._meta.label].thing: table for table in tables}
        self.clinic, self.now, self.settle = clinic, now, settle
        # Their numbers to ours: of patients, of colleagues, and of rows whose own number means nothing here.
        self.patients: dict[int, int] = {}
        self.colleagues: dict[int, int] = {}
        self.numbers: dict[tuple[type[Model], int, int], int] = {}

    def run(self, lines: Iterable[bytes]) -> Iterator[Restored]:
        """So many lines at a time, each batch whole or not at all. The patients must be there, by responses.jsonl."""
        for batch in batched(enumerate(lines, 1), BATCH, strict=False):
            done = Restored(lines=len(batch))
            with transaction.atomic():
                if found := self._read(batch, done):
                    self._restore(found, done)
            yield done

    def _read(self, batch: Sequence[tuple[int, bytes]], done: Restored) -> dict[str, list[_Row]]:
        """The rows by their tables. Who is meant grows with the profiles and the colleagues that are read."""
        read = []
        profiles: list[_Profile] = []
        emails: dict[str, int] = {}
        for number, text in batch:
            try:
                line = msgspec.json.decode(text, type=dict[str, Any])
                if why := nul_in(text):
                    done.refused.append((number, why))
                    continue
                match line.get("type"):
                    case "profile":
                        profiles.append(msgspec.convert(line, _Profile))
                    case "colleague":
                        colleague = msgspec.convert(line, _Colleague)
                        emails[colleague.email.lower()] = colleague.id
                    case str(thing) if thing in self.tables:
                        read.append((number, line))
                        continue
                done.passed_over += 1
            except UNREADABLE as error:
                done.refused.append((number, f"not a record: {error}"))
        self._know_patients(profiles)
        there = Membership.objects.filter(clinic=self.clinic, user__email__in=emails)
        self.colleagues |= {emails[email]: number for email, number in there.values_list("user__email", "user")}
        found = defaultdict(list)
        for number, line in read:
            try:
                found[line["type"]].append(_Row(number, line.get("id"), self._row(self.tables[line["type"]], line)))
            except WrongError as error:
                done.refused.append((number, str(error)))
        return found

    def _know_patients(self, profiles: Iterable[_Profile]) -> None:
        """Since when there is a record, and since when they take part, is as it was."""
        named = {profile.identifier: profile for profile in profiles}
        patients = list(Patient.objects.filter(clinic=self.clinic, identifier__in=named))
        for patient in patients:
            profile = named[patient.identifier]
            self.patients[profile.id] = patient.pk
            patient.created_at = min(patient.created_at, profile.created_at)
            patient.enrolled_at = patient.enrolled_at or profile.enrolled_at
        Patient.objects.bulk_update(patients, ["enrolled_at", "created_at"])

    def _row(self, table: Table, line: Mapping[str, Any]) -> Model:
        theirs = line.get("patient")
        ours = self.patients.get(theirs) if isinstance(theirs, int) else None
        if ours is None:
            raise WrongError("patient: there is no such patient; restore responses.jsonl first")
        values: dict[str, Any] = {"patient_id": ours, "clinic_id": self.clinic.pk}
        for column in fields_of(table.model):
            known = column.name in ("patient", "clinic") or (column.primary_key and table.key is not None)
            if known or column.generated or column.name not in line:
                continue
            value = line[column.name]
            if column.name in table.names:
                values[column.attname] = table.names[column.name](value, self.clinic)
            elif isinstance(column, ForeignKey) and column.related_model is User:
                values[column.attname] = self.colleagues.get(value) if isinstance(value, int) else None
            elif isinstance(column, ForeignKey):
                values[column.attname] = _value(column.target_field, value)
            else:
                values[column.name] = _value(column, value)
        row = table.model(**values)
        table.check(row, self.now)
        return row

    def _restore(self, found: Mapping[str, list[_Row]], done: Restored) -> None:
        numbers = {row.row.patient_id for rows in found.values() for row in rows}
        revisions = next_revisions(numbers)
        written: dict[int, int] = defaultdict(int)
        new: dict[type[Model], list[Any]] = {}
        for thing, table in self.tables.items():
            if rows := found.get(thing):
                new[table.model] = self._insert(table, rows, revisions, done)
                for row in new[table.model]:
                    written[row.patient_id] += 1
        if written:
            done.rows = sum(written.values())
            audit.record_each("restore records", written, user_id=None)
            self.settle(new, self.now)

    def _insert(self, table: Table, rows: Sequence[_Row], revisions: Mapping[int, int], done: Restored) -> list[Any]:
        rows = list(self._with_parents(table, rows, done))
        table.give_way([row.row for row in rows])
        standing = _standing(table, rows)
        new: dict[tuple[Any, ...], _Row] = {}
        for row in rows:
            key = _key(table, row.row)
            there = standing.get(key)
            if there is not None and there.patient_id == row.row.patient_id:
                done.duplicates += 1
                self._number(table, row, there)
            elif key in new:
                done.duplicates += 1
            elif there is not None:
                reason = "id: another patient here has it; who moves within a server is transferred"
                done.refused.append((row.line, reason))
            elif why := _in_the_way(table.model, row.row):
                done.refused.append((row.line, why))
            else:
                if getattr(row.row, "rev", None) != 0:  # which nothing is told of yet
                    row.row.rev = revisions[row.row.patient_id]
                new[key] = row
        table.model._default_manager.bulk_create([row.row for row in new.values()])
        for row in new.values():
            self._number(table, row, row.row)
        return [row.row for row in new.values()]

    def _number(self, table: Table, row: _Row, ours: Any) -> None:
        if table.key is not None and isinstance(row.theirs, int):
            self.numbers[table.model, ours.patient_id, row.theirs] = ours.pk

    def _with_parents(self, table: Table, rows: Sequence[_Row], done: Restored) -> Iterator[_Row]:
        """Those whose parent is here and the same patient's."""
        if not table.parent:
            yield from rows
            return
        column: Any = table.model._meta.get_field(table.parent)
        parent: type[Model] = column.related_model
        if self.tables[PATIENT_DATA[parent._meta.label].thing].key is not None:
            for row in rows:
                theirs = getattr(row.row, column.attname)
                setattr(row.row, column.attname, self.numbers.get((parent, row.row.patient_id, theirs)))
        ids = {getattr(row.row, column.attname) for row in rows}
        there = set(parent._default_manager.filter(pk__in=ids).values_list("patient_id", "pk"))
        for row in rows:
            if (row.row.patient_id, getattr(row.row, column.attname)) in there:
                yield row
            else:
                done.refused.append((row.line, f"{table.parent}: this patient has no such one"))


def _value(column: Field[Any, Any], value: Any) -> Any:
    if (value is None and column.null) or any(isinstance(column, of) and value == empty for of, empty in EMPTY):
        return value  # which a form would not allow, and a table does
    try:
        if isinstance(column, BinaryField):  # as the copy writes them
            return bytes.fromhex(value) if column.name == "digest" else value.encode()
        return column.clean(value, None)
    except ValidationError as error:
        raise WrongError(f"{column.name}: {' '.join(error.messages)}") from None
    except (ValueError, TypeError, AttributeError) as error:
        raise WrongError(f"{column.name}: {error}") from None


def _key(table: Table, row: Any) -> tuple[Any, ...]:
    if table.key is not None:
        return (row.patient_id, *(getattr(row, name) for name in table.key))
    if isinstance(table.model._meta.pk, CompositePrimaryKey):
        return tuple(getattr(row, column.attname) for column in table.model._meta.pk_fields)
    return (row.pk,)


def _standing(table: Table, rows: Sequence[_Row]) -> dict[tuple[Any, ...], Any]:
    """What is there under these keys already."""
    if table.key is not None or isinstance(table.model._meta.pk, CompositePrimaryKey):
        there = table.model._default_manager.filter(patient__in={row.row.patient_id for row in rows})
    else:
        there = table.model._default_manager.filter(pk__in=[row.row.pk for row in rows])
    return {_key(table, row): row for row in there}


def _in_the_way(model: type[Model], row: Model) -> str:
    """What the table allows once only, such as one open alert for each rule, and is there under another key."""
    for rule in model._meta.constraints:
        if isinstance(rule, UniqueConstraint) and rule.condition is not None:
            try:
                rule.validate(model, row)
            except ValidationError as error:
                return f"{rule.name}: {' '.join(error.messages)}"
    return ""


def _text(value: Any, clinic: Clinic) -> int:
    """The clinic's own words that were agreed to; published here as they were, where there are none of this version."""
    try:
        words = msgspec.convert(value, _Words)
    except msgspec.ValidationError as error:
        raise WrongError(f"text: {error}") from None
    named = {"kind": words.kind, "language": words.language, "version": words.version}
    said = {"body": words.body, "published_at": words.published_at}
    text, _ = ClinicText.objects.get_or_create(clinic=clinic, **named, defaults=said)
    if text.body != words.body:
        raise WrongError(f"text: another one is published here as {text}")
    return text.pk


TABLES = (Table(Consent, key=("text_id", "given_at"), names={"text": _text}),)
