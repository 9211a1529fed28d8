"""From a file to rows: CSV as registries, REDCap and spreadsheets write it, one row at a time however large it is."""

from __future__ import annotations

import codecs
import csv
import io
import os
from collections.abc import Iterator, Sequence
from itertools import groupby
from pathlib import Path
from types import TracebackType
from typing import Self

import msgspec

from outcomes.mapping import Long, MappingFile

# In a rejects file: the line that a row had in the file it comes from.
LINE_COLUMN = "import_line"


class FileError(Exception):
    """A file that can't be read on: which line or column, and why."""


class Row(msgspec.Struct):
    """One row to translate. `source` are the file's own rows behind it: several where a file has one answer a line."""

    line: int
    cells: Sequence[str]
    source: list[tuple[int, list[str]]]
    problem: tuple[str, str] | None = None  # column and reason, where the row itself is broken


class Rows:
    """The rows of a file as its mapping reads them, each once, in order. Raises FileError, at once for the header."""

    def __init__(self, path: Path, mapping: MappingFile) -> None:
        encoding = mapping.file.encoding
        if codecs.lookup(encoding).name == "utf-8":
            encoding = "utf-8-sig"
        self.encoding = encoding
        self.delimiter = mapping.file.delimiter
        self._path = path
        self._mapping = mapping
        try:
            self._binary = path.open("rb")
        except OSError as error:
            raise FileError(f"{path.name}: {error.strerror}") from error
        try:
            self._size = os.fstat(self._binary.fileno()).st_size
            text = io.TextIOWrapper(self._binary, encoding=encoding, newline="")
            self._csv = csv.reader(text, delimiter=self.delimiter, strict=True)
            self.file_header = self._next() or self._next() or []
            if not self.file_header:
                raise FileError(f"{path.name}: the file is empty: it has no line with the names of the columns")
            self._line_at = self.file_header.index(LINE_COLUMN) if LINE_COLUMN in self.file_header else None
            self.header = self._checked_header()
        except BaseException:
            self._binary.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._binary.close()

    def done(self) -> float:
        """How much of the file has been read, 0 to 1."""
        return self._binary.tell() / self._size if self._size else 1.0

    def __iter__(self) -> Iterator[Row]:
        long = self._mapping.file.long
        return self._gathered(long) if long else self._plain()

    def _next(self) -> list[str] | None:
        """The next record, empty for a blank line, None at the end."""
        start = self._csv.line_num + 1
        try:
            return next(self._csv, None)
        except csv.Error as error:
            hint = " (a quotation mark that is never closed?)" if "field larger" in str(error) else ""
            raise FileError(f"{self._path.name}: line {start}: {error}{hint}") from error
        except UnicodeDecodeError as error:
            raise FileError(self._undecodable()) from error

    def _undecodable(self) -> str:
        """Where the first character is that the encoding can't read."""
        decoder = codecs.getincrementaldecoder(self.encoding)()
        line, rest = 1, ""
        with self._path.open("rb") as binary:
            while chunk := binary.read(65536):
                try:
                    text = decoder.decode(chunk)
                except UnicodeDecodeError as error:
                    rest += error.object[: error.start].decode(self.encoding, "replace")
                    line, column = line + rest.count("\n"), len(rest) - rest.rfind("\n")
                    what = f"byte 0x{error.object[error.start]:02X}"
                    return (
                        f"{self._path.name}: line {line}, character {column}: {what} is not {self.encoding[:5]}; "
                        "say in the mapping's [file] which encoding it is"
                    )
                line += text.count("\n")
                rest = text[text.rfind("\n") + 1 :] if "\n" in text else rest + text
        return f"{self._path.name}: line {line}: the file ends within a character"

    def _checked_header(self) -> list[str]:
        """The names of the columns of each row. Raises FileError on a column that is missing or there twice."""
        header = [name.strip() for name in self.file_header]
        mapping = self._mapping
        needed = mapping.line_columns()
        long = mapping.file.long
        needed += [long.item, long.value] if long else mapping.value_columns()
        missing = [name for name in needed if name not in header]
        if missing:
            hint = "; is the delimiter right?" if len(header) == 1 else ""
            raise FileError(
                f"{self._path.name}: line 1: no column {', '.join(map(repr, missing))}; there are "
                f"{', '.join(map(repr, header))[:500]}{hint}"
            )
        twice = [name for name in dict.fromkeys(needed) if header.count(name) > 1]
        if twice:
            raise FileError(f"{self._path.name}: line 1: more than one column {', '.join(map(repr, twice))}")
        self._width = len(header)
        self._at = {name: header.index(name) for name in needed}
        return [*mapping.line_columns(), *mapping.value_columns()] if long else header

    def _plain(self) -> Iterator[Row]:
        while True:
            line = self._csv.line_num + 1
            cells = self._next()
            if cells is None:
                return
            if not cells:
                continue
            problem = None
            if len(cells) != self._width:
                problem = ("", f"{len(cells)} cells in place of {self._width}")
            elif (at := next((at for at, cell in enumerate(cells) if "\0" in cell), None)) is not None:
                problem = (self.file_header[at].strip(), "holds a NUL character, which can't be stored")
            elif self._line_at is not None and cells[self._line_at].isdecimal():
                line = int(cells[self._line_at])
            yield Row(line, cells, [(line, cells)], problem)

    def _gathered(self, long: Long) -> Iterator[Row]:
        """One row for all the lines, standing together, that say the same of who and when."""
        same = self._mapping.line_columns()
        item_at, value_at = self._at[long.item], self._at[long.value]
        same_at = [self._at[name] for name in same]
        place = {name: len(same) + n for n, name in enumerate(self._mapping.value_columns())}
        by_line = self._mapping.key == "line"

        def belongs_to(row: Row) -> object:
            return row.line if row.problem or by_line else [row.cells[at] for at in same_at]

        for _, lines in groupby(self._plain(), belongs_to):
            rows = list(lines)
            first = rows[0]
            if first.problem:
                yield first
                continue
            cells = [first.cells[at] for at in same_at] + [""] * len(place)
            problem = None
            for row in rows:
                name = row.cells[item_at].strip()
                at = place.get(name)
                if at is None:
                    continue
                if cells[at]:
                    problem = (name, "stands more than once for the same patient and date")
                cells[at] = row.cells[value_at]
            yield Row(first.line, cells, [source for row in rows for source in row.source], problem)
