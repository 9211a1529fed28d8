"""Trends, defined: baseline, level, slope, change and its label, for many series at once. No database.

A series is one measure of one patient. Entries come flat and sorted by series and day (`arrange`), with one value a
local day (`one_a_day`). Days are numbers: days since 1970-01-01. Inside, NaN means "not known"; `plain` turns it into
null, so that none gets out.

Every function works on each series by itself: what stands beside it in the arrays never changes its result.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, fields
from datetime import date
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from outcomes.instrument import Direction
from outcomes.levels import Flags, Floats, Ints, changes, ewma, groups, medians, weekly_medians
from outcomes.library import Measure
from outcomes.slopes import p_value, slopes

WINDOW_DAYS = 84  # daily measures: up to and with the last day that has an entry
WINDOW_RESPONSES = 12  # questionnaires
BASELINE_DAYS, BASELINE_FEWEST = 7, 3  # daily measures: the first days with an entry before the programme
BASELINE_REACH = 28  # questionnaires: days before the programme in which the last response counts
SLOPE_FEWEST, SLOPE_SPAN = 5, 14  # entries, and days from the first to the last
DIRECTION_FEWEST = 8  # entries for which the normal approximation of Mann–Kendall holds

HALF_LIFE_DAILY = -1 / np.log2(1 - 0.25)
"""Days, about 2.4: λ = 0.25 a day, the middle of the usual 0.2 to 0.3."""

HALF_LIFE_QUESTIONNAIRE = 14.0
"""Days: λ = 0.3 for a weekly questionnaire, 0.5 for a two-weekly. Own choice."""

NEVER = np.iinfo(np.int64).max
"""The start day of no programme."""

type Label = Literal["improved", "possibly-improved", "no-clear-change", "possibly-worsened", "worsened", "unknown"]
LABELS: tuple[Label, ...] = (
    "unknown", "no-clear-change", "possibly-improved", "possibly-worsened", "improved", "worsened",
)  # fmt: skip


WORSE: dict[Direction, float | None] = {"higher-worse": 1, "higher-better": -1, "none": None}
"""The sign of a change for the worse."""


@dataclass(frozen=True, slots=True)
class Trends:
    """One value a series in every field, in the order of the series asked for; of `level_changes`, one tuple of days.

    n: days with a value in the window, from `first` to `last`. level: see `levels.ewma`. slope_*: per week, with
    95 % interval. tau, p_value: Kendall's τ-b and Mann–Kendall's two-sided p. change: from the baseline to the level
    (daily measures) or to the last response (questionnaires: that is what MCID and MDC are about). reliable_change:
    change in standard errors of a difference, reliable from 1.96 (Jacobson & Truax 1991, 10.1037/0022-006X.59.1.12).
    coverage: days with a value out of the days of the window, 0 to 1 (daily measures). longest_gap: days without a
    value between two that have one. level_changes: first days of new levels. baseline_settled: there is an entry
    since the programme started, so that nothing new can change the baseline. Labels are indices into LABELS.
    """

    n: Ints
    first: Ints
    last: Ints
    first_value: Floats
    last_value: Floats
    baseline: Floats
    baseline_from: Ints
    baseline_to: Ints
    baseline_settled: Flags
    level: Floats
    slope_per_week: Floats
    slope_low: Floats
    slope_high: Floats
    tau: Floats
    p_value: Floats
    change: Floats
    change_label: Ints
    reliable_change: Floats
    level_changes: list[tuple[int, ...]]
    coverage: Floats
    longest_gap: Ints
    enough_data: Flags

    def columns(self) -> dict[str, list[Any]]:
        """All fields as plain Python values: days as dates, labels as text, what is not known as None."""
        return {field.name: self._column(field.name) for field in fields(self)}

    def _column(self, name: str) -> list[Any]:
        if name == "level_changes":
            return [[_date(day) for day in days] for days in self.level_changes]
        values = getattr(self, name)
        if name == "change_label":
            return [LABELS[label] for label in values.tolist()]
        if name in {"first", "last", "baseline_from", "baseline_to"}:
            known = self.n > 0 if name in {"first", "last"} else ~np.isnan(self.baseline)
            return [_date(day) if ok else None for day, ok in zip(values.tolist(), known.tolist(), strict=True)]
        return plain(values)


def plain(values: Floats | Ints | Flags) -> list[Any]:
    """Python values, with None for NaN."""
    return [None if value != value else value for value in values.tolist()]


def day_number(day: date) -> int:
    return day.toordinal() - _EPOCH


def _date(day: int) -> date:
    return date.fromordinal(day + _EPOCH)


_EPOCH = date(1970, 1, 1).toordinal()


def arrange(series: Iterable[int], day: Iterable[int], value: Iterable[float]) -> tuple[Ints, Ints, Floats]:
    """Entries in any order as flat arrays sorted by series and day; entries of one day keep their order."""
    s, d = np.fromiter(series, np.int64), np.fromiter(day, np.int64)
    order = np.lexsort((d, s))
    return s[order], d[order], np.fromiter(value, np.float64)[order]


def one_a_day(series: Ints, day: Ints, value: Floats, daily: Flags) -> tuple[Ints, Ints, Floats]:
    """One value a series and day: the median of the day's entries where `daily[series]`, else the last of them."""
    start, size = groups(series, day)
    if len(start) == len(series):
        return series, day, value
    kept = np.where(daily[series[start]], medians(value, start, size), value[start + size - 1])
    return series[start], day[start], kept


