"""What an instrument is: the shape of one data file under `outcomes/instruments/`.

Every number that decides something carries a `source`. `library.py` reads the files, `scoring.py` scores by them.
"""

from collections.abc import Iterable, Iterator
from itertools import product
from typing import Annotated, Literal

import msgspec

type Number = int | float
type Words = Annotated[str, msgspec.Meta(min_length=1)]
type Code = Annotated[str, msgspec.Meta(pattern="^[a-z0-9]+(-[a-z0-9]+)*$")]
type Version = Annotated[str, msgspec.Meta(pattern="^[1-9][0-9]*$")]
type Direction = Literal["higher-worse", "higher-better", "none"]


class _Data(msgspec.Struct, frozen=True, forbid_unknown_fields=True, eq=False, omit_defaults=True):
    """Read-only; compared and hashed by identity, so that an instrument can key a cache."""


class Sourced(_Data, kw_only=True, frozen=True):
    """A number above zero, with where it comes from."""

    value: Annotated[float, msgspec.Meta(gt=0)]
    source: Words


class Option(_Data, kw_only=True, frozen=True):
    """One answer of a list. `points` is what scoring counts where that is not the value itself."""

    value: int
    points: int | None = None
    loinc: str | None = None


class OptionSet(_Data, kw_only=True, frozen=True):
    """What may be answered.

    A list of values, any number from `range[0]` to `range[1]` with so many decimals, or text up to `longest`
    characters, which is kept and never scored.
    """

    name: Code
    source: Words
    values: tuple[Option, ...] = ()
    range: tuple[Number, Number] | None = None
    longest: int | None = None
    decimals: int = 0
    unit: str | None = None

    @property
    def bounds(self) -> tuple[Number, Number]:
        """The smallest and the largest answer."""
        if self.range:
            return self.range
        values = [option.value for option in self.values]
        return min(values), max(values)


class Item(_Data, kw_only=True, frozen=True):
    """One question. An `optional` one, or one whose `only_if` item is zero or unanswered, is never missing."""

    id: Code
    options: str
    reverse: bool = False
    optional: bool = False
    only_if: str | None = None
    loinc: str | None = None


class Band(_Data, kw_only=True, frozen=True):
    """A named stretch of a score, half open: `from` ≤ score < `below`."""

    name: Code
    from_: Number = msgspec.field(name="from")
    below: Number


class Term(_Data, kw_only=True, frozen=True):
    """A product of items and a factor, such as 3.3 MET × days × minutes."""

    factor: float
    items: tuple[str, ...]


class Score(_Data, kw_only=True, frozen=True):
    """How one number comes from the answers.

    `sum`, `mean` and `percent` (of the possible maximum) prorate while at most `max_missing` of their items are
    unanswered; with `blank` an unanswered item counts that much instead. `products` adds up `terms`, `lookup` reads
    another score (`of`) in `table`, `profile` writes the answers side by side as digits.
    """

    name: Code
    title: Words | None = None
    form: Literal["sum", "mean", "percent", "products", "lookup", "profile"]
    items: tuple[str, ...] = ()
    terms: tuple[Term, ...] = ()
    of: str | None = None
    table: tuple[tuple[int, float], ...] = ()
    clinic_table: bool = False  # The table is licensed by country: no score until the clinic gives its own.
    range: tuple[Number, Number] | None = None  # Only where the answers don't tell, as with a clinic's table.
    max_missing: int = 0
    blank: int | None = None
    decimals: int = 0
    direction: Direction
    source: Words
    missing_source: Words
    bands: tuple[Band, ...] = ()
    bands_source: Words | None = None
    mcid_abs: Sourced | None = None
    mcid_pct: Sourced | None = None  # per cent of the person's own earlier score
    mdc95: Sourced | None = None
    sem: Sourced | None = None
    loinc: str | None = None
    trend: bool = True  # False: a code, not a quantity; it has no measure.


class Case(_Data, kw_only=True, frozen=True):
    """One line of a rule: the band if the score lies in [`from`, `below`), or for certain if no score is named."""

    band: str
    score: str | None = None
    from_: Number | None = msgspec.field(name="from", default=None)
    below: Number | None = None


class Rule(_Data, kw_only=True, frozen=True):
    """A band over several scores: the first case that holds."""

    name: Code
    cases: tuple[Case, ...]
    source: Words


class Flag(_Data, kw_only=True, frozen=True):
    """Something that somebody must see whatever the score is.

    Raised when `any` of the items, or `all` of them, are answered with `at_least`; or when one of the `unanswered`
    items is blank though another item was answered. Two entries of one name are two ways to raise the same flag.
    """

    name: Code
    any: tuple[str, ...] = ()
    all: tuple[str, ...] = ()
    at_least: int = 1
    unanswered: tuple[str, ...] = ()
    source: Words


