"""What the lines of a chart come to, in words: level, slope, and whether the change is one."""

from __future__ import annotations

from django.utils.formats import date_format
from django.utils.translation import gettext

from backend.dashboard import charts
from backend.dashboard.patient import Line
from backend.dashboard.templatetags.dashboard import number, signed
from outcomes.trends import minimal_detectable_change


def facts(line: Line, values: list[float | None]) -> list[str]:
    """`values` are one a day, as the charts read them."""
    return [words for words in (_level(line, values), _slope(line), _change(line)) if words]


def _level(line: Line, values: list[float | None]) -> str:
    if line.measure.kind != "daily" or line.trend.level is None:
        return ""
    _level, halves = charts.levels(values)
    half = next((each for each in reversed(halves) if each is not None), None)
    level = number(line.trend.level)
    if half is None or half != half:
        return gettext("level %(level)s") % {"level": level}
    return gettext("level %(level)s ± %(half)s") % {"level": level, "half": number(half)}


def _slope(line: Line) -> str:
    trend = line.trend
    if not trend.enough_data or trend.slope_per_week is None:
        return gettext("slope: not enough data")
    words = {
        "slope": signed(trend.slope_per_week, 2),
        "low": signed(trend.slope_low, 2),
        "high": signed(trend.slope_high, 2),
    }
    return gettext("slope %(slope)s a week (%(low)s … %(high)s)") % words


def _change(line: Line) -> str:
    trend = line.trend
    if trend.change is None or trend.baseline is None:
        return ""
    words = {"change": signed(trend.change), "baseline": number(trend.baseline)}
    if line.baseline:
        words["day"] = date_format(line.baseline.to_day, "j M Y")
        said = gettext("change %(change)s since the baseline of %(baseline)s (%(day)s)") % words
    else:
        said = gettext("change %(change)s since the baseline of %(baseline)s") % words
    reached = "; ".join(_reached(line, trend.change, trend.baseline))
    return f"{said}: {reached}" if reached else said


def _reached(line: Line, change: float, baseline: float) -> list[str]:
    sizes = {
        "MCID": charts.minimal_important_change(line.measure, baseline),
        "MDC95": minimal_detectable_change(line.measure),
    }
    reached = {True: gettext("%(title)s %(size)s reached"), False: gettext("%(title)s %(size)s not reached")}
    return [
        reached[abs(change) + 1e-9 >= size] % {"title": title, "size": number(size)}
        for title, size in sizes.items()
        if size is not None
    ]