def compute(
    series: Ints,
    day: Ints,
    value: Floats,
    measures: Sequence[Measure],
    which: Ints,
    programme: Ints,
    *,
    frozen: tuple[Floats, Ints, Ints] | None = None,
    whole: bool = False,
) -> Trends:
    """The trend of each series 0 … len(which) − 1, which may have no entry at all.

    `series`, `day`, `value`: one value a day, sorted. `which[s]` is the place of series s in `measures`,
    `programme[s]` the day on which the patient's programme started (NEVER: none), `frozen` the baselines that are set
    already, with the days that they are from and to (NaN: not yet). With `whole` the window is all there is.

    Windows end at the last entry, so a trend follows from the answers alone and not from when it was computed. A
    series without a frozen baseline needs its first entries among the given ones, besides those of its window.
    """
    count = len(which)
    daily = _column(measures, which, lambda m: m.kind == "daily") == 1
    start = np.searchsorted(series, np.arange(count))
    end = np.searchsorted(series, np.arange(count), side="right")
    some = end > start
    last, last_value = _pick(day, some, end - 1), _pick(value, some, end - 1, missing=np.nan)

    baseline, from_, to, settled = _baselines(series, day, value, start, end, daily, programme)
    if frozen is not None:
        fixed = ~np.isnan(frozen[0])
        baseline, from_, to = (np.where(fixed, f, b) for f, b in zip(frozen, (baseline, from_, to), strict=True))
        settled |= fixed

    earliest = _pick(day, some, start)
    earliest = np.where(np.isnan(baseline), earliest, np.minimum(earliest, from_))
    reach = last - earliest + 1
    if not whole:
        reach = np.minimum(reach, WINDOW_DAYS)
        recent = np.bincount(series[day > last[series] - WINDOW_DAYS], minlength=count)
        start = np.where(daily, end - recent, np.maximum(start, end - WINDOW_RESPONSES))
    first, n = _pick(day, some, start), end - start
    enough = (n >= SLOPE_FEWEST) & (last - first >= SLOPE_SPAN)

    level, longest_gap, slope, tau, p = _lines(day, value, start, n, enough, daily)
    change = np.where(some & (last > to), np.where(daily, level, last_value) - baseline, np.nan)
    return Trends(
        n=n,
        first=first,
        last=last,
        first_value=_pick(value, some, start, missing=np.nan),
        last_value=last_value,
        baseline=baseline,
        baseline_from=from_,
        baseline_to=to,
        baseline_settled=settled,
        level=level,
        slope_per_week=slope[0],
        slope_low=slope[1],
        slope_high=slope[2],
        tau=tau,
        p_value=p,
        change=change,
        change_label=_labels(change, baseline, measures, which),
        reliable_change=change / _column(measures, which, difference_error),
        level_changes=_level_changes(series, day, value, start, end),
        coverage=np.where(daily & some, n / np.maximum(reach, 1), np.nan),
        longest_gap=longest_gap,
        enough_data=enough,
    )


def difference_error(measure: Measure) -> float | None:
    """The standard error of a difference, Jacobson & Truax's S_diff = √2·SEM; from MDC95 where SEM is not known."""
    if measure.sem is not None:
        return float(np.sqrt(2) * measure.sem)
    return None if measure.mdc95 is None else measure.mdc95 / 1.96


def minimal_detectable_change(measure: Measure) -> float | None:
    """MDC95, or 1.96·√2·SEM: what measurement error alone reaches in one of twenty stable patients."""
    if measure.mdc95 is None and measure.sem is not None:
        return 1.96 * float(np.sqrt(2) * measure.sem)
    return measure.mdc95


def _pick[T: np.generic](values: NDArray[T], known: Flags, at: Ints, missing: float = 0) -> NDArray[T]:
    """values[at] where known."""
    out = np.full(len(at), missing, values.dtype)
    out[known] = values[at[known]]
    return out


