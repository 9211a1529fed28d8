"""Levels and changes of level against published figures and made cases."""

from datetime import date

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from outcomes.levels import changes, ewma, medians, weekly_medians
from tests.outcomes.series import NILE, NIST_EWMA, weekly_depression


def breaks(*values: float) -> list[int]:
    return [int(week) for week in np.flatnonzero(changes(np.array([values], np.float64))[0])]


def test_ewma_of_the_nist_handbook() -> None:
    half_life = -1 / np.log2(0.7)  # λ = 0.3 for steps of one
    values = np.array([[50.0, *NIST_EWMA]])
    days = np.arange(21)[None]
    steps = [ewma(days[:, :n], values[:, :n], half_life)[0] for n in (17, 18, 19, 20, 21)]
    assert steps == pytest.approx([49.92, 50.73, 51.23, 51.94, 51.99], abs=5e-3)


def test_a_gap_ages_what_was_known() -> None:
    half_life = 10.0
    assert ewma(np.array([[0, 10]]), np.array([[8.0, 4.0]]), half_life)[0] == 6
    assert ewma(np.array([[0, 20]]), np.array([[8.0, 4.0]]), half_life)[0] == 5


@given(st.lists(st.integers(1, 60), min_size=1, max_size=30), st.integers(0, 10))
def test_a_constant_series_stands_at_its_value(gaps: list[int], value: int) -> None:
    days = np.cumsum(gaps)[None]
    assert ewma(days, np.full(days.shape, float(value)), 2.4)[0] == pytest.approx(value)


def test_weeks_begin_on_monday_and_gaps_stay_gaps() -> None:
    epoch = date(1970, 1, 1).toordinal()
    days = [date(2026, 3, 1), date(2026, 3, 2), date(2026, 3, 4), date(2026, 3, 8), date(2026, 3, 23)]
    series, since, median = weekly_medians(
        np.array([0, 0, 0, 0, 0]), np.array([d.toordinal() - epoch for d in days]), np.array([1.0, 2, 9, 4, 5])
    )
    assert [date.fromordinal(int(day) + epoch).isoformat() for day in since] == [
        "2026-03-01",
        "2026-03-02",
        "2026-03-23",
    ]
    assert median.tolist() == [1, 4, 5]
    assert series.tolist() == [0, 0, 0]


def test_medians_of_runs() -> None:
    values = np.array([5.0, 1, 2, 9, 4, 3])
    assert medians(values, np.array([0, 1, 4]), np.array([1, 3, 2])).tolist() == [5, 2, 3.5]


def test_the_nile_changes_level_once_after_1898() -> None:
    assert breaks(*NILE) == [28]


def test_a_real_depression_score_changes_level_once() -> None:
    scores = weekly_depression()
    assert len(scores) == 28
    assert [scores[week][0] for week in breaks(*(score for _, score in scores))] == ["2012-12-31"]


def test_a_clear_step_is_found_where_it_is() -> None:
    assert breaks(6, 7, 6, 7, 6, 7, 2, 3, 2, 2, 3, 2) == [6]


def test_a_return_is_a_second_change() -> None:
    assert breaks(2, 3, 2, 2, 3, 8, 7, 8, 8, 7, 2, 2, 3, 2) == [5, 10]


def test_two_bad_weeks_are_no_level() -> None:
    assert breaks(2, 2, 3, 2, 2, 8, 8, 2, 3, 2, 2, 2) == []


def test_a_steady_drift_is_no_change_of_level() -> None:
    assert breaks(9, 8.5, 8, 7, 6.5, 6, 5.5, 5, 4, 3.5, 3, 2.5) == []


def test_a_constant_series_has_no_change() -> None:
    assert breaks(*[0.0] * 12) == []


def test_a_step_without_noise_is_found() -> None:
    assert breaks(0, 0, 0, 0, 0, 0, 5, 5, 5, 5, 5, 5) == [6]


def test_too_few_weeks_say_nothing() -> None:
    assert breaks(0, 0, 9, 9, 9) == []


def test_noise_alone_is_rarely_taken_for_a_change() -> None:
    noise = np.random.default_rng(1).normal(size=(4000, 12))
    assert changes(noise).any(axis=1).mean() < 0.06


@given(st.integers(6, 20), st.integers(1, 12))
def test_a_block_is_the_same_as_one_by_one(n: int, count: int) -> None:
    values = np.random.default_rng(n * 100 + count).integers(0, 11, (count, n)).astype(np.float64)
    together = changes(values)
    for row in range(count):
        assert together[row].tolist() == changes(values[row : row + 1])[0].tolist()
