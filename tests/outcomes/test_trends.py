"""Trends as defined: baselines, windows, labels, and that each series stands by itself."""

import math
from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from outcomes.instrument import Direction
from outcomes.library import Measure
from outcomes.trends import NEVER, arrange, compute, day_number, difference_error, minimal_detectable_change, one_a_day
from tests.outcomes.series import NILE, weekly_depression

ANY = Measure(code="any", title="Any", kind="questionnaire", direction="higher-worse", min=0, max=100)
PAIN = replace(ANY, kind="daily", mcid_abs=2.0, mdc95=2.8)
TSK = replace(ANY, mcid_abs=4.0, mdc95=7.0)
START = date(2026, 3, 2)

type Entries = Sequence[tuple[int, float]]
type Row = dict[str, Any]


def trend(entries: Entries, properties: Measure = PAIN, **options: Any) -> Row:
    """The trend of one series of (day, value), days counted from START."""
    return trends([entries], [properties], **options)[0]


def trends(
    many: Sequence[Entries], kinds: Sequence[Measure], programme: list[int | None] | None = None, **options: Any
) -> list[Row]:
    """One trend for each series; `kinds[i]` are the properties of series i."""
    flat = [(s, day_number(START) + day, value) for s, entries in enumerate(many) for day, value in entries]
    series, days, values = arrange(*([entry[column] for entry in flat] for column in range(3)))  # type: ignore[arg-type]
    series, days, values = one_a_day(series, days, values, np.array([kind.kind == "daily" for kind in kinds]))
    starts = programme or [None] * len(many)
    started = np.array([NEVER if day is None else day_number(START) + day for day in starts])
    columns = compute(series, days, values, kinds, np.arange(len(kinds)), started, **options).columns()
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]


def on(day: int) -> date:
    return START + timedelta(days=day)


def steady(*levels: float, each: int = 7) -> list[tuple[int, float]]:
    """A value a day, `each` days on each level."""
    return [(day, level) for day, level in enumerate(level for level in levels for _ in range(each))]


# Baselines


def test_daily_baseline_is_the_median_of_the_first_seven_days_with_an_entry() -> None:
    row = trend([(0, 9), (1, 5), (4, 6), (5, 7), (9, 6), (10, 4), (12, 8), (13, 0), (14, 0)])
    assert (row["baseline"], row["baseline_from"], row["baseline_to"]) == (6, on(0), on(12))


def test_three_days_are_the_fewest_that_make_a_baseline() -> None:
    assert trend([(0, 6), (1, 7)])["baseline"] is None
    assert trend([(0, 6), (1, 7), (2, 8)])["baseline"] == 7


def test_daily_baseline_ends_where_the_programme_starts() -> None:
    entries = [*steady(8, each=4), (4, 1), (5, 1), (6, 1)]
    row = trends([entries], [PAIN], programme=[4])[0]
    assert (row["baseline"], row["baseline_to"], row["baseline_settled"]) == (8, on(3), True)


def test_a_programme_that_starts_too_early_leaves_no_daily_baseline() -> None:
    row = trends([steady(8, 2, each=10)], [PAIN], programme=[2])[0]
    assert (row["baseline"], row["change"], row["change_label"]) == (None, None, "unknown")


def test_a_questionnaire_counts_from_the_last_one_shortly_before_the_programme() -> None:
    entries = [(0, 40), (20, 38), (47, 36), (48, 20)]
    row = trends([entries], [TSK], programme=[48])[0]
    assert (row["baseline"], row["baseline_from"], row["change"]) == (36, on(47), -16)


def test_a_questionnaire_longer_ago_than_28_days_gives_way_to_the_first_ever() -> None:
    entries = [(0, 40), (10, 38), (60, 20)]
    assert trends([entries], [TSK], programme=[38])[0]["baseline"] == 38
    assert trends([entries], [TSK], programme=[39])[0]["baseline"] == 40
    assert trends([entries], [TSK], programme=[0])[0]["baseline"] == 40
    assert trend(entries, TSK)["baseline"] == 40


