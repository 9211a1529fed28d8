import json
import math
from typing import Any

import pytest

from outcomes import library, scoring
from outcomes.formulas import half_up

PHQ9 = library.get("phq-9")


def phq9(*answers: object) -> scoring.Scored:
    return scoring.score(PHQ9, scoring.by_item(PHQ9, answers))


def codes(answers: dict[str, Any], code: str = "phq-9") -> list[tuple[str, str]]:
    return [(problem.field, problem.code) for problem in scoring.problems(library.get(code), answers)]


@pytest.mark.parametrize(
    ("numerator", "denominator", "decimals", "expected"),
    [(9, 2, 0, 5), (7, 2, 0, 4), (449, 100, 0, 4), (28, 3, 2, 9.33), (1, 8, 2, 0.13), (3, 8, 2, 0.38), (0, 7, 1, 0.0)],
)
def test_halves_round_up_as_by_hand(numerator: int, denominator: int, decimals: int, expected: float) -> None:
    assert half_up(numerator, denominator, decimals) == expected


def test_a_whole_score_is_an_integer() -> None:
    assert type(phq9(1, 1, 1, 1, 0, 0, 0, None, 0).scores["total"]) is int


def test_an_unanswered_item_is_not_a_zero() -> None:
    assert phq9(3, 3, 3, 3, 3, 3, 3, 3, None).scores["total"] == 27
    assert phq9(3, 3, 3, 3, 3, 3, 3, 3, 0).scores["total"] == 24


def test_absent_and_null_are_the_same() -> None:
    given = {str(n): 1 for n in range(1, 9)}
    assert scoring.score(PHQ9, given) == scoring.score(PHQ9, {**given, "9": None, "difficulty": None})


def test_unanswered_is_never_a_problem() -> None:
    assert codes({}) == []
    assert codes({"1": None, "9": None}) == []


def test_no_answer_at_all_is_incomplete_and_raises_nothing() -> None:
    assert scoring.score(PHQ9, {}) == scoring.Scored({"total": None}, {"total": None}, 9, "incomplete", ())


def test_a_flag_does_not_wait_for_a_total() -> None:
    assert scoring.score(PHQ9, {"9": 1}).flags == ("item-9-positive",)


def test_an_unscored_item_counts_neither_in_the_score_nor_as_missing() -> None:
    with_difficulty = phq9(1, 1, 1, 1, 1, 1, 1, 1, 0, 3)
    assert with_difficulty == phq9(1, 1, 1, 1, 1, 1, 1, 1, 0)
    assert with_difficulty.status == "complete"


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (4, "out_of_range"),
        (-1, "out_of_range"),
        (7, "out_of_range"),
        (9, "out_of_range"),
        pytest.param(10**5000, "out_of_range", id="huge"),
        pytest.param(-(10**5000), "out_of_range", id="huge and negative"),
        (1e300, "out_of_range"),
        (2.5, "not_an_option"),
        (5e-324, "not_an_option"),
        (True, "wrong_type"),
        (False, "wrong_type"),
        ("2", "wrong_type"),
        ("", "wrong_type"),
        ([2], "wrong_type"),
        ({"value": 2}, "wrong_type"),
        (math.nan, "wrong_type"),
        (math.inf, "wrong_type"),
        (-math.inf, "wrong_type"),
    ],
)
def test_a_bad_answer_is_named_by_field_and_reason(answer: object, code: str) -> None:
    assert codes({"1": 0, "9": answer}) == [("answers.9", code)]


def test_a_whole_float_passes_for_its_integer() -> None:
    found = scoring.score(PHQ9, {str(n): 2.0 for n in range(1, 10)})
    assert found == scoring.score(PHQ9, {str(n): 2 for n in range(1, 10)})
    assert type(found.scores["total"]) is int


def test_unknown_items_are_named_even_when_null_and_cut_when_long() -> None:
    assert codes({"10": 1}) == [("answers.10", "unknown_item")]
    assert codes({"zero": None}) == [("answers.zero", "unknown_item")]
    assert codes({"x" * 10_000: 1}) == [("answers." + "x" * 80, "unknown_item")]


def test_all_problems_are_told_at_once() -> None:
    assert codes({"1": 9, "2": "a", "3": 0, "b": 1}) == [
        ("answers.1", "out_of_range"),
        ("answers.2", "wrong_type"),
        ("answers.b", "unknown_item"),
    ]


def test_a_problem_never_repeats_the_answer() -> None:
    secret = "secret " * 5
    [problem] = scoring.problems(PHQ9, {"9": secret})
    assert secret not in json.dumps([problem.field, problem.code, problem.detail])


def test_bad_answers_are_not_scored() -> None:
    with pytest.raises(scoring.BadAnswersError, match=r"answers\.9: out_of_range") as caught:
        scoring.score(PHQ9, {"9": 7})
    assert caught.value.problems == tuple(scoring.problems(PHQ9, {"9": 7}))


@pytest.mark.parametrize("count", [0, 8, 11])
def test_a_list_of_another_length_is_refused(count: int) -> None:
    with pytest.raises(scoring.BadAnswersError) as caught:
        scoring.by_item(PHQ9, [0] * count)
    assert [(problem.field, problem.code) for problem in caught.value.problems] == [("answers", "wrong_length")]


def test_sexual_dysfunction_alone_never_says_cauda_equina() -> None:
    screen = library.get("red-flag-screen")
    signs = [item.id for item in screen.items if item.id.startswith("ces-")]
    raised = {sign: "cauda-equina" in scoring.score(screen, {sign: 1}).flags for sign in signs}
    assert raised == {
        "ces-bladder": True,
        "ces-saddle": True,
        "ces-legs": True,
        "ces-bowel": True,
        "ces-sexual": False,
    }


def test_two_reasons_raise_one_flag() -> None:
    assert scoring.score(library.get("red-flag-screen"), {"trauma": 1, "cancer": 1, "night-pain": 1}).flags == (
        "red-flag",
    )


def test_a_clinic_may_ask_for_eight_of_nine() -> None:
    stricter = scoring.adapted(PHQ9, max_missing={"total": 1})
    two_missing = {str(n): 1 for n in range(1, 8)}
    assert scoring.score(PHQ9, two_missing).status == "prorated"
    assert scoring.score(stricter, two_missing).status == "incomplete"


def test_a_clinic_may_move_a_cutoff() -> None:
    moved = scoring.adapted(PHQ9, cutoffs={"total": {"moderate": 9}})
    nine = {str(n): 1 for n in range(1, 10)}
    assert scoring.score(PHQ9, nine).bands == {"total": "mild"}
    assert scoring.score(moved, nine).bands == {"total": "moderate"}


@pytest.mark.parametrize(
    ("choice", "why"),
    [
        ({"cutoffs": {"sum": {"high": 3}}}, "no score sum"),
        ({"cutoffs": {"total": {"high": 3}}}, "no cut-off high"),
        ({"cutoffs": {"total": {"minimal": 3}}}, "no cut-off minimal"),
        ({"cutoffs": {"total": {"mild": 12}}}, "out of order"),
        ({"max_missing": {"total": 9}}, "9 items missing"),
        ({"max_missing": {"total": -1}}, "-1 items missing"),
        ({"tables": {"total": {0: 1.0}}}, "takes no table"),
    ],
)
def test_a_choice_that_does_not_fit_is_refused(choice: dict[str, Any], why: str) -> None:
    with pytest.raises(ValueError, match=why):
        scoring.adapted(PHQ9, **choice)
