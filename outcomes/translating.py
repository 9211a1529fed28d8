"""From a row of a clinic's file to entries: who, when, and what was answered, without a database.

What a mapping says is prepared once; a row then costs a few look-ups, as the same cells come again and again.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import lru_cache
from uuid import UUID, uuid5
from zoneinfo import ZoneInfo

import msgspec

from outcomes.instrument import score_range
from outcomes.mapping import Block, Cell, MappingFile, Number, OwnMeasure, People, When, clock
from outcomes.reading import Row

_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,3})?", re.ASCII)
_WHOLE = re.compile(r"(\d+)\.0*", re.ASCII)
_TIME_OF_DAY = re.compile(r"%[HIcXs]")
# Cells seen before are remembered, so many a column; beyond that a column is free text and gains nothing.
_REMEMBERED = 4096
_LONGEST_IDENTIFIER = 64
_LONGEST_NUMBER = 40
_LONGEST_DATE = len("2018-01-01")


class Refused(msgspec.Struct, frozen=True):
    """Why a row, or one entry of it, doesn't go in: the file's column and the reason."""

    column: str
    reason: str


class Entry(msgspec.Struct):
    """One response or value that a row holds: `answers` of items, or `scores` that were kept in place of them.

    `columns` says where each of its fields stands in the file.
    """

    row: Row
    block: Block | OwnMeasure
    columns: dict[str, str]
    patient: str
    id: UUID
    authored_at: datetime
    time_zone: str
    answers: dict[str, Number] | None = None
    scores: dict[str, Number] | None = None
    value: float | None = None
    local_day: date | None = None  # of a value; a response's day is its instrument's affair
    unanswered: tuple[str, ...] = ()  # the reasons that the file gives for items without an answer


class Translated(msgspec.Struct):
    """What a row comes to. `blank`: places where the row holds nothing."""

    entries: list[Entry]
    refused: list[Refused]
    blank: int = 0


class _Meaning(msgspec.Struct, frozen=True):
    """What a cell means: a value, a reason why there is none, a mistake, or, with none of these, nothing."""

    value: Number | None = None
    unanswered: str | None = None
    problem: str | None = None


_BLANK = _Meaning()


class Translator:
    """A mapping, prepared for a file with this header; `patient` is whose it is, if its lines do not say."""

    def __init__(self, mapping: MappingFile, header: Sequence[str], clinic_id: int, patient: str = "") -> None:
        self._mapping = mapping
        self._namespace = uuid5(UUID("8f8c9c4e-3a4b-5a0e-9d25-2d3f6f1f7c11"), f"clinic {clinic_id}")
        self.patient_column = mapping.patient.column or ""
        self._patient = patient
        self._patient_at = header.index(self.patient_column) if self.patient_column else None
        self._key_at = None if mapping.key == "line" else [header.index(name) for name in mapping.key]
        self._blocks = [_Prepared(mapping, block, header) for block in mapping.blocks()]

    def __call__(self, row: Row) -> Translated:
        """The entries of a row. One that is wrong doesn't hold up the others of its row."""
        if row.problem:
            return Translated([], [Refused(*row.problem)])
        named = self._patient if self._patient_at is None else row.cells[self._patient_at]
        patient = _identifier(named, self._mapping.patient)
        if isinstance(patient, Refused):
            return Translated([], [patient])
        found = Translated([], [])
        for block in self._blocks:
            if not block.concerns(row.cells):
                continue
            entry = block.entry(row, patient)
            if entry is None:
                found.blank += self._mapping.file.long is None  # There a line holds but one thing.
            elif isinstance(entry, Refused):
                found.refused.append(entry)
            else:
                entry.id = self._id(block, entry, row)
                found.entries.append(entry)
        return found

    def _id(self, block: _Prepared, entry: Entry, row: Row) -> UUID:
        """The same entry of the same file has the same id each time, so that importing it again changes nothing."""
        if block.once_a_day:
            key = str(entry.local_day)
        elif self._key_at is None:
            key = f"line {row.line}"
        elif self._key_at:
            key = "\0".join(row.cells[at].strip() for at in self._key_at)
        else:
            key = entry.authored_at.astimezone(UTC).isoformat()
        return uuid5(self._namespace, "\0".join((block.name, entry.patient, key)))