def test_a_baseline_is_settled_by_an_entry_after_the_programmes_start() -> None:
    for kind in (PAIN, TSK):
        entries = steady(8)
        assert not trend(entries, kind)["baseline_settled"]
        assert not trends([entries], [kind], programme=[7])[0]["baseline_settled"]
        assert trends([[*entries, (7, 8)]], [kind], programme=[7])[0]["baseline_settled"]
    assert not trends([steady(8)], [PAIN], programme=[2])[0]["baseline_settled"]


def test_a_frozen_baseline_stays() -> None:
    frozen = (np.array([3.0]), np.array([day_number(on(-90))]), np.array([day_number(on(-84))]))
    row = trend(steady(8, 8), frozen=frozen)
    assert (row["baseline"], row["baseline_from"], row["baseline_settled"]) == (3, on(-90), True)
    assert row["change"] == pytest.approx(5)


def test_a_baseline_that_is_not_frozen_yet_is_worked_out() -> None:
    frozen = (np.array([np.nan]), np.array([0]), np.array([0]))
    assert trend(steady(8, 8), frozen=frozen)["baseline"] == 8


def test_a_first_entry_is_no_change_from_itself() -> None:
    row = trend([(0, 40)], TSK)
    assert (row["n"], row["baseline"], row["change"], row["change_label"]) == (1, 40, None, "unknown")
    assert trend(steady(8))["change"] is None


# Windows


def test_daily_window_is_84_days_up_to_the_last_entry() -> None:
    row = trend([(day, 5) for day in range(200)])
    assert (row["n"], row["first"], row["last"]) == (84, on(116), on(199))
    assert row["coverage"] == 1


def test_questionnaire_window_is_the_last_12() -> None:
    row = trend([(14 * k, 30 + k) for k in range(20)], TSK)
    assert (row["n"], row["first"], row["first_value"], row["last_value"]) == (12, on(8 * 14), 38, 49)
    assert row["coverage"] is None


def test_the_whole_of_a_file_can_be_the_window() -> None:
    assert trend([(day, 5) for day in range(200)], whole=True)["n"] == 200
    assert trend([(14 * k, 30) for k in range(20)], TSK, whole=True)["n"] == 20


def test_coverage_counts_days_with_a_value_and_begins_with_the_series() -> None:
    assert trend([(day, 5) for day in range(0, 20, 2)])["coverage"] == 10 / 19
    assert trend([(0, 5), *((day, 5) for day in range(150, 200))])["coverage"] == 50 / 84


def test_the_longest_gap_is_told() -> None:
    assert trend([(0, 5), (1, 5), (12, 5)])["longest_gap"] == 10
    assert trend([(0, 5)])["longest_gap"] == 0


def test_a_gap_is_not_filled() -> None:
    assert trend([(0, 5), (1, 5), (30, 5)])["n"] == 3


# Enough data


def test_no_entry_is_an_answer_of_nulls() -> None:
    row = trend([])
    assert (row["n"], row["change_label"], row["level_changes"], row["enough_data"]) == (0, "unknown", [], False)
    told = {name for name, value in row.items() if value is not None}
    assert told == {"n", "baseline_settled", "change_label", "level_changes", "longest_gap", "enough_data"}


@pytest.mark.parametrize(
    ("entries", "enough"),
    [
        ([(0, 5), (4, 5), (8, 5), (14, 5)], False),
        ([(0, 5), (4, 5), (8, 5), (12, 5), (13, 5)], False),
        ([(0, 5), (4, 5), (8, 5), (12, 5), (14, 5)], True),
    ],
)
def test_a_slope_needs_5_entries_over_14_days(entries: Entries, enough: bool) -> None:
    row = trend(entries)
    assert row["enough_data"] is enough
    assert [row[name] for name in ("slope_per_week", "slope_low", "slope_high", "tau")] == [0 if enough else None] * 4
    assert row["level"] == pytest.approx(5)


def test_a_direction_test_needs_8_entries() -> None:
    assert trend([(7 * k, k) for k in range(7)])["p_value"] is None
    assert trend([(7 * k, k) for k in range(8)])["p_value"] == pytest.approx(0.00083, abs=1e-5)


