"""What holds for each form of scoring, whatever is answered."""

import math
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from outcomes import library, scoring
from outcomes.formulas import half_up
from outcomes.instrument import Instrument, Item, score_range

type Answers = dict[str, int | float | str | None]

CERTAINTY = {"incomplete": 0, "prorated": 1, "complete": 2}
FORMS = {
    "sum, prorated": "phq-9",
    "sum, all or nothing, subscales": "pcs",
    "sum, some reversed": "tsk-17",
    "sum, some items unscored": "fabq",
    "sum, blank is zero": "rmdq-24",
    "item threshold, band over two scores": "start-back",
    "mean, enough answered": "bpi-sf",
    "mean, optional items, text": "psfs",
    "per cent of the possible": "odi",
    "lookup table": "promis-pain-interference-4a",
    "profile": "eq-5d-5l",
    "products, minutes only if days": "ipaq-sf",
    "single items": "daily-diary",
    "flags alone": "red-flag-screen",
}
EACH_FORM = pytest.mark.parametrize(
    "instrument", [library.get(code) for code in FORMS.values()], ids=[form.replace(" ", "-") for form in FORMS]
)
few = settings(max_examples=25, deadline=None)


def answer(instrument: Instrument, item: Item) -> st.SearchStrategy[int | float | str]:
    options = instrument.option_set(item)
    if options.longest:
        return st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=options.longest)
    if options.values:
        return st.sampled_from([option.value for option in options.values])
    low, high = options.bounds
    if options.decimals:
        return st.decimals(low, high, places=options.decimals).map(float)
    return st.integers(int(low), int(high))


def answers(instrument: Instrument, *, complete: bool = False) -> st.SearchStrategy[Answers]:
    blank = st.nothing() if complete else st.none()
    return st.fixed_dictionaries({item.id: blank | answer(instrument, item) for item in instrument.items})


def flipped(instrument: Instrument, given: Answers) -> Answers:
    """The answers seen from the other end of their scale, where they are numbers."""
    turned = dict(given)
    for item in instrument.items:
        value = given[item.id]
        if isinstance(value, int):
            turned[item.id] = int(sum(instrument.option_set(item).bounds)) - value
    return turned


def with_points_as_values(instrument: Instrument) -> bool:
    return all(option.points is None for options in instrument.options for option in options.values)


def test_every_form_in_use_is_among_these() -> None:
    shown = {score.form for code in FORMS.values() for score in library.get(code).scores}
    assert shown == {score.form for instrument in library.all_versions() for score in instrument.scores}


@EACH_FORM
@few
@given(data=st.data())
def test_the_order_of_answers_does_not_matter(instrument: Instrument, data: st.DataObject) -> None:
    written = data.draw(answers(instrument))
    shuffled = dict(data.draw(st.permutations(list(written.items()))))
    assert scoring.score(instrument, shuffled) == scoring.score(instrument, written)


@EACH_FORM
@few
@given(data=st.data())
def test_what_may_be_answered_is_never_a_problem_and_scores_stay_in_range(
    instrument: Instrument, data: st.DataObject
) -> None:
    written = data.draw(answers(instrument))
    assert scoring.problems(instrument, written) == []
    found = scoring.score(instrument, written)
    for name, value in found.scores.items():
        low, high = score_range(instrument, instrument.score(name))
        assert value is None or low <= value <= high, name
    for score in instrument.scores:
        if score.bands:
            value = found.scores[score.name]
            holding = [band.name for band in score.bands if value is not None and band.from_ <= value < band.below]
            assert found.bands[score.name] == (holding[0] if holding else None)


@EACH_FORM
@few
@given(data=st.data())
def test_a_form_with_every_answer_is_complete(instrument: Instrument, data: st.DataObject) -> None:
    found = scoring.score(instrument, data.draw(answers(instrument, complete=True)))
    assert (found.status, found.missing) == ("complete", 0)
    assert None not in found.scores.values()


@EACH_FORM
@few
@given(data=st.data())
def test_one_more_missing_never_raises_certainty(instrument: Instrument, data: st.DataObject) -> None:
    written = data.draw(answers(instrument))
    left_out = data.draw(st.sampled_from([item.id for item in instrument.items]))
    before = scoring.score(instrument, written)
    after = scoring.score(instrument, {**written, left_out: None})
    assert CERTAINTY[after.status] <= CERTAINTY[before.status]
    assert after.missing >= before.missing
    for name, value in before.scores.items():
        assert value is not None or after.scores[name] is None


@EACH_FORM
@few
@given(data=st.data())
def test_a_reversed_item_reversed_again_is_itself(instrument: Instrument, data: st.DataObject) -> None:
    if not with_points_as_values(instrument):
        return
    written = data.draw(answers(instrument))
    assert flipped(instrument, flipped(instrument, written)) == written
    turned = replace(
        instrument,
        items=tuple(
            item if instrument.option_set(item).longest else replace(item, reverse=not item.reverse)
            for item in instrument.items
        ),
    )
    mirrored = scoring.score(turned, flipped(instrument, written))
    assert mirrored.scores == scoring.score(instrument, written).scores


@EACH_FORM
@few
@given(data=st.data())
def test_a_whole_float_is_as_good_as_its_integer(instrument: Instrument, data: st.DataObject) -> None:
    written = data.draw(answers(instrument))
    floats = {key: float(value) if isinstance(value, int) else value for key, value in written.items()}
    found = scoring.score(instrument, floats)
    assert found == scoring.score(instrument, written)
    for name, value in found.scores.items():
        score = instrument.score(name)
        if score.form in {"sum", "profile"} and score.decimals == 0:
            assert value is None or type(value) is int


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


@EACH_FORM
@few
@given(data=st.data())
def test_anything_at_all_is_scored_or_refused_by_name(instrument: Instrument, data: st.DataObject) -> None:
    keys = st.sampled_from([item.id for item in instrument.items]) | st.text(max_size=20)
    written: dict[str, Any] = data.draw(st.dictionaries(keys, JSON, max_size=5))
    problems = scoring.problems(instrument, written)
    assert all(problem.field.startswith("answers.") and problem.code and problem.detail for problem in problems)
    if problems:
        with pytest.raises(scoring.BadAnswersError):
            scoring.score(instrument, written)
    else:
        scoring.score(instrument, written)


@given(st.integers(0, 10**6), st.integers(1, 1000), st.integers(0, 4))
def test_rounding_agrees_with_decimal(numerator: int, denominator: int, decimals: int) -> None:
    exact = Decimal(numerator) / Decimal(denominator)
    assert math.isclose(
        half_up(numerator, denominator, decimals),
        float(exact.quantize(Decimal(1).scaleb(-decimals), ROUND_HALF_UP)),
        rel_tol=1e-12,
    )
