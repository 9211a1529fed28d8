"""`manage.py trend`: the trend of one series in a file, without a database."""

import csv
import json
import math
import sys
from argparse import ArgumentParser, RawDescriptionHelpFormatter
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from difflib import get_close_matches
from pathlib import Path
from typing import Any, TextIO

import numpy as np
from django.core.management.base import CommandError

from outcomes.library import Measure, measures
from outcomes.management.sound import LibraryCommand
from outcomes.trends import NEVER, arrange, compute, day_number, one_a_day

HELP = """\
Work out the trend of one series. Needs no database.

The file is CSV in UTF-8 with the header date,value. Dates are ISO dates or date-times, in any order, several a day
allowed; a date-time is local as written, whatever its offset. Of a daily measure a day has the median of its entries,
and an entry with a time before 04:00 belongs to the evening before where the instrument says so; of a questionnaire a
day has its last entry. Entries without a value are skipped and counted. A row that can't be read is an error that names
its line and column, and nothing is printed. Values outside the measure's range are used, counted and warned of.

The whole file is the window, the first entries are the baseline. One JSON object is printed; null means that there is
not enough data to say:
  measure                         its code
  entries, blank, out_of_range    rows with a value, rows without, values outside the measure's range
  n                               days with a value
  first, last                     days of the first and the last of them
  first_value, last_value         their values
  baseline                        median of the first 7 days with a value (at least 3), or the first response
  baseline_from, baseline_to      the days that it is taken from
  level                           where the series stands: exponentially weighted mean with time decay
  slope_per_week                  Theil-Sen on elapsed days, from 5 values over 14 days
  slope_low, slope_high           its 95 % interval
  tau, p_value                    Kendall's tau-b, and p of the Mann-Kendall test from 8 values
  change                          from baseline to level (daily measures) or to the last response (questionnaires)
  change_label                    improved, possibly-improved, no-clear-change, possibly-worsened, worsened, unknown
  reliable_change                 change in standard errors of a difference; 1.96 is beyond measurement error
  level_changes                   first days of new levels, by weekly medians
  coverage                        days with a value out of all days, 0 to 1 (daily measures)
  longest_gap                     days without a value between two that have one
  enough_data                     whether there is a slope
"""


LARGEST = 1e12  # Far beyond any measure; sums of squares stay finite.

type Entry = tuple[str, date, float]
"""The clock as written, in a form that sorts; the local day; the value."""


class Command(LibraryCommand):
    help = HELP

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.formatter_class = RawDescriptionHelpFormatter
        parser.add_argument("measure", metavar="MEASURE", help="such as phq-9.total; phq-9 will do, it has one score")
        parser.add_argument(
            "file", metavar="FILE", nargs="?", default="-", help="the CSV file; standard input if left out"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        found, file = _measure(options["measure"]), options["file"]
        name = "standard input" if file == "-" else file
        try:
            if file == "-":
                entries, blank = _read(sys.stdin, found)
            else:
                with Path(file).open(encoding="utf-8-sig", newline="") as rows:
                    entries, blank = _read(rows, found)
        except UnicodeDecodeError as error:
            raise CommandError(f"{name}: is not UTF-8 text") from error
        except OSError as error:
            raise CommandError(f"{name}: {error.strerror}") from error
        except ValueError as error:
            raise CommandError(f"{name}: {error}") from error
        outside = sum(not found.min <= value <= found.max for _, _, value in entries)
        if outside:
            values = "value" if outside == 1 else "values"
            self.stderr.write(f"{name}: {outside} {values} outside {found.min:g} to {found.max:g} of {found.code}")
        answer = {
            "measure": found.code,
            "entries": len(entries),
            "blank": blank,
            "out_of_range": outside,
            **_trend(found, entries),
        }
        self.stdout.write(json.dumps(answer, allow_nan=False, default=date.isoformat))


def _measure(code: str) -> Measure:
    known = measures()
    if code in known:
        return known[code]
    scores = [name for name in known if name.startswith(f"{code}.")]
    if len(scores) == 1:
        return known[scores[0]]
    if scores:
        raise CommandError(f"{code} has several scores: {', '.join(scores)}")
    near = get_close_matches(code, [*known, *(name.partition(".")[0] for name in known)], n=1)
    raise CommandError(f"unknown measure {code!r}" + (f"; did you mean {near[0]}?" if near else ""))


def _read(file: TextIO, measure: Measure) -> tuple[list[Entry], int]:
    """Entries in order, and how many rows had no value. Raises ValueError with line and column of a bad row."""
    rows = _rows(file)
    line, header = next(rows, (1, []))
    names = [name.strip().lower().removeprefix("\ufeff") for name in header]
    if sorted(names) != ["date", "value"]:
        raise ValueError(f"line {line}: the header must be date,value")
    found: list[Entry] = []
    blank = 0
    for line, row in rows:
        if len(row) != 2:
            raise ValueError(f"line {line}: {len(row)} fields where date,value are two")
        cells = dict(zip(names, (cell.strip() for cell in row), strict=True))
        clock, day = _moment(cells["date"], line, measure)
        if cells["value"]:
            found.append((clock, day, _value(cells["value"], line)))
        else:
            blank += 1
    found.sort(key=lambda entry: entry[0])  # Rows of the same moment keep their order.
    return found, blank


def _rows(file: TextIO) -> Iterator[tuple[int, list[str]]]:
    """Rows that are not empty, with the number of the line that each ends on."""
    reader = csv.reader(file, strict=True)
    try:
        for row in reader:
            if row:
                yield reader.line_num, row
    except csv.Error as error:
        raise ValueError(f"line {reader.line_num}: {error}") from error


def _moment(text: str, line: int, measure: Measure) -> tuple[str, date]:
    """The clock as written, in a form that sorts, and the local day that an entry is about."""
    try:
        if len(text) <= 10:
            day = date.fromisoformat(text)
            return day.isoformat(), day
        moment = datetime.fromisoformat(text)
        evening_before = measure.day_turns_at_four and moment.hour < 4
        return moment.isoformat(), moment.date() - timedelta(days=evening_before)
    except (ValueError, OverflowError):
        raise ValueError(f"line {line}, column date: {text[:40]!r} is no ISO date or date-time") from None


def _value(text: str, line: int) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not abs(value) < LARGEST or "_" in text:
        raise ValueError(f"line {line}, column value: {text[:40]!r} is no number that a measure can have")
    return value


def _trend(measure: Measure, entries: list[Entry]) -> dict[str, object]:
    series, day, value = arrange(
        (0 for _ in entries), (day_number(day) for _, day, _ in entries), (value for _, _, value in entries)
    )
    series, day, value = one_a_day(series, day, value, np.array([measure.kind == "daily"]))
    columns = compute(series, day, value, [measure], np.array([0]), np.array([NEVER]), whole=True).columns()
    return {name: column[0] for name, column in columns.items() if name != "baseline_settled"}