class _Prepared:
    """One instrument or measure of the mapping, with positions in place of names."""

    def __init__(self, mapping: MappingFile, block: Block | OwnMeasure, header: Sequence[str]) -> None:
        self._block = block
        self._only = [(header.index(name), frozenset(texts)) for name, texts in block.only.items()]
        when = mapping.when_of(block)
        self._when_at = [header.index(name) for name in when.columns]
        self._when_column = " ".join(when.columns)
        self._when = _when_reader(when)
        self._time_zone = when.zone
        self._ranges: dict[str, tuple[Number, Number]] = {}
        self._day_turns = timedelta()
        self.once_a_day = False
        self._keep_blank = False
        if isinstance(block, OwnMeasure):
            self.name = f"import {block.name}"
            self.once_a_day = block.once_a_day
            turns = clock(block.day_turns_at)
            self._day_turns = timedelta(hours=turns.hour, minutes=turns.minute)
            self._ranges[block.name] = (block.min, block.max)
        else:
            self.name = f"{block.code} {block.event}".strip()
            self._keep_blank = block.keep_blank
            for name in block.scores:
                self._ranges[name] = score_range(block.instrument, block.instrument.score(name))
        self._cells = [
            _Column(name, cell.column, header.index(cell.column), _cell_reader(cell, mapping, self._ranges.get(name)))
            for name, cell in block.cells().items()
        ]
        self._columns = {"authored_at": self._when_column} | {
            f"answers.{column.name}": column.column for column in self._cells
        }

    def concerns(self, cells: Sequence[str]) -> bool:
        """Whether the mapping expects this on the row at all."""
        return all(cells[at].strip() in texts for at, texts in self._only)

    def entry(self, row: Row, patient: str) -> Entry | Refused | None:
        """What the row holds of this; None where it holds nothing. The id is still to be set."""
        read: dict[str, Number] = {}
        reasons = []
        blank = not self._keep_blank
        for column in self._cells:
            cell = row.cells[column.at]
            meaning = column.known.get(cell)
            if meaning is None:
                meaning = column.remember(cell)
            if meaning.value is not None:
                read[column.name] = meaning.value
                blank = False
            elif meaning.unanswered is not None:
                reasons.append(meaning.unanswered)
                blank = False
            elif meaning.problem is not None:
                return Refused(column.column, meaning.problem)
        if blank or (not read and self._ranges):
            return None
        at = self._when(" ".join([row.cells[at].strip() for at in self._when_at]))
        if isinstance(at, str):
            return Refused(self._when_column, at)
        entry = Entry(row, self._block, self._columns, patient, _UNSET, at, self._time_zone, unanswered=tuple(reasons))
        if isinstance(self._block, OwnMeasure):
            entry.value = float(read[self._block.name])
            entry.local_day = (at - self._day_turns).date()
        elif self._block.scores:
            entry.scores = read
        else:
            entry.answers = read
        return entry


_UNSET = UUID(int=0)


class _Column(msgspec.Struct):
    """A column of the file: where it stands, how its cells are read, and what those seen so far mean."""

    name: str
    column: str
    at: int
    read: Callable[[str], _Meaning]
    known: dict[str, _Meaning] = {}

    def remember(self, cell: str) -> _Meaning:
        meaning = self.read(cell)
        if len(self.known) < _REMEMBERED:
            self.known[cell] = meaning
        return meaning


def _cell_reader(cell: Cell, mapping: MappingFile, limits: tuple[Number, Number] | None) -> Callable[[str], _Meaning]:
    """How a column's cells are read. Where `limits` are given, what lies outside is refused here."""
    blank = {"", *mapping.file.blank}
    codes: dict[str, _Meaning] = {}
    for text, reason in cell.unanswered.items():
        codes[text] = _Meaning(unanswered=reason)
    for text, value in cell.values.items():
        codes[text] = _Meaning(value)
    # A code written as 7 is meant where the file holds 7.0 or 07 as well.
    numbers = {number: meaning for code, meaning in codes.items() if (number := _number(code)) is not None}
    times, add = Decimal(str(cell.times)), Decimal(str(cell.add))

    def read(text: str) -> _Meaning:
        text = text.strip()
        if text in codes:
            meaning = codes[text]
        elif text in blank:
            return _BLANK
        else:
            number = _number(text, decimal_comma=mapping.file.decimal_comma)
            if number is None:
                return _Meaning(problem="not a number")
            meaning = numbers.get(number) or _Meaning(_plain(number * times + add))
        if limits and meaning.value is not None and not limits[0] <= meaning.value <= limits[1]:
            return _Meaning(problem=f"expected a number from {limits[0]:g} to {limits[1]:g}")
        return meaning

    return read


def _number(text: str, *, decimal_comma: bool = False) -> Decimal | None:
    if decimal_comma:
        text = text.replace(",", ".")
    return Decimal(text) if len(text) <= _LONGEST_NUMBER and _NUMBER.fullmatch(text) else None


def _plain(number: Decimal) -> Number:
    return int(number) if number == number.to_integral_value() else float(number)


def _when_reader(when: When) -> Callable[[str], datetime | str]:
    """How the text of a row's date is read: a moment on the patient's clock, or why it isn't one."""
    zone = ZoneInfo(when.zone)
    noon = clock(when.time)
    if when.fixed is not None:
        fixed = datetime.combine(when.fixed, noon, zone)
        return lambda _: fixed

    @lru_cache(maxsize=_REMEMBERED)
    def read(text: str) -> datetime | str:
        if not text:
            return "no date"
        try:
            if when.format == "iso":
                at = datetime.fromisoformat(text)
                timed = len(text) > _LONGEST_DATE
            else:
                at = datetime.strptime(text, when.format)  # noqa: DTZ007 - the zone follows
                timed = bool(_TIME_OF_DAY.search(when.format))
            if not timed:
                at = datetime.combine(at.date(), noon)
            return at.astimezone(zone) if at.tzinfo else at.replace(tzinfo=zone)
        except (ValueError, OverflowError):
            return f"not a date as {when.format}"

    return read


def _identifier(cell: str, people: People) -> str | Refused:
    """The clinic's own number for a patient."""
    column = people.column or "--patient"
    text = cell.strip()
    if people.whole and (match := _WHOLE.fullmatch(text)):
        text = match[1]
    if not text:
        return Refused(column, "no patient")
    if len(text) > _LONGEST_IDENTIFIER:
        return Refused(column, f"longer than {_LONGEST_IDENTIFIER} characters")
    if not text.isprintable():
        return Refused(column, "holds a character that can't be printed")
    return text
