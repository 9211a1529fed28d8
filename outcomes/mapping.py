"""What a clinic's own file says where: the shape of a mapping file, read once and checked against the instruments.

A mapping is TOML, see `docs/importing.md`. It names columns; what a cell then means is decided in `translating.py`.
"""

from __future__ import annotations

import codecs
import tomllib
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime, time
from pathlib import Path
from typing import Annotated, Literal
from zoneinfo import available_timezones

import msgspec

from outcomes import library
from outcomes.instrument import Direction, Instrument

type Number = int | float
NonEmpty = Annotated[str, msgspec.Meta(min_length=1)]
Name = Annotated[str, msgspec.Meta(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$", max_length=60)]
Clock = Annotated[str, msgspec.Meta(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$")]


class MappingError(Exception):
    """A mapping that can't be used: each field that is wrong, and why."""


class _Table(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A table of the mapping file."""


class Long(_Table, frozen=True, kw_only=True):
    """A file with one answer a line: the column that names the item, and the one that holds its value."""

    item: NonEmpty
    value: NonEmpty


class Format(_Table, frozen=True, kw_only=True):
    """How the file is written. `blank` are the texts that stand for an empty cell, besides the empty one."""

    delimiter: Annotated[str, msgspec.Meta(min_length=1, max_length=1)] = ","
    encoding: str = "utf-8"
    decimal_comma: bool = False
    blank: list[str] = []
    long: Long | None = None


class People(_Table, frozen=True, kw_only=True):
    """Whose line it is; without a `column` the whole file is one person's. `create`: unknown ones become patients.

    `whole`: a spreadsheet wrote the number 17 as 17.0.
    """

    column: NonEmpty | None = None
    whole: bool = False
    create: bool = False
    care_team: str | None = None


class When(_Table, frozen=True, kw_only=True):
    """When it was answered, on the patient's clock: one `fixed` date, or columns, joined by a space, in a `format`.

    That is "iso" or as for strptime. A date without a time of day gets `time`.
    """

    zone: str
    fixed: date | None = None
    column: str | list[str] | None = None
    format: NonEmpty = "iso"
    time: Clock = "12:00"

    @property
    def columns(self) -> list[str]:
        if self.column is None:
            return []
        return [self.column] if isinstance(self.column, str) else self.column


class Recode(_Table, frozen=True, kw_only=True):
    """From what the file holds to what the instrument knows: words or codes first, then the arithmetic.

    `unanswered` are codes that say why there is no answer (NHANES: 7 refused, 9 don't know); never a number to score.
    """

    unanswered: dict[str, str] = {}
    values: dict[str, Number] = {}
    times: Number = 1
    add: Number = 0


class Cell(Recode, frozen=True, kw_only=True):
    """A column with recodes of its own; they stand in place of those of its instrument."""

    column: NonEmpty


class Block(Recode, frozen=True, kw_only=True):
    """One instrument in the file: its `items`, or, where only scores were kept, its `scores`.

    `items` is a list of columns in item order, or a table from item id to column. `only`: lines on which one of these
    columns holds one of these texts. `event` tells two blocks of one instrument apart. `keep_blank`: a line with
    nothing in it is a response with nothing answered, rather than none.
    """

    code: str
    version: str
    items: list[str | Cell] | dict[str, str | Cell] = {}
    scores: dict[str, str | Cell] = {}
    prefix: str = ""
    event: str = ""
    when: When | None = None
    only: dict[str, list[str]] = {}
    keep_blank: bool = False

    def cells(self) -> dict[str, Cell]:
        """Item id or score name to its column, with the recodes that hold for it."""
        named = self.scores or self.items
        if isinstance(named, list):
            named = dict(zip((item.id for item in self.instrument.items), named, strict=False))
        return {name: self._cell(cell) for name, cell in named.items()}

    def _cell(self, cell: str | Cell) -> Cell:
        if isinstance(cell, str):
            cell = Cell(column=cell, unanswered=self.unanswered, values=self.values, times=self.times, add=self.add)
        return msgspec.structs.replace(cell, column=self.prefix + cell.column)

    @property
    def instrument(self) -> Instrument:
        return library.get(self.code, self.version)


class OwnMeasure(Recode, frozen=True, kw_only=True):
    """A scale of the clinic's own that is no instrument here. It becomes a series of its own, on its own range.

    `day_turns_at`: entries before this hour belong to the evening before. `once_a_day`: the file repeats the day's
    value on each of its lines.
    """

    name: Name
    title: Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
    column: NonEmpty
    min: float
    max: float
    direction: Direction
    kind: Literal["daily", "questionnaire"] = "daily"
    day_turns_at: Clock = "00:00"
    once_a_day: bool = False
    when: When | None = None
    only: dict[str, list[str]] = {}

    def cells(self) -> dict[str, Cell]:
        """Its one column, under its own name."""
        cell = Cell(column=self.column, unanswered=self.unanswered, values=self.values, times=self.times, add=self.add)
        return {self.name: cell}


class MappingFile(_Table, frozen=True, kw_only=True):
    """A whole mapping file. `key` says what makes two entries of one patient different: by default when they were
    answered; the columns named; or "line", for a file that only ever grows at its end."""

    patient: People
    when: When
    title: str = ""
    source: str = ""
    file: Format = Format()
    key: Literal["line"] | list[str] = []
    instrument: list[Block] = []
    measure: list[OwnMeasure] = []

    def blocks(self) -> list[Block | OwnMeasure]:
        """Everything that one line of the file can hold."""
        return [*self.instrument, *self.measure]

    def when_of(self, block: Block | OwnMeasure) -> When:
        return block.when or self.when

    def line_columns(self) -> list[str]:
        """The columns that say whose a line is, when it was answered and which lines belong together."""
        names = [self.patient.column] if self.patient.column else []
        names += [] if self.key == "line" else self.key
        for block in self.blocks():
            names += [*self.when_of(block).columns, *block.only]
        return list(dict.fromkeys(names))

    def value_columns(self) -> list[str]:
        """The columns that hold answers and values."""
        return list(dict.fromkeys(cell.column for block in self.blocks() for cell in block.cells().values()))


def load(path: Path) -> MappingFile:
    """Read and check a mapping file. Raises MappingError."""
    try:
        mapping = msgspec.convert(tomllib.loads(path.read_text("utf-8")), MappingFile)
    except OSError as error:
        raise MappingError(f"{path.name}: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise MappingError(f"{path.name}: not TOML: {error}") from error
    except msgspec.ValidationError as error:
        why, _, where = str(error).partition(" - at `$")
        raise MappingError(f"{path.name}: {where.strip('.`') or 'mapping'}: {why}") from error
    if wrong := list(_flaws(mapping)):
        raise MappingError("\n".join(f"{path.name}: {field}: {why}" for field, why in wrong))
    return mapping


def _flaws(mapping: MappingFile) -> Iterator[tuple[str, str]]:
    """What is wrong with a mapping that reads well: (field, why)."""
    try:
        codecs.lookup(mapping.file.encoding)
    except LookupError:
        yield "file.encoding", f"there is no encoding {mapping.file.encoding!r}"
    yield from _when_flaws("when", mapping.when)
    if not mapping.blocks():
        yield "instrument", "name at least one instrument or measure"
    seen: set[tuple[str, str]] = set()
    for n, block in enumerate(mapping.instrument):
        field = f"instrument[{n}]"
        yield from _block_flaws(field, block)
        if (block.code, block.event) in seen:
            yield f"{field}.event", f"a second {block.code}: give each an event of its own"
        seen.add((block.code, block.event))
    names: set[str] = set()
    for n, measure in enumerate(mapping.measure):
        field = f"measure[{n}]"
        if measure.when:
            yield from _when_flaws(f"{field}.when", measure.when)
        if measure.min >= measure.max:
            yield f"{field}.max", "must be more than min"
        if measure.name in names:
            yield f"{field}.name", f"a second {measure.name}"
        names.add(measure.name)


def _block_flaws(field: str, block: Block) -> Iterator[tuple[str, str]]:
    if block.when:
        yield from _when_flaws(f"{field}.when", block.when)
    try:
        instrument = block.instrument
    except library.UnknownInstrumentError as error:
        yield f"{field}.code", str(error)
        return
    if bool(block.items) == bool(block.scores):
        yield f"{field}.items", "name either the columns of the items or, for totals, those of the scores"
    items = [item.id for item in instrument.items]
    if isinstance(block.items, list):
        needed = max((n for n, item in enumerate(instrument.items, 1) if not item.optional), default=1)
        if block.items and not needed <= len(block.items) <= len(items):
            yield f"{field}.items", f"{block.code} has {needed} items, not {len(block.items)}: {', '.join(items)}"
    else:
        yield from _unknown(f"{field}.items", block.items, items)
    yield from _unknown(f"{field}.scores", block.scores, [score.name for score in instrument.scores])


def _unknown(field: str, named: Iterable[str], known: Sequence[str]) -> Iterator[tuple[str, str]]:
    for name in named:
        if name not in known:
            yield f"{field}.{name}", f"there is no such one; there are {', '.join(known)}"


def _when_flaws(field: str, when: When) -> Iterator[tuple[str, str]]:
    if when.zone not in available_timezones():
        yield f"{field}.zone", f"{when.zone!r} is not the name of an IANA time zone"
    if (when.fixed is None) == (not when.columns):
        yield f"{field}.column", "name either the column of the date or one fixed date"
    if when.format != "iso":
        try:
            # A format that can't read back what it wrote would fail on every line.
            datetime.strptime(datetime(2020, 2, 3, 4, 5, 6).strftime(when.format), when.format)  # noqa: DTZ001, DTZ007
        except ValueError as error:
            yield f"{field}.format", str(error)


def clock(text: str) -> time:
    """A time of day as mappings write it, 04:00."""
    return time.fromisoformat(text)
