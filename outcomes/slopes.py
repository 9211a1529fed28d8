"""Slope and direction of many short, uneven, ordinal series at once.

A block holds series of one length: `day` and `value` have the shape (series, length), days ascend and none comes twice.
Slopes are per day of real elapsed time, never per entry: on uneven series the two differ.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri

type Floats = NDArray[np.float64]
type Ints = NDArray[np.int64]

CHUNK = 2**17
"""Pairs that are worked on at a time: 1 MiB of slopes, so that they stay in the cache."""


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
    slope, low, high, variance, tau = np.empty((5, count))
    out = Slopes(slope, low, high, np.empty(count, np.int64), variance, tau)
    rows = max(1, CHUNK // (n * (n - 1) // 2))
    for start in range(0, count, rows):
        part = slice(start, start + rows)
        for whole, piece in zip(out, _chunk(day[part], value[part], confidence), strict=True):
            whole[part] = piece
    return out


def p_value(s: Ints, variance: Floats) -> Floats:
    """Two-sided p of Mann–Kendall's S, normal approximation with continuity correction; 1 where all values are tied.

    It takes entries as independent. Neighbouring days are not quite, so for daily measures it errs on the small side.
    """
    spread = np.sqrt(np.where(variance > 0, variance, 1))
    p: Floats = 2 * ndtr(-np.abs(s - np.sign(s)) / spread)
    return p


def _chunk(day: Ints, value: Floats, confidence: float) -> Slopes:
    count, n = value.shape
    pairs = n * (n - 1) // 2
    slope = np.empty((count, pairs))
    elapsed = day.astype(np.float64)
    at = 0
    for lag in range(1, n):
        part = slope[:, at : at + n - lag]
        np.subtract(value[:, lag:], value[:, :-lag], out=part)
        part /= elapsed[:, lag:] - elapsed[:, :-lag]
        at += n - lag
    rising = np.count_nonzero(slope > 0, axis=1)
    falling = np.count_nonzero(slope < 0, axis=1)
    slope.sort(axis=1)

    tied_pairs, tied_variance = _ties(value)
    variance = (n * (n - 1) * (2 * n + 5) - tied_variance) / 18
    reach = -ndtri((1 - confidence) / 2) * np.sqrt(variance)
    low = np.maximum(np.round((pairs - reach) / 2).astype(np.int64) - 1, 0)
    high = np.minimum(np.round((pairs + reach) / 2).astype(np.int64), pairs - 1)
    row = np.arange(count)

    s = rising - falling
    untied = pairs - tied_pairs
    tau = s / np.sqrt(float(pairs) * np.maximum(untied, 1))
    median = (slope[:, (pairs - 1) // 2] + slope[:, pairs // 2]) / 2
    return Slopes(median, slope[row, low], slope[row, high], s, variance, tau)


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
