"""Forms of scoring that a single instrument shows."""

from itertools import product

import pytest
from msgspec.structs import replace

from outcomes import library, scoring

EQ5D = library.get("eq-5d-5l")
TSK17 = library.get("tsk-17")


@pytest.mark.parametrize(("cutoff", "band"), [(None, "low"), (38, "low"), (37, "high")])
def test_a_clinic_reads_37_on_the_tsk_17_as_it_chooses(cutoff: int | None, band: str) -> None:
    instrument = scoring.adapted(TSK17, cutoffs={"total": {"high": cutoff}}) if cutoff else TSK17
    answers = {str(n): 3 if n in (4, 8, 12) else 2 for n in range(1, 17)} | {"17": 4}
    found = scoring.score(instrument, answers)
    assert (found.scores, found.bands) == ({"total": 37}, {"total": band})


def test_without_a_value_set_there_is_no_index_and_nothing_is_amiss() -> None:
    answers = dict(zip((item.id for item in EQ5D.items), (1, 2, 3, 4, 5, 60), strict=True))
    found = scoring.score(EQ5D, answers)
    assert found.scores == {"profile": 12345, "vas": 60}
    assert found.status == "complete"


def test_with_the_clinics_value_set_there_is_an_index() -> None:
    profiles = ["".join(levels) for levels in product("12345", repeat=5)]
    value_set = {int(profile): round(1 - 0.05 * sum(int(level) - 1 for level in profile), 3) for profile in profiles}
    own = scoring.adapted(EQ5D, tables={"index": value_set})
    answers = dict(zip((item.id for item in EQ5D.items), (1, 2, 3, 4, 5, 60), strict=True))
    assert scoring.score(own, answers).scores["index"] == 0.5
    assert scoring.score(own, {**answers, "mobility": None}).scores["index"] is None


def test_a_value_set_with_a_gap_is_refused() -> None:
    with pytest.raises(ValueError, match="the table of index lacks 3124 values, such as 11112"):
        scoring.adapted(EQ5D, tables={"index": {11111: 1.0}})


def test_named_activities_are_kept_and_never_scored() -> None:
    psfs = library.get("psfs")
    ratings = {"1": 4, "2": 6, "3": 5}
    named = {**ratings, "activity-1": "lift my child", "activity-2": ""}
    assert scoring.problems(psfs, named) == []
    assert scoring.score(psfs, named) == scoring.score(psfs, ratings)


@pytest.mark.parametrize(
    ("words", "code"), [("x" * 201, "out_of_range"), ("a\0b", "out_of_range"), (3, "wrong_type"), ([], "wrong_type")]
)
def test_text_that_cannot_be_kept_is_refused(words: object, code: str) -> None:
    problems = scoring.problems(library.get("psfs"), {"activity-1": words})
    assert [(problem.field, problem.code) for problem in problems] == [("answers.activity-1", code)]


def test_a_form_without_any_tick_is_not_a_form_that_nobody_touched() -> None:
    roland = library.get("rmdq-24")
    assert scoring.score(roland, {"1": 0}).scores == {"total": 0}
    assert scoring.score(roland, {}).scores == {"total": None}


def test_minutes_are_not_missing_on_days_that_there_were_none() -> None:
    ipaq = library.get("ipaq-sf")
    resting = {"vigorous-days": 0, "moderate-days": 0, "walking-days": 0}
    assert scoring.score(ipaq, resting).missing == 0
    assert scoring.score(ipaq, {**resting, "walking-days": 1}).missing == 1


def test_a_decimal_is_taken_as_it_was_written() -> None:
    own = library.read_instrument(library.FOLDER / "nrs-pain.toml")
    options = replace(own.options[0], decimals=1)
    finer = replace(own, options=(options,), scores=(replace(own.scores[0], decimals=1),))
    assert scoring.score(finer, {"pain": 3.6}).scores == {"total": 3.6}
    assert [problem.code for problem in scoring.problems(finer, {"pain": 3.65})] == ["not_an_option"]
