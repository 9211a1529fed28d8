"""What an item says that is not as it should be: which field it fills twice, and all that it says all the same.

JSON lets an object hold one key several times, and readers keep the last. A phone that sends item 9 twice would have
its first answer read by nobody, so such an item is refused, kept whole, and read for red flags by every value.
"""

from __future__ import annotations

import json
from collections import Counter

import msgspec

from exercises.items import AdverseEventItem
from outcomes.intake import ResponseItem


class Pairs(list[tuple[str, object]]):
    """An object of JSON with everything that stands in it, in order."""

    def all(self, key: str) -> list[object]:
        return [value for name, value in self if name == key]


class _Answers(msgspec.Struct):
    answers: msgspec.Raw


_answers = msgspec.json.Decoder(_Answers)


def repeated_field(text: bytes, item: object) -> str | None:
    """The dotted name of what raises red flags and stands in an item more than once, or None.

    Nearly all answers cost two counts of bytes: where each key brings one colon, none stands there twice.
    """
    match item:
        case ResponseItem():
            once = b"\\" not in text and text.count(b'"answers"') == 1
            if once and bytes(_answers.decode(text).answers).count(b":") == len(item.answers):
                return None
            answers = salvage(text).all("answers")
            if len(answers) > 1:
                return "answers"
            repeated = _repeated(answers[0])
            return repeated and f"answers.{repeated[:64]}"
        case AdverseEventItem():
            return "kind" if len(salvage(text).all("kind")) > 1 else None
    return None


def _repeated(pairs: object) -> str | None:
    counts = Counter(name for name, _ in pairs) if isinstance(pairs, Pairs) else {}
    return next((name for name, count in counts.items() if count > 1), None)


def salvage(text: bytes) -> Pairs:
    """Everything that can be read of an item, however much is wrong with it; nothing where it is no object."""
    try:
        found = json.loads(text.decode(errors="replace"), object_pairs_hook=Pairs, parse_int=_number)
    except (ValueError, RecursionError):
        return Pairs()
    return found if isinstance(found, Pairs) else Pairs()


def _number(digits: str) -> int | float:
    """Python refuses to read a whole number of thousands of digits; no answer has more than a few."""
    return int(digits) if len(digits) < 20 else float(digits)
