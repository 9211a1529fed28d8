"""A chart of five years still shows every peak."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.dashboard.downsampling import downsampled

series = st.lists(st.one_of(st.none(), st.floats(0, 27, allow_nan=False)), max_size=400)


@given(series, st.integers(5, 120))
def test_there_are_never_more_points_than_asked_for_and_they_stay_in_order(
    values: list[float | None], most: int
) -> None:
    kept = downsampled(values, most)
    assert len(kept) <= most
    assert kept == sorted(set(kept))


@given(series, st.integers(5, 120))
def test_the_highest_and_the_lowest_day_stay(values: list[float | None], most: int) -> None:
    known = [value for value in values if value is not None]
    drawn = [value for index in downsampled(values, most) if (value := values[index]) is not None]
    assert bool(drawn) == bool(known)
    if known:
        assert max(drawn) == max(known)
        assert min(drawn) == min(known)


@given(series, st.integers(5, 120))
def test_every_stretch_keeps_its_own_peak(values: list[float | None], most: int) -> None:
    kept = set(downsampled(values, most))
    stretches = most // 5
    if len(values) <= most:
        return
    for n in range(stretches):
        days = range(n * len(values) // stretches, (n + 1) * len(values) // stretches)
        known = [values[day] for day in days if values[day] is not None]
        drawn = [values[day] for day in days if day in kept and values[day] is not None]
        assert max(known, default=None) == max(drawn, default=None)  # type: ignore[type-var]


@given(st.integers(1, 60), st.integers(60, 400))
def test_a_long_gap_is_still_a_gap(start: int, length: int) -> None:
    values: list[float | None] = [5.0] * 1000
    values[start : start + length] = [None] * length
    kept = downsampled(values, 100)
    assert any(start <= index < start + length for index in kept)


def test_a_short_series_comes_back_whole() -> None:
    assert downsampled([1.0, None, 3.0], 5) == [0, 1, 2]


def test_a_limit_that_could_lose_peaks_is_refused() -> None:
    with pytest.raises(ValueError, match="peaks"):
        downsampled([1.0], 4)
