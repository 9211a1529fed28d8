"""Scores JSON Lines from a file or standard input; needs no database and no settings."""

import os
import sys
from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path
from typing import Any, BinaryIO

import msgspec
from django.core.management.base import CommandError, CommandParser

from outcomes import library, scoring
from outcomes.instrument import Instrument
from outcomes.management.sound import LibraryCommand

LONGEST_LINE = 1 << 20  # bytes; no instrument needs a thousandth of it


class Command(LibraryCommand):
    help = """Score answers without a database. Each line is a JSON object, {"answers": [0, 1, null]} in item order or
    {"answers": {"item id": 1}}; each becomes one line, {"scores": …} or {"error": …}. Blank lines are skipped."""

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> CommandParser:
        # Here --version is the instrument's, not Django's.
        return super().create_parser(prog_name, subcommand, conflict_handler="resolve", **kwargs)

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("code", help="instrument, such as phq-9")
        parser.add_argument("file", nargs="?", default="-", help="JSON Lines; standard input if left out or -")
        parser.add_argument("--version", help="version of the instrument; the newest if left out")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            instrument = library.get(options["code"], options["version"])
        except library.UnknownInstrumentError as error:
            known = ", ".join(each.code for each in library.newest())
            raise CommandError(f"{error} The instruments are: {known}.") from error
        try:
            with nullcontext(sys.stdin.buffer) if options["file"] == "-" else Path(options["file"]).open("rb") as lines:
                refused = self.score_lines(instrument, lines)
            self.stdout.flush()
        except BrokenPipeError:  # Whoever read us, such as `head`, has seen enough.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            return
        except OSError as error:
            raise CommandError(f"{options['file']}: {error.strerror}") from error
        if refused:
            raise CommandError(f"{refused} {'line' if refused == 1 else 'lines'} could not be scored.")

    def score_lines(self, instrument: Instrument, lines: BinaryIO) -> int:
        """Write one line for each; return how many could not be scored."""
        encode = msgspec.json.Encoder().encode
        refused = 0
        for number, line in enumerate(_lines(lines), start=1):
            if line.isspace():
                continue
            result = _scored(instrument, line)
            if isinstance(result, scoring.Problem):
                refused += 1
                error = {"line": number, "field": result.field, "code": result.code, "detail": result.detail}
                self.stdout.write(encode({"error": error}).decode())
            else:
                self.stdout.write(encode(result).decode())
        return refused


def _lines(file: BinaryIO) -> Iterator[bytes]:
    """The file's lines; of one that is too long only the beginning, which is still too long."""
    first = True
    while line := file.readline(LONGEST_LINE + 1):
        if first:
            line, first = line.removeprefix(b"\xef\xbb\xbf") or b"\n", False
        rest = line
        while len(rest) > LONGEST_LINE and not rest.endswith(b"\n"):
            rest = file.readline(LONGEST_LINE + 1)
        yield line


def _scored(instrument: Instrument, line: bytes) -> scoring.Scored | scoring.Problem:
    if len(line) > LONGEST_LINE:
        return scoring.Problem("", "too_long", f"A line has at most {LONGEST_LINE} bytes.")
    try:
        given = msgspec.json.decode(line)
    except RecursionError:
        return scoring.Problem("", "invalid_json", "Nested too deeply.")
    except UnicodeDecodeError:
        return scoring.Problem("", "invalid_json", "The line is not UTF-8.")
    except msgspec.DecodeError as error:  # also a number that is too large
        return scoring.Problem("", "invalid_json", f"{error}.")
    answers = given.get("answers") if isinstance(given, dict) else None
    try:
        if isinstance(answers, list):
            answers = scoring.by_item(instrument, answers)
        if isinstance(answers, dict):
            return scoring.score(instrument, answers)
    except scoring.BadAnswersError as error:
        return error.problems[0]
    if isinstance(given, dict) and "answers" not in given:
        return scoring.Problem("answers", "required", "Expected answers as an object or an array.")
    return scoring.Problem("answers" if isinstance(given, dict) else "", "wrong_type", 'Expected {"answers": …}.')
