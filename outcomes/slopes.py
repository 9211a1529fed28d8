"""Slope and direction of many short, uneven, ordinal series at once.

A block holds series of one length: `day` and `value` have the shape (series, length), days ascend and none comes twice.
Slopes are per day of real elapsed time, never per entry: on uneven series the two differ.

All a series' pairwise slopes are looked at, and four of them are wanted, by rank. Ratings have few levels, so few
slopes can occur: these are counted, cell by cell of (elapsed days, difference), which is many times faster than to sort
them. Where values are not whole or half points, or too far apart to be worth it, they are sorted. Both give the same.
"""

from functools import lru_cache
from math import erfc, sqrt
from statistics import NormalDist
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

type Floats = NDArray[np.float64]
type Ints = NDArray[np.int64]

CHUNK = 2**18
"""Pairs that are worked on at a time: 2 MiB, so that they stay in the cache."""


class Slopes(NamedTuple):
    """Theil–Sen slope per day with its interval, and Mann–Kendall's S, its variance and τ-b; one value a series."""

    slope: Floats
    low: Floats
    high: Floats
    s: Ints
    variance: Floats
    tau: Floats


def slopes(day: Ints, value: Floats, confidence: float = 0.95) -> Slopes:
    """Median of all pairwise slopes with its distribution-free interval, and Kendall's test for a direction.

    The interval is (2.6) of Sen 1968 (10.1080/01621459.1968.10480934), with ties; ranks are rounded as
    scipy.stats.theilslopes does. S and its variance with ties are Kendall's (Rank Correlation Methods, 1975). A
    constant series has slope 0, interval 0 to 0, S 0, variance 0 and τ 0: it has no direction.
    """
    count, n = value.shape
    if n < 2:
        raise ValueError("a slope needs two values")
    pairs = n * (n - 1) // 2
    tied_pairs, tied_variance = _ties(value)
    variance = (n * (n - 1) * (2 * n + 5) - tied_variance) / 18
    reach = -NormalDist().inv_cdf((1 - confidence) / 2) * np.sqrt(variance)
    ranks = np.empty((count, 4), np.int64)
    ranks[:, 0] = np.maximum(np.round((pairs - reach) / 2) - 1, 0)
    ranks[:, 1], ranks[:, 2] = (pairs - 1) // 2, pairs // 2
    ranks[:, 3] = np.minimum(np.round((pairs + reach) / 2), pairs - 1)

    found, s = np.empty((count, 4)), np.empty(count, np.int64)
    steps = _steps(day, value)
    rows = max(1, CHUNK // pairs)
    for a_point in np.unique(steps):
        of = np.flatnonzero(steps == a_point)
        for part in np.split(of, range(rows, len(of), rows)):
            if a_point:
                found[part], s[part] = _counted(day[part], value[part], ranks[part], a_point)
            else:
                found[part], s[part] = _sorted(day[part], value[part], ranks[part])
    tau = s / np.sqrt(float(pairs) * np.maximum(pairs - tied_pairs, 1))
    return Slopes((found[:, 1] + found[:, 2]) / 2, found[:, 0], found[:, 3], s, variance, tau)


def p_value(s: Ints, variance: Floats) -> Floats:
    """Two-sided p of Mann–Kendall's S, normal approximation with continuity correction; 1 where all values are tied.

    It takes entries as independent. Neighbouring days are not quite, so for daily measures it errs on the small side.
    """
    spread = np.sqrt(np.where(variance > 0, variance, 1))
    # One by one from Python's own: SciPy would take 33 MB and its time to load in every process, for this one function.
    return np.array([erfc(z / sqrt(2)) for z in (np.abs(s - np.sign(s)) / spread).tolist()])


def _ties(value: Floats) -> tuple[Ints, Ints]:
    """Σ t(t−1)/2 and Σ t(t−1)(2t+5) over each series' groups of t equal values.

    Both are summed up entry by entry: what the r-th entry of a group adds is f(r) − f(r−1).
    """
    order = np.sort(value, axis=1)
    place = np.arange(value.shape[1])
    starts = np.zeros(value.shape, np.int64)
    starts[:, 1:] = np.where(order[:, 1:] != order[:, :-1], place[1:], 0)
    earlier = place - np.maximum.accumulate(starts, axis=1)  # r − 1
    return earlier.sum(axis=1), (6 * earlier * (earlier + 2)).sum(axis=1)


def _steps(day: Ints, value: Floats) -> Ints:
    """Steps a point (1 or 2) in which to count a series' slopes, or 0 where there were far more cells than pairs."""
    n = value.shape[1]
    width = value.max(axis=1) - value.min(axis=1)
    near = day[:, -1] - day[:, 0] < 2 * n
    out = np.zeros(len(value), np.int64)
    for steps in (2, 1):  # The coarser one has fewer cells.
        whole = (np.rint(steps * value) == steps * value).all(axis=1)
        out[near & whole & (2 * steps * width < n)] = steps
    return out


def _sorted(day: Ints, value: Floats, ranks: Ints) -> tuple[Floats, Ints]:
    """The slopes of these ranks, and S."""
    count, n = value.shape
    slope = np.empty((count, n * (n - 1) // 2))
    at = 0
    for lag in range(1, n):
        part = slope[:, at : at + n - lag]
        np.subtract(value[:, lag:], value[:, :-lag], out=part)
        part /= day[:, lag:] - day[:, :-lag]
        at += n - lag
    s = np.count_nonzero(slope > 0, axis=1) - np.count_nonzero(slope < 0, axis=1)
    slope.sort(axis=1)
    return np.take_along_axis(slope, ranks, axis=1), s


def _counted(day: Ints, value: Floats, ranks: Ints, steps: int) -> tuple[Floats, Ints]:
    """The same, of series of whole steps, of which `steps` are a point."""
    count, n = value.shape
    pairs = n * (n - 1) // 2
    level = (steps * (value - value.min(axis=1, keepdims=True))).astype(np.int64)
    width = 2 * int(level.max()) + 1
    order, slope = _cells(int((day[:, -1] - day[:, 0]).max()), width, steps)

    # The difference of two keys is the cell of a pair; the later key also says whose it is.
    key = np.ascontiguousarray((day * width + level).T)
    later = key + len(order) * np.arange(count)
    cell = np.empty((pairs, count), np.int64)
    at = 0
    for lag in range(1, n):
        np.subtract(later[lag:], key[:-lag], out=cell[at : at + n - lag])
        at += n - lag
    counts = np.bincount(cell.ravel(), minlength=count * len(order)).reshape(count, -1).take(order, axis=1)
    total = counts.ravel().cumsum()

    row = np.arange(count)[:, None]
    found = np.searchsorted(total, ranks + row * pairs, side="right") - row * len(order)
    falls, rises = np.searchsorted(slope, 0, side="left"), np.searchsorted(slope, 0, side="right")
    s = counts[:, rises:].sum(axis=1) - counts[:, :falls].sum(axis=1)
    return slope[found], s


@lru_cache(256)
def _cells(reach: int, width: int, steps: int) -> tuple[Ints, Floats]:
    """The cells in order of their slopes, and these. Cell = elapsed days × width + difference in steps."""
    most = width // 2
    cell = np.arange(reach * width + most + 1)
    elapsed = (cell + most) // width
    difference = (cell - elapsed * width) / steps
    slope = np.divide(difference, elapsed, out=np.full(len(cell), -np.inf), where=elapsed > 0)
    order = np.argsort(slope)
    return order, slope[order]
