"""Each pattern of the table, and what is never done."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest

from exercises.suggesting import FRESH, NO_MODE_IS_SUPERIOR, Known, Suggestions, age_on, suggest
from exercises.templates import templates

TODAY = date(2026, 11, 22)


def known(**fields: Any) -> Known:
    scores = {measure: (value, TODAY) for measure, value in fields.pop("scores", {}).items()}
    return Known(today=TODAY, scores=scores, **fields)


def best(suggestions: Suggestions) -> list[str]:
    return [each.code for each in suggestions.templates if each.reasons]


@pytest.mark.parametrize(
    ("measure", "below", "from_here"),
    [("tsk-11.total", 28, 29), ("tsk-17.total", 37, 38), ("pcs.total", 29, 30), ("fabq.physical-activity", 14, 15)],
)
def test_fear_suggests_exposure_then_yoga_qigong_mindfulness(measure: str, below: float, from_here: float) -> None:
    assert best(suggest(known(scores={measure: below}))) == []
    assert best(suggest(known(scores={measure: from_here}))) == ["graded-exposure", "yoga", "qigong", "mindfulness"]


def test_low_mood_suggests_aerobic_first_and_intervals_only_behind_the_gate() -> None:
    assert best(suggest(known(scores={"phq-9.total": 9}))) == []
    found = suggest(known(scores={"phq-9.total": 10}))
    assert best(found)[0] == "aerobic"
    hiit = next(each for each in found.templates if each.code == "hiit")
    assert hiit.blocked == ["clearance:cycle-one-minute"]
    cleared = suggest(known(scores={"phq-8.total": 10}, cleared=True))
    assert best(cleared) == ["aerobic", "hiit"]


def test_from_15_on_a_referral_is_advised() -> None:
    assert [each.rule for each in suggest(known(scores={"phq-9.total": 15})).advice] == ["mood-referral"]
    assert suggest(known(scores={"phq-9.total": 14})).advice == []


@pytest.mark.parametrize(
    ("fields", "rule"),
    [
        ({"scores": {"phq-9.total": 20}}, "severe-depression"),
        ({"scores": {"phq-8.total": 20}}, "severe-depression"),
        ({"red_flags": ("SUI-1",)}, "red-flag"),
        ({"red_flags": ("CES-1",)}, "red-flag"),
    ],
)
def test_where_somebody_must_talk_first_nothing_is_suggested(fields: dict[str, Any], rule: str) -> None:
    found = suggest(known(**fields))
    assert [each.rule for each in found.human_first] == [rule]
    assert found.modalities == found.templates == []


@pytest.mark.parametrize("fields", [{"age": 65}, {"conditions": frozenset({"falls-risk"})}])
def test_the_older_get_no_hard_intervals_first(fields: dict[str, Any]) -> None:
    found = suggest(known(**fields, cleared=True, liked=("hiit",), scores={"phq-9.total": 12}))
    assert "hiit" not in best(found)[:3]
    assert {"older-or-frail", "qigong", "aerobic", "eccentric"} <= set(best(found))
    assert best(suggest(known(age=64))) == []


def test_poor_control_suggests_movement_control_then_pilates() -> None:
    assert best(suggest(known(conditions=frozenset({"movement-control-deficit"})))) == ["motor-control", "pilates"]


def test_poor_sleep_suggests_mindfulness_and_a_sleep_plan() -> None:
    found = suggest(known(scores={"isi.total": 15}))
    assert (best(found), [each.rule for each in found.advice]) == (["mindfulness"], ["sleep"])


@pytest.mark.parametrize("fields", [{"scores": {"ears.total": 16}}, {"adherence": (6, 2)}])
def test_who_does_little_is_advised_less_and_what_they_like(fields: dict[str, Any]) -> None:
    assert [each.rule for each in suggest(known(**fields)).advice] == ["little-adherence"]


def test_enough_adherence_advises_nothing() -> None:
    assert suggest(known(adherence=(6, 3), scores={"ears.total": 17})).advice == []


def test_ties_are_broken_by_liking_then_by_past_adherence() -> None:
    found = suggest(known(liked=("qigong",), disliked=("aerobic",), kept_to={"pilates": 0.9, "yoga": 0.4}))
    order = [each.code for each in found.modalities]
    assert order[:3] == ["qigong", "pilates", "yoga"]
    assert order[-2:] == ["aerobic", "hiit"], "what is disliked, and last what the gate blocks"


def test_what_a_condition_blocks_is_last_and_says_why() -> None:
    found = suggest(known(conditions=frozenset({"late-pregnancy"})))
    last = found.templates[-1]
    assert last.blocked
    assert not found.templates[0].blocked


def test_old_scores_are_not_used() -> None:
    old = Known(today=TODAY, scores={"tsk-11.total": (40, TODAY - FRESH - timedelta(days=1))})
    assert best(suggest(old)) == []


def test_each_reason_names_rule_source_scores_and_days() -> None:
    (reason,) = suggest(known(scores={"tsk-11.total": 33})).templates[0].reasons
    assert (reason.rule, reason.basis[0].value, reason.basis[0].day) == ("fear", 33, TODAY)
    assert reason.source


def test_it_is_always_said_that_no_mode_is_superior() -> None:
    assert suggest(known()).note == NO_MODE_IS_SUPERIOR


def test_all_templates_are_listed_whether_or_not_something_speaks_for_them() -> None:
    assert {each.code for each in suggest(known()).templates} == set(templates())


@pytest.mark.parametrize(("born", "age"), [(date(1961, 11, 22), 65), (date(1961, 11, 23), 64), (None, None)])
def test_age_is_in_whole_years(born: date | None, age: int | None) -> None:
    assert age_on(TODAY, born) == age