def test_a_constant_series_has_slope_nought_and_no_direction() -> None:
    row = trend([(7 * k, 0) for k in range(10)], TSK)
    assert [row[name] for name in ("slope_per_week", "slope_low", "slope_high", "tau", "p_value")] == [0, 0, 0, 0, 1]
    assert row["level_changes"] == []


# Labels


@pytest.mark.parametrize(
    ("change", "label"),
    [
        (-7, "improved"),
        (-6, "possibly-improved"),
        (-4, "possibly-improved"),
        (-3, "no-clear-change"),
        (0, "no-clear-change"),
        (3, "no-clear-change"),
        (4, "possibly-worsened"),
        (6, "possibly-worsened"),
        (7, "worsened"),
    ],
)
def test_labels_between_mcid_4_and_mdc_7(change: float, label: str) -> None:
    entries = [(0, 30), (28, 30 + change)]
    assert trend(entries, TSK)["change_label"] == label
    swapped = replace(TSK, mcid_abs=7, mdc95=4)
    assert trend(entries, swapped)["change_label"] == label


@pytest.mark.parametrize("known", [{"mcid_abs": 5.0}, {"mdc95": 5.0}, {"mcid_pct": 20.0}, {"sem": 5 / 1.96 / 2**0.5}])
def test_with_one_threshold_there_is_no_possibly(known: dict[str, float]) -> None:
    measure = replace(ANY, direction="higher-better", **known)
    assert trend([(0, 25), (28, 30)], measure)["change_label"] == "improved"
    assert trend([(0, 25), (28, 29)], measure)["change_label"] == "no-clear-change"
    assert trend([(0, 25), (28, 20)], measure)["change_label"] == "worsened"


def test_without_a_threshold_or_a_direction_a_change_is_unknown() -> None:
    entries = [(0, 25), (28, 5)]
    assert trend(entries, ANY)["change_label"] == "unknown"
    assert trend(entries, replace(ANY, direction="none", mcid_abs=5.0))["change_label"] == "unknown"


def test_a_percentage_of_nought_is_no_threshold() -> None:
    measure = replace(ANY, mcid_pct=30.0)
    assert trend([(0, 0), (28, 5)], measure)["change_label"] == "unknown"


def test_points_come_before_per_cent() -> None:
    measure = replace(TSK, mcid_pct=50, mdc95=None)
    assert trend([(0, 30), (28, 26)], measure)["change_label"] == "improved"


def test_a_change_of_exactly_the_threshold_survives_binary_fractions() -> None:
    measure = replace(ANY, mcid_abs=1.0)
    assert 8.2 - 7.2 < 1
    assert trend([(0, 8.2), (28, 7.2)], measure)["change_label"] == "improved"


def test_mdc95_is_1_96_times_root_two_times_sem() -> None:
    assert minimal_detectable_change(replace(ANY, sem=1.02)) == pytest.approx(2.83, abs=5e-3)


def test_daily_change_is_counted_to_the_level_and_a_questionnaires_to_its_last() -> None:
    entries = [*steady(8), (7, 0)]
    daily, questionnaire = trend(entries), trend(entries, replace(PAIN, kind="questionnaire"))
    assert daily["change"] == pytest.approx(-2)  # λ = 0.25 a day
    assert questionnaire["change"] == -8


def test_reliable_change_of_jacobson_and_truax() -> None:
    measure = replace(ANY, direction="higher-better", sem=7.5 * math.sqrt(1 - 0.80))
    assert measure.sem == pytest.approx(3.354, abs=5e-4)
    assert difference_error(measure) == pytest.approx(4.743, abs=5e-4)
    assert trend([(0, 47.5), (28, 32.5)], measure)["reliable_change"] == pytest.approx(-3.16, abs=5e-3)


# References


def test_a_real_depression_score_rises_and_changes_level_once() -> None:
    scores = weekly_depression()
    entries = [((date.fromisoformat(day) - START).days, score) for day, score in scores]
    row = trend(entries, TSK, whole=True)
    assert row["n"] == 28
    assert row["slope_per_week"] == pytest.approx(0.0341, abs=5e-5)
    assert row["p_value"] < 0.001
    assert row["level_changes"] == [date(2012, 12, 31)]


