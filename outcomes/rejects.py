"""Rows that were refused: kept as they were, with line, column and reason, ready to be corrected and imported."""

from __future__ import annotations

import csv
import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from outcomes.reading import LINE_COLUMN, FileError, Row, Rows
from outcomes.translating import Refused

# So many are told at once; the file has them all.
TOLD = 20
_COLUMNS = (LINE_COLUMN, "import_column", "import_reason")


class Rejects:
    """The rejects of one import; without a path only the first are kept, to be told."""

    def __init__(self, path: Path | None) -> None:
        self.path = path
        self.first: list[str] = []
        self._writer: Any = None
        self._skip: set[int] = set()

    @contextmanager
    def open_for(self, rows: Rows) -> Iterator[None]:
        """Writes in the manner of the file that is read, so that the same mapping reads it back."""
        if self.path is None:
            yield
            return
        try:
            private = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)  # answers: for the owner's eyes
        except OSError as error:
            raise FileError(f"{self.path}: {error.strerror}") from error
        with open(private, "w", encoding=rows.encoding, errors="replace", newline="") as out:
            self._writer = csv.writer(out, delimiter=rows.delimiter)
            self._skip = {n for n, name in enumerate(rows.file_header) if name in _COLUMNS}
            self._write(_COLUMNS, rows.file_header)
            yield

    def add(self, refused: Iterable[tuple[Row, list[Refused]]]) -> None:
        for row, why in refused:
            columns = "; ".join(dict.fromkeys(each.column for each in why if each.column))
            reasons = "; ".join(dict.fromkeys(each.reason for each in why))
            if len(self.first) < TOLD:
                self.first.append(f"line {row.line}: {columns + ': ' if columns else ''}{reasons}")
            for line, cells in row.source:
                self._write((str(line), columns, reasons), cells)

    @property
    def where(self) -> str:
        """Where a person finds them."""
        if self.path:
            return f"They are in {self.path}: correct them there and import that file."
        return "With --rejects FILE they are kept, to be corrected and imported."

    def _write(self, said: Sequence[str], cells: Sequence[str]) -> None:
        if self._writer:
            self._writer.writerow([*said, *(cell for n, cell in enumerate(cells) if n not in self._skip)])
