"""When a rule applies, told on plain series."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from outcomes.alert_decisions import History, decide, flare_since
from outcomes.alert_rules import RULES, rule

DAY = date(2026, 11, 22)


def series(*values: float | None, baseline: float | None = None) -> History:
    """One value a day up to `DAY`; None is a day without a report."""
    first = DAY - timedelta(days=len(values) - 1)
    entries = [(first + timedelta(days=n), value) for n, value in enumerate(values) if value is not None]
    return History.of(entries, baseline)


def applied(measure: str, history: History) -> dict[str, str]:
    return {each.code: each.severity for each in decide(RULES, {measure: history})}


PAIN, FLARE, PHQ = "daily-diary.pain-average", "daily-diary.flare", "phq-9.total"


@pytest.mark.parametrize(
    ("history", "raised"),
    [
        (series(8, 8, 8), True),
        (series(8, 2, 9, 3, 10), True),
        (series(8, 8, 7), False),
        (series(8, 8, 8, 1), False),  # it was raised the day before
        (series(8, 8, 1, 1, 1, 8), False),
        (series(8, None, None, 8, None, 8), True),
        (series(8, 8, *[None] * 12, 8), False),
        (series(7.5, 7.5, 7.5), False),
    ],
)
def test_pain_1_is_three_high_reports_of_the_last_five_within_a_fortnight(history: History, raised: bool) -> None:
    assert ("PAIN-1" in applied(PAIN, history)) is raised


@pytest.mark.parametrize(
    ("history", "grade"),
    [
        (series(6, 6, baseline=4), "medium"),
        (series(4, 6, baseline=4), None),
        (series(6, 6, baseline=None), None),
        (series(6, 6, baseline=5), None),
        (series(9, 9, baseline=7), None),  # 2 points, but only 29 %
        (series(9.1, 9.1, baseline=7), "medium"),
        (series(2, 2, baseline=0), "medium"),
        (series(6, None, None, 6, baseline=4), "medium"),
        (series(6, None, None, None, 6, baseline=4), None),
        (series(1, 5, baseline=None), "info"),
        (series(1, 4, baseline=None), None),
        (series(1, None, 5, baseline=None), "info"),
        (series(1, None, None, 5, baseline=None), None),
        (series(2, 6, 6, baseline=4), "medium"),
        (series(9), None),
    ],
)
def test_pain_2_is_two_points_and_a_third_above_baseline_for_two_days(history: History, grade: str | None) -> None:
    assert applied(PAIN, history).get("PAIN-2") == grade


@pytest.mark.parametrize(
    ("history", "raised"),
    [
        (series(10), "DEP-2"),
        (series(9), None),
        (series(9, 10), "DEP-2"),
        (series(10, 10), None),
        (series(12, 9, 10), "DEP-2"),
        (series(3, 8, baseline=3), "DEP-2"),
        (series(3, 7, baseline=3), None),
        (series(12, 15, baseline=10), "DEP-2"),
        (series(19, 20, baseline=10), "DEP-1"),
        (series(20), "DEP-1"),
    ],
)
def test_depression_is_severe_or_newly_high_or_well_above_baseline(history: History, raised: str | None) -> None:
    assert list(applied(PHQ, history)) == ([raised] if raised else [])


def test_phq_8_is_read_like_phq_9() -> None:
    assert applied("phq-8.total", series(20)) == {"DEP-1": "high"}


@pytest.mark.parametrize(
    ("history", "grade"),
    [
        (series(1), "info"),
        (series(1, 1, 0), None),
        (series(1, *[None] * 6, 1), "medium"),
        (series(1, *[None] * 5, 1), "info"),
        (series(1, 1, 1, 0, 1, 1, 1, 1), "info"),
    ],
)
def test_a_flare_is_information_until_it_has_lasted_seven_days(history: History, grade: str | None) -> None:
    assert applied(FLARE, history).get("FLARE") == grade


def test_a_flare_that_nobody_has_called_over_goes_on_in_silence() -> None:
    history = series(0, 1)
    assert flare_since(rule("FLARE"), history, DAY + timedelta(days=6)) == "info"
    assert flare_since(rule("FLARE"), history, DAY + timedelta(days=7)) == "medium"


@pytest.mark.parametrize(("value", "raised"), [(16, True), (17, False)])
def test_ears_below_17_is_low_adherence(value: float, raised: bool) -> None:
    assert ("ADH-1" in applied("ears.total", series(value))) is raised


def test_several_entries_of_a_day_count_as_their_median() -> None:
    assert History.of([(DAY, 2), (DAY, 9), (DAY, 10)]).values == [9]


def test_what_came_later_is_not_known_yet() -> None:
    assert series(1, 2, 3).until(DAY - timedelta(days=1)).values == [1, 2]
