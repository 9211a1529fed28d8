"""The level a series stands at, and the days on which it moved to another, for many series at once.

A block holds series of one length, as in `slopes.py`.
"""

import numpy as np
from numpy.typing import NDArray

type Floats = NDArray[np.float64]
type Ints = NDArray[np.int64]
type Flags = NDArray[np.bool_]

PENALTY = 4.0
"""What a change of level must explain, in noise variances times ln(weeks), to be believed.

Own choice. At 4, twelve weeks of pure noise show a change in one of twenty series (fewer in longer ones). The Nile
(one change, after 1898) and the weekly depression scores of Kossakowski 2017 (one change) come out alike from 1.5 to 6.
"""

SHORTEST = 3
"""Weeks with a value that make a level; two high weeks are a flare."""


def ewma(day: Ints, value: Floats, half_life: float) -> Floats:
    """Exponentially weighted mean with time decay, as it stands on the last day.

    The level keeps 2^(−Δt/half-life) of itself over Δt elapsed days and takes the rest from the new entry, so a gap
    ages what was known instead of being skipped. It begins at the first entry. With even steps it is the EWMA of
    NIST/SEMATECH e-Handbook 6.3.2.4, λ = 1 − 2^(−step/half-life).
    """
    kept = np.exp2((day - day[:, -1:]) / half_life)
    weight = kept.copy()
    weight[:, 1:] -= kept[:, :-1]
    level: Floats = (weight * value).sum(axis=1)
    return level


def running(day: Ints, value: Floats, half_life: float) -> tuple[Floats, Floats]:
    """`ewma` of one series as it stood on each of its days, and its standard error then.

    The error is that of a weighted mean whose entries have the noise of the whole series, measured from neighbour to
    neighbour as in `changes`; it takes them as independent and what is between them as one level.
    """
    level, carried = [float(value[0])], [1.0]
    # Each day rests on the one before, so it is one by one; plain floats are several times as fast at that as numpy's.
    for kept, entry in zip(np.exp2(-np.diff(day) / half_life).tolist(), value[1:].tolist(), strict=True):
        level.append(kept * level[-1] + (1 - kept) * entry)
        carried.append(kept**2 * carried[-1] + (1 - kept) ** 2)
    noise = (np.diff(value) ** 2).mean() / 2 if len(value) > 1 else np.nan
    return np.array(level), np.sqrt(noise * np.array(carried))


def weekly_medians(series: Ints, day: Ints, value: Floats) -> tuple[Ints, Ints, Floats]:
    """Series, first day with a value, and median of each calendar week (from Monday) that has values.

    Input is flat and sorted by series and day. Calendar weeks keep their limits while a window moves on.
    """
    week = (day + 3) // 7  # Day 0, 1970-01-01, was a Thursday.
    start, size = groups(series, week)
    return series[start], day[start], medians(value, start, size)


def groups(*keys: Ints) -> tuple[Ints, Ints]:
    """Start and size of each run of equal keys."""
    if not len(keys[0]):
        return np.empty(0, np.int64), np.empty(0, np.int64)
    new = np.zeros(len(keys[0]), np.bool_)
    new[0] = True
    for key in keys:
        new[1:] |= key[1:] != key[:-1]
    start = np.flatnonzero(new)
    return start, np.diff(start, append=len(new))


def medians(value: Floats, start: Ints, size: Ints) -> Floats:
    """The median of each run of values."""
    out = value[start]
    for n in np.unique(size[size > 1]):
        at = np.flatnonzero(size == n)
        block = np.sort(value[start[at, None] + np.arange(n)], axis=1)
        out[at] = (block[:, (n - 1) // 2] + block[:, n // 2]) / 2
    return out


def changes(value: Floats) -> Flags:
    """Where a new level begins, as flags of the shape of `value`: weekly medians in order, one row a series.

    Exact least-squares segmentation (dynamic programming as in Jackson 2005, 10.1109/LSP.2001.838216) with a penalty a
    change. Noise is measured from neighbour to neighbour (von Neumann 1941), so that a change hardly inflates it. A
    straight line is the other explanation: where it costs less than the levels do, nothing changed level, it drifts.
    A change is a fact about numbers and says nothing of its cause.
    """
    count, n = value.shape
    begins = np.zeros(value.shape, np.bool_)
    if n < 2 * SHORTEST:
        return begins
    moved = value - value[:, :1]  # Small numbers lose less, and where the scale begins can't matter.
    noise = (np.diff(moved, axis=1) ** 2).mean(axis=1) / 2
    penalty = PENALTY * noise * np.log(n)
    total = np.zeros((count, n + 1))
    squares = np.zeros((count, n + 1))
    np.cumsum(moved, axis=1, out=total[:, 1:])
    np.cumsum(moved**2, axis=1, out=squares[:, 1:])

    best = np.full((count, n + 1), np.inf)  # the least cost of the first so many weeks
    best[:, 0] = -penalty
    last = np.zeros((count, n + 1), np.int64)  # where their last level begins
    for end in range(SHORTEST, n + 1):
        from_ = np.arange(end - SHORTEST + 1)
        step = total[:, end, None] - total[:, from_]
        error = squares[:, end, None] - squares[:, from_] - step**2 / (end - from_)
        cost = best[:, from_] + np.maximum(error, 0) + penalty[:, None]
        last[:, end] = np.argmin(cost, axis=1)
        best[:, end] = cost[np.arange(count), last[:, end]]

    week = np.arange(n) - (n - 1) / 2
    line = squares[:, n] - total[:, n] ** 2 / n - (moved * week).sum(axis=1) ** 2 / (week**2).sum()
    row = np.flatnonzero(best[:, n] < line + penalty)
    at = last[row, n]
    while len(row):
        row, at = row[at > 0], at[at > 0]
        begins[row, at] = True
        at = last[row, at]
    return begins