class FollowUp(_Data, kw_only=True, frozen=True):
    """What to ask next, by the clinic's choice among `offer`, when a score reaches `from`."""

    score: str
    from_: Number = msgspec.field(name="from")
    offer: tuple[str, ...]
    source: Words


class Example(_Data, kw_only=True, frozen=True):
    """A worked example, run by the test suite. Answers in item order, `-` for unanswered; a score of `-` is null."""

    name: Words
    answers: Words
    source: Words
    scores: dict[str, Number | Literal["-"]] = {}
    bands: dict[str, str] = {}
    flags: tuple[str, ...] = ()
    status: Literal["complete", "prorated", "incomplete"] = "complete"
    missing: int = 0


class Text(_Data, kw_only=True, frozen=True):
    """The words of one instrument in one language, from `text/CODE.LANGUAGE.toml` or a clinic's licensed pack."""

    code: Code
    version: Version
    language: str
    title: Words
    introduction: Words
    items: dict[str, Words]
    options: dict[str, dict[str, Words]] = {}  # option set → value → label; of a range, labels for its ends
    source: Words
    licence: Words


class Instrument(_Data, kw_only=True, frozen=True):
    """One version of one instrument."""

    code: Code
    version: Version
    title: Words
    owner: Words
    licence: Words
    ship: Literal["full", "meta"]
    respondent: Literal["patient", "clinician"] = "patient"
    recall: Words
    cadence: Literal["daily", "questionnaire"]
    day_turns_at_four: bool = False  # An answer before 04:00 belongs to the evening before.
    source: Words
    caution: Words | None = None  # what a reader of the score must know, shown wherever it is
    loinc: str | None = None
    loinc_source: Words | None = None
    safety_item: str | None = None  # Someone must read this item's answer promptly …
    unattended_alternative: str | None = None  # … and where nobody can, this instrument is offered instead.
    items: tuple[Item, ...]
    options: tuple[OptionSet, ...]
    scores: tuple[Score, ...] = ()
    rules: tuple[Rule, ...] = ()
    flags: tuple[Flag, ...] = ()
    follow_up: tuple[FollowUp, ...] = ()
    examples: tuple[Example, ...]
    texts: dict[str, Text] = {}  # filled from the files of text, by language

    @property
    def languages(self) -> tuple[str, ...]:
        """Languages whose text ships with the project."""
        return tuple(sorted(self.texts))

    def option_set(self, item: Item) -> OptionSet:
        return next(options for options in self.options if options.name == item.options)

    def item(self, item_id: str) -> Item:
        return next(item for item in self.items if item.id == item_id)

    def score(self, name: str) -> Score:
        return next(score for score in self.scores if score.name == name)


def points_range(instrument: Instrument, item_id: str) -> tuple[Number, Number]:
    """The fewest and the most points that an item can add; reversal keeps them."""
    options = instrument.option_set(instrument.item(item_id))
    if options.range:
        return options.range
    points = [option.value if option.points is None else option.points for option in options.values]
    return min(points), max(points)


def score_range(instrument: Instrument, score: Score) -> tuple[Number, Number]:
    """The smallest and the largest value that a score can take."""
    if score.range:
        return score.range
    if score.form == "lookup":
        values = [value for _, value in score.table]
        return min(values), max(values)
    if score.form == "products":
        return sum(_products(instrument, score, 0)), sum(_products(instrument, score, 1))
    ends = [points_range(instrument, item_id) for item_id in score.items]
    low, high = sum(end[0] for end in ends), sum(end[1] for end in ends)
    if score.form == "mean":
        return low / len(ends), high / len(ends)
    if score.form == "percent":
        return 100 * low / high, 100
    if score.form == "profile":
        return int("".join(str(end[0]) for end in ends)), int("".join(str(end[1]) for end in ends))
    return low, high


def _products(instrument: Instrument, score: Score, end: int) -> Iterator[float]:
    for term in score.terms:
        most = term.factor
        for item_id in term.items:
            most *= points_range(instrument, item_id)[end]
        yield most


def possible(instrument: Instrument, score: Score) -> Iterable[int]:
    """The values that a table over the score must have: each profile, or each whole number in its range."""
    if score.form == "profile":
        answers = [instrument.option_set(instrument.item(item_id)).values for item_id in score.items]
        return [int("".join(str(option.value) for option in options)) for options in product(*answers)]
    low, high = score_range(instrument, score)
    return range(int(low), int(high) + 1)