def _column(measures: Sequence[Measure], which: Ints, of: Callable[[Measure], float | None]) -> Floats:
    """One property for each series, NaN where it isn't known."""
    known = [of(m) for m in measures]
    return np.array([np.nan if value is None else value for value in known], np.float64)[which]


def _baselines(
    series: Ints, day: Ints, value: Floats, start: Ints, end: Ints, daily: Flags, programme: Ints
) -> tuple[Floats, Ints, Ints, Flags]:
    """Baselines by the rule: their value, first and last day, and whether they are settled."""
    before = np.bincount(series[day < programme[series]], minlength=len(start))

    # Questionnaires: the last one shortly before the programme, else the first ever.
    some = end > start
    at = start + np.where(programme == NEVER, 0, np.maximum(before - 1, 0))
    at = np.where(_pick(day, some, at) < programme - BASELINE_REACH, start, at)
    baseline, from_ = _pick(value, some, at, missing=np.nan), _pick(day, some, at)
    to = from_.copy()

    # Daily measures: the median of the first days before it.
    fewer = np.minimum(before, BASELINE_DAYS)
    baseline[daily], from_[daily], to[daily] = np.nan, 0, 0
    of = np.flatnonzero(daily & (fewer >= BASELINE_FEWEST))
    baseline[of] = medians(value, start[of], fewer[of])
    from_[of], to[of] = day[start[of]], day[start[of] + fewer[of] - 1]
    return baseline, from_, to, ~np.isnan(baseline) & (before < end - start)


def _lines(
    day: Ints, value: Floats, start: Ints, n: Ints, enough: Flags, daily: Flags
) -> tuple[Floats, Ints, Floats, Floats, Floats]:
    """Level, longest gap, slope with its interval (3 × series), τ-b and p, worked out in blocks of one length."""
    level, tau, p = np.full((3, len(n)), np.nan)
    slope = np.full((3, len(n)), np.nan)
    longest_gap = np.zeros(len(n), np.int64)
    for length in np.unique(n[n > 0]):
        for half_life, kind in (HALF_LIFE_DAILY, daily), (HALF_LIFE_QUESTIONNAIRE, ~daily):
            of = np.flatnonzero((n == length) & kind)
            entry = start[of, None] + np.arange(length)
            days, values = day[entry], value[entry]
            level[of] = ewma(days, values, half_life)
            if length > 1:
                longest_gap[of] = np.diff(days, axis=1).max(axis=1) - 1
            told = enough[of]
            if told.any():
                trend = slopes(days[told], values[told])
                slope[:, of[told]] = np.array(trend[:3]) * 7
                tau[of[told]] = trend.tau
                if length >= DIRECTION_FEWEST:
                    p[of[told]] = p_value(trend.s, trend.variance)
    return level, longest_gap, slope, tau, p


def _labels(change: Floats, baseline: Floats, measures: Sequence[Measure], which: Ints) -> Ints:
    """With lo and hi the smaller and the larger of MCID and MDC95: from hi it is a change, from lo possibly one.

    MCID is in points where points are known, else in per cent of the baseline. With one of MCID and MDC95 known it is
    hi; with neither, or no change to judge, the label is `unknown`.
    """
    percent = np.abs(baseline) * _column(measures, which, lambda m: m.mcid_pct) / 100
    percent[percent == 0] = np.nan  # Nothing is a percentage of zero.
    mcid = _column(measures, which, lambda m: m.mcid_abs)
    mcid = np.where(np.isnan(mcid), percent, mcid)
    mdc = _column(measures, which, minimal_detectable_change)
    worse = change * _column(measures, which, lambda m: WORSE[m.direction])

    size = np.abs(change) + 1e-9  # 8.2 − 7.2 is a whole point.
    high, low = np.fmax(mcid, mdc), np.minimum(mcid, mdc)
    strength = np.where(size >= high, 2, np.where(size >= low, 1, 0))
    label = np.where(strength == 0, 1, 2 * strength + (worse > 0))
    return np.where(np.isnan(worse) | np.isnan(high), 0, label)


def _level_changes(series: Ints, day: Ints, value: Floats, start: Ints, end: Ints) -> list[tuple[int, ...]]:
    """First days of new levels, from weekly medians inside the windows."""
    inside = np.arange(len(series)) >= start[series]
    of, since, median = weekly_medians(series[inside], day[inside], value[inside])
    found: list[tuple[int, ...]] = [()] * len(start)
    first, weeks = groups(of)
    for length in np.unique(weeks):
        block = first[weeks == length]
        at = block[:, None] + np.arange(length)
        begins = changes(median[at])
        for row in np.flatnonzero(begins.any(axis=1)):
            found[of[block[row]]] = tuple(since[at[row][begins[row]]].tolist())
    return found
