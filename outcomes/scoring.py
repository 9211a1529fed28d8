"""From answers to scores: one scorer for all instruments, driven by their data alone.

An unanswered item is `None` or absent. It is never a zero unless the instrument says so, and never a reason to refuse.
"""

from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction
from functools import lru_cache
from math import ceil, floor, isfinite
from typing import Literal, cast

import msgspec
from msgspec.structs import replace

from outcomes.formulas import Exact, Points, Result, formula
from outcomes.instrument import Case, Instrument, Item, Number, OptionSet, Score, possible

type Status = Literal["complete", "prorated", "incomplete", "totals"]


class Problem(msgspec.Struct, frozen=True):
    """Why an answer is refused. `detail` says what is expected and never repeats the answer."""

    field: str
    code: str  # unknown_item, wrong_type, out_of_range, not_an_option, wrong_length
    detail: str


class BadAnswersError(ValueError):
    """The answers can't be scored; `problems` says which and why."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__(", ".join(f"{problem.field}: {problem.code}" for problem in problems))
        self.problems = tuple(problems)


class Scored(msgspec.Struct, frozen=True):
    """What the answers come to.

    `bands` holds the scores and rules that have bands. `missing` counts questions that were asked and left open.
    `incomplete`: at least one score is null; `prorated`: all are there, at least one fills a gap from the other items;
    `totals`: they were brought along without the answers (imports).
    """

    scores: dict[str, Number | None]
    bands: dict[str, str | None]
    missing: int
    status: Status
    flags: tuple[str, ...]


def score(instrument: Instrument, answers: Mapping[str, object]) -> Scored:
    """Score the answers, keyed by item id. Raises BadAnswersError if `problems` finds any."""
    return _scorer(instrument).score(answers)


def problems(instrument: Instrument, answers: Mapping[str, object]) -> list[Problem]:
    """What is wrong with the answers; an unanswered item never is. A whole float (2.0) passes for its integer."""
    return _scorer(instrument).problems(answers)


def by_item(instrument: Instrument, answers: Sequence[object]) -> dict[str, object]:
    """Answers in item order, keyed by item id. Only optional items at the end may be left off.

    Raises BadAnswersError on any other length: position is all that tells the items apart.
    """
    items = instrument.items
    least = next((n for n in range(len(items), 0, -1) if not items[n - 1].optional), 0)
    if not least <= len(answers) <= len(items):
        count = str(least) if least == len(items) else f"{least} to {len(items)}"
        raise BadAnswersError(
            [Problem("answers", "wrong_length", f"Expected {count} answers, null for an unanswered one.")]
        )
    return {item.id: answer for item, answer in zip(items, answers, strict=False)}


def adapted(
    instrument: Instrument,
    *,
    cutoffs: Mapping[str, Mapping[str, Number]] | None = None,
    max_missing: Mapping[str, int] | None = None,
    tables: Mapping[str, Mapping[int, float]] | None = None,
) -> Instrument:
    """The instrument with a clinic's own choices. Keep the result: it is prepared at its first use.

    `cutoffs`: score → band → its lower bound (tsk-17 "≥ 37" is {"total": {"high": 37}}, "> 37" is 38).
    `max_missing`: score → how many items may be unanswered. `tables`: score → licensed table (an EQ-5D value set).
    Raises ValueError where the choice doesn't fit the instrument.
    """
    cutoffs, max_missing, tables = cutoffs or {}, max_missing or {}, tables or {}
    unknown = {*cutoffs, *max_missing, *tables} - {each.name for each in instrument.scores}
    if unknown:
        raise ValueError(f"{instrument.code} has no score {', '.join(sorted(unknown))}")
    scores = []
    for each in instrument.scores:
        changed = _with_cutoffs(each, cutoffs.get(each.name, {}))
        if (most := max_missing.get(each.name)) is not None:
            if each.form not in {"sum", "mean", "percent"} or not 0 <= most < len(each.items):
                raise ValueError(f"{each.name} can't be scored with {most} items missing")
            changed = replace(changed, max_missing=most)
        if (table := tables.get(each.name)) is not None:
            if not each.clinic_table:
                raise ValueError(f"{each.name} takes no table")
            if missing := set(possible(instrument, instrument.score(each.of or ""))) - table.keys():
                raise ValueError(f"the table of {each.name} lacks {len(missing)} values, such as {min(missing)}")
            changed = replace(changed, table=tuple(table.items()))
        scores.append(changed)
    return replace(instrument, scores=tuple(scores))


def _with_cutoffs(score: Score, cutoffs: Mapping[str, Number]) -> Score:
    bands = list(score.bands)
    for name, cutoff in cutoffs.items():
        at = next((n for n, band in enumerate(bands) if band.name == name), 0)
        if at == 0:
            raise ValueError(f"{score.name} has no cut-off {name}")
        bands[at - 1] = replace(bands[at - 1], below=cutoff)
        bands[at] = replace(bands[at], from_=cutoff)
    if any(band.from_ >= band.below for band in bands):
        raise ValueError(f"the cut-offs of {score.name} are out of order")
    return replace(score, bands=tuple(bands))


@lru_cache(maxsize=1024)
def _scorer(instrument: Instrument) -> "_Scorer":
    return _Scorer(instrument)


class _Scorer:
    """One instrument, prepared: positions instead of ids, tables instead of rules."""

    def __init__(self, instrument: Instrument) -> None:
        items = instrument.items
        at = {item.id: position for position, item in enumerate(items)}
        self._ids = [item.id for item in items]
        self._options = {item.id: instrument.option_set(item) for item in items}
        self._whole = {item_id: _whole_answers(options) for item_id, options in self._options.items()}
        self._texts = [at[item_id] for item_id, options in self._options.items() if options.longest]
        self._asked = [(at[item.id], at.get(item.only_if or "")) for item in items if not item.optional]
        self._blank = {at[i] for each in instrument.scores if each.blank is not None for i in each.items}
        self._points = [
            (at[item.id], points) for item in items if (points := _points(item, self._options[item.id])) is not None
        ]
        self._formulas = [
            (each.name, formula(each, instrument)) for each in instrument.scores if each.table or not each.clinic_table
        ]
        self._bands = [
            (each.name, [band.from_ for band in each.bands[1:]], [band.name for band in each.bands])
            for each in instrument.scores
            if each.bands
        ]
        self._rules = instrument.rules
        self._flags = [
            (
                flag.name,
                flag.at_least,
                [at[item_id] for item_id in flag.any or flag.all or flag.unanswered],
                "any" if flag.any else "all" if flag.all else "unanswered",
            )
            for flag in instrument.flags
        ]

    def problems(self, answers: Mapping[str, object]) -> list[Problem]:
        whole = self._whole
        found = []
        for item_id, answer in answers.items():
            allowed = whole.get(item_id)
            if allowed is not None and (answer is None or (type(answer) is int and answer in allowed)):
                continue
            if problem := self._problem(item_id, answer):
                found.append(problem)
        return found

    def _problem(self, item_id: str, answer: object) -> Problem | None:
        field = f"answers.{str(item_id)[:80]}"
        options = self._options.get(item_id)
        if options is None:
            return Problem(field, "unknown_item", "The instrument has no such item.")
        if options.longest:
            return _text_problem(field, answer, options.longest)
        low, high = options.bounds
        kind = f"a number with at most {options.decimals} decimals" if options.decimals else "a whole number"
        expected = f"Expected {kind} from {low} to {high}, or null."
        if isinstance(answer, bool) or not isinstance(answer, int | float):
            return Problem(field, "wrong_type", expected)
        if isinstance(answer, float) and not isfinite(answer):
            return Problem(field, "wrong_type", expected)
        if not low <= answer <= high:
            return Problem(field, "out_of_range", expected)
        exact = _exact(answer)
        if (exact * 10**options.decimals) % 1 or (exact % 1 == 0 and int(exact) not in self._whole[item_id]):
            return Problem(field, "not_an_option", expected)
        return None

    def score(self, answers: Mapping[str, object]) -> Scored:
        if found := self.problems(answers):
            raise BadAnswersError(found)
        given = cast(list[Number | None], [answers.get(item_id) for item_id in self._ids])
        for position in self._texts:
            given[position] = None
        values: Points = [answer if answer is None else _exact(answer) for answer in given]
        missing = self._missing(values) if None in values else 0
        flags = tuple(dict.fromkeys(self._raised(values)))
        for position, points in self._points:
            value = values[position]
            if value is not None:
                values[position] = points[int(value)]
        results: dict[str, Result] = {}
        for name, run in self._formulas:
            results[name] = run(values, results)
        scores = {name: result[0] for name, result in results.items()}
        bands: dict[str, str | None] = {}
        for name, bounds, names in self._bands:
            reached = scores.get(name)
            bands[name] = None if reached is None else names[bisect_right(bounds, reached)]
        for rule in self._rules:
            bands[rule.name] = _case(rule.cases, scores)
        return Scored(scores, bands, missing, _status(results, missing), flags)

    def _missing(self, values: Points) -> int:
        left = {at for at, gate in self._asked if values[at] is None and (gate is None or values[gate])}
        if any(values[at] is not None for at in self._blank):  # On such a form, blank is an answer.
            left -= self._blank
        return len(left)

    def _raised(self, values: Points) -> Iterator[str]:
        for name, at_least, positions, how in self._flags:
            watched = [values[position] for position in positions]
            if how == "unanswered":
                if None in watched and values.count(None) < len(values):
                    yield name
            else:
                reached = [value is not None and value >= at_least for value in watched]
                if all(reached) if how == "all" else True in reached:
                    yield name


def _text_problem(field: str, answer: object, longest: int) -> Problem | None:
    expected = f"Expected text of at most {longest} characters, without a null character, or null."
    if not isinstance(answer, str):
        return Problem(field, "wrong_type", expected)
    if len(answer) > longest or "\0" in answer:  # PostgreSQL can't store a null character
        return Problem(field, "out_of_range", expected)
    return None


def _exact(answer: Number) -> Exact:
    """The answer as it was written: 3.6 is 36/10, not the nearest binary fraction."""
    if isinstance(answer, int):
        return answer
    fraction = Fraction(repr(answer))
    return int(fraction) if fraction.denominator == 1 else fraction


def _whole_answers(options: OptionSet) -> range | frozenset[int]:
    if options.range:
        return range(ceil(options.range[0]), floor(options.range[1]) + 1)
    return frozenset(option.value for option in options.values)


def _points(item: Item, options: OptionSet) -> Mapping[int, int] | None:
    """What each answer counts, reversal included; None where an answer counts as itself."""
    if not item.reverse and all(option.points is None for option in options.values):
        return None
    values = {value: value for value in _whole_answers(options)}
    values |= {option.value: option.points for option in options.values if option.points is not None}
    if item.reverse:
        ends = min(values.values()) + max(values.values())
        values = {value: ends - points for value, points in values.items()}
    return values


def _case(cases: Sequence[Case], scores: Mapping[str, Number | None]) -> str | None:
    """The band of the first case that holds, unknown as long as any score that a case names is."""
    if any(case.score is not None and scores[case.score] is None for case in cases):
        return None
    for case in cases:
        value = scores[case.score] if case.score is not None else None
        if value is None or (
            (case.from_ is None or value >= case.from_) and (case.below is None or value < case.below)
        ):
            return case.band
    return None


def _status(results: Mapping[str, Result], missing: int) -> Status:
    if not results:
        return "incomplete" if missing else "complete"
    if any(value is None for value, _ in results.values()):
        return "incomplete"
    return "prorated" if any(prorated for _, prorated in results.values()) else "complete"
