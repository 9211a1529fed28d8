"""CSV, written line by line as it is read."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Sequence


class _Line:
    """What csv writes to: the line it has just made."""

    def write(self, line: str) -> str:
        return line


def csv_lines(header: Sequence[str], rows: Iterable[Sequence[object]]) -> Iterator[str]:
    write = csv.writer(_Line()).writerow
    yield write(header)
    for row in rows:
        yield write([harmless(cell) for cell in row])


def harmless(cell: object) -> object:
    """A text that a spreadsheet would run as a formula gets an apostrophe; a number stays one, also below zero."""
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(("=", "+", "-", "@", "\t", "\r")) else cell