def test_the_nile_a_value_a_year() -> None:
    entries = [((date(1871 + year, 7, 1) - START).days, float(flow)) for year, flow in enumerate(NILE)]
    row = trend(entries, TSK, whole=True)
    assert row["level_changes"] == [date(1899, 7, 1)]
    assert row["slope_per_week"] / 7 * 365.2425 == pytest.approx(-2.6, abs=0.1)
    assert row["p_value"] == pytest.approx(3.66e-5, rel=2e-3)


# One value a day


def test_several_entries_a_day_are_one_value() -> None:
    several = [(0, 1), (0, 9), (0, 2), (1, 4), (1, 5), (2, 6)]
    assert trend(several)["baseline"] == 4.5
    row = trend(several, TSK)
    assert (row["n"], row["first_value"], row["last_value"]) == (3, 2, 6)


def test_the_last_of_a_day_counts_for_a_questionnaire() -> None:
    assert trend([(0, 30), (28, 22), (28, 24)], TSK)["change"] == -6


# Measure that hold for any series

one = st.lists(st.tuples(st.integers(0, 250), st.integers(0, 20).map(lambda half: half / 2)), max_size=40)
kinds = st.sampled_from(
    [PAIN, TSK, replace(PAIN, direction="higher-better"), replace(ANY, direction="none", mcid_pct=30.0)]
)
starts = st.one_of(st.none(), st.integers(0, 250))


@given(st.lists(st.tuples(one, kinds, starts), min_size=1, max_size=8), st.booleans())
def test_many_at_once_are_the_same_as_one_by_one(many: list[tuple[Entries, Measure, int | None]], whole: bool) -> None:
    together = trends([s[0] for s in many], [s[1] for s in many], [s[2] for s in many], whole=whole)
    for row, (entries, kind, start) in zip(together, many, strict=True):
        assert row == trends([entries], [kind], [start], whole=whole)[0]


@given(one, kinds, starts)
def test_nothing_is_ever_nan(entries: Entries, kind: Measure, start: int | None) -> None:
    row = trends([entries], [kind], [start])[0]
    assert not any(isinstance(value, float) and not math.isfinite(value) for value in row.values())


@given(one, kinds, starts, st.randoms(use_true_random=False))
def test_the_order_of_days_does_not_matter(entries: Entries, kind: Measure, start: int | None, random: Any) -> None:
    days = {day: (day, value) for day, value in entries}
    shuffled = list(days.values())
    random.shuffle(shuffled)
    assert trends([shuffled], [kind], [start]) == trends([sorted(shuffled)], [kind], [start])


@given(one, kinds, st.integers(-300, 300))
def test_shifting_all_days_by_weeks_moves_dates_alone(entries: Entries, kind: Measure, weeks: int) -> None:
    row = trend(entries, kind)
    moved = trend([(day + 7 * weeks, value) for day, value in entries], kind)
    for name, value in row.items():
        if isinstance(value, date):
            assert moved[name] == value + timedelta(weeks=weeks)
        elif name == "level_changes":
            assert moved[name] == [day + timedelta(weeks=weeks) for day in value]
        else:
            assert moved[name] == value


@given(one, kinds, st.integers(1, 50))
def test_adding_a_constant_moves_the_level_and_nothing_else(entries: Entries, kind: Measure, more: int) -> None:
    kind = replace(kind, mcid_pct=None)
    row, moved = trend(entries, kind), trend([(day, value + more) for day, value in entries], kind)
    for name, value in row.items():
        expected = value
        if value is not None and name in {"level", "baseline", "first_value", "last_value"}:
            expected = value + more
        assert moved[name] == (pytest.approx(expected, abs=1e-9) if isinstance(expected, float) else expected)


@given(one, kinds)
def test_the_other_direction_swaps_improved_and_worsened(entries: Entries, kind: Measure) -> None:
    other_way: dict[str, Direction] = {"higher-worse": "higher-better", "higher-better": "higher-worse"}
    turned = replace(kind, direction=other_way.get(kind.direction, "none"))
    swap = {"improved": "worsened", "worsened": "improved"}
    label = trend(entries, kind)["change_label"]
    for word, other in swap.items():
        if label.endswith(word):
            label = label.removesuffix(word) + other
            break
    assert trend(entries, turned)["change_label"] == label
