"""Theil–Sen and Mann–Kendall against published figures and SciPy."""

from itertools import accumulate

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy import stats

from outcomes.slopes import Slopes, p_value, slopes
from tests.outcomes.series import NILE, SEN_X, SEN_Y

one_series = st.lists(
    st.tuples(st.integers(0, 400), st.integers(0, 20).map(lambda half: half / 2)),
    min_size=2,
    max_size=40,
    unique_by=lambda entry: entry[0],
).map(sorted)

# Like diaries: few days left out, few levels. These are counted and not sorted.
steps = st.tuples(st.integers(1, 3), st.integers(0, 8).map(lambda half: half / 2))
dense = st.lists(steps, min_size=2, max_size=60).map(
    lambda entries: list(zip(accumulate(gap for gap, _ in entries), (value for _, value in entries), strict=True))
)


def of(days: list[int], values: list[float], confidence: float = 0.95) -> Slopes:
    return slopes(np.array([days]), np.array([values], np.float64), confidence)


def test_sen_1968() -> None:
    sen = of(SEN_X, [float(y) for y in SEN_Y], confidence=0.93)
    assert sen.slope[0] == 4
    assert sen.low[0] == pytest.approx(3.7143, abs=5e-5)
    assert sen.high[0] == 4.375


def test_the_nile_falls() -> None:
    nile = of(list(range(100)), [float(flow) for flow in NILE])
    assert nile.s[0] == -1387
    assert nile.variance[0] == pytest.approx(112728.33, abs=0.005)
    p = p_value(nile.s, nile.variance)[0]
    assert p == pytest.approx(3.66e-5, rel=2e-3)
    assert (nile.s[0] + 1) / np.sqrt(nile.variance[0]) == pytest.approx(-4.1281, abs=5e-5)
    assert nile.slope[0] == pytest.approx(-2.6, abs=0.05)


@given(one_series | dense)
def test_each_series_is_as_scipy_says(entries: list[tuple[int, float]]) -> None:
    x, y = np.array([day for day, _ in entries]), np.array([value for _, value in entries])
    ours = slopes(x[None], y[None])
    theirs = stats.theilslopes(y, x)
    assert ours.slope[0] == pytest.approx(theirs.slope, abs=1e-12)
    assert (ours.low[0], ours.high[0]) == (theirs.low_slope, theirs.high_slope)
    tau = stats.kendalltau(x, y).statistic
    assert ours.tau[0] == pytest.approx(0 if np.isnan(tau) else tau)


@given(st.integers(2, 30), st.integers(1, 30))
def test_a_block_is_the_same_as_one_by_one(n: int, count: int) -> None:
    rng = np.random.default_rng(n * 1000 + count)
    day: NDArray[np.int64] = np.cumsum(rng.integers(1, 9, (count, n)), axis=1)
    value = rng.integers(0, 11, (count, n)).astype(np.float64)
    block = slopes(day, value)
    for row in range(count):
        alone = slopes(day[row : row + 1], value[row : row + 1])
        for together, single in zip(block, alone, strict=True):
            assert together[row] == single[0]


def test_what_is_counted_and_what_is_sorted_may_stand_in_one_block() -> None:
    rng = np.random.default_rng(1)
    day = np.tile(np.arange(84), (400, 1))
    value = rng.integers(0, 11, (400, 84)).astype(np.float64)
    value[::3, 5] += 0.5
    value[1::7] *= 1.1
    value[2::11] *= 100
    value[13] = 4
    block = slopes(day, value)
    for row in (0, 1, 2, 3, 4, 8, 13, 74, 75, 76, 399):
        alone = slopes(day[row : row + 1], value[row : row + 1])
        theirs = stats.theilslopes(value[row], day[row])
        assert (block.slope[row], block.low[row], block.high[row], block.s[row]) == (*(a[0] for a in alone[:4]),)
        assert (block.low[row], block.high[row]) == (theirs.low_slope, theirs.high_slope)
        assert block.slope[row] == pytest.approx(theirs.slope, abs=1e-12)


def test_a_constant_series_has_no_direction() -> None:
    flat = of(list(range(0, 70, 7)), [3.0] * 10)
    assert [float(column[0]) for column in flat] == [0, 0, 0, 0, 0, 0]
    assert p_value(flat.s, flat.variance)[0] == 1


def test_slopes_follow_elapsed_days_and_not_the_order_of_entries() -> None:
    assert of([0, 1, 2, 30], [0, 1, 2, 30]).slope[0] == 1


def test_one_value_has_no_slope() -> None:
    with pytest.raises(ValueError, match="two values"):
        of([1], [1.0])
