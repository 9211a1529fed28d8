"""The time lines of one patient: which measures stand together, and their points, few enough to draw."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from statistics import median
from typing import TYPE_CHECKING, Any

import numpy as np
from django.db import connection
from django.utils.translation import gettext_lazy as _

from backend.dashboard.chart_marks import marks, seconds
from backend.dashboard.downsampling import downsampled
from backend.dashboard.sparklines import by_day
from backend.people.models import Patient
from outcomes.choices import Choices, choices_of, chosen
from outcomes.instrument import Band
from outcomes.levels import running
from outcomes.library import Measure, UnknownInstrumentError, get
from outcomes.loading import measure
from outcomes.models import Baseline, Trend
from outcomes.trends import HALF_LIFE_DAILY, WINDOW_DAYS, minimal_detectable_change

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise

LEAD = timedelta(days=WINDOW_DAYS)
"""Read before the first day that is drawn: what a level and a slope there rest on."""

DAY = 86_400
"""Seconds: every day has as many, because a chart's days are counted in UTC."""

MOST_POINTS = 1000
"""A line. More than a screen is wide can't be seen."""


@dataclass(frozen=True)
class Chart:
    """Measures that share a scale. The first of `lines` with values carries bands and baseline."""

    key: str
    title: _StrPromise
    lines: tuple[tuple[str, _StrPromise], ...]
    low: float
    high: float
    joined: int = 1
    """Days apart at which two values are still joined: questionnaires come every few weeks."""


CHARTS = (
    Chart(
        "pain",
        _("Pain"),
        (
            ("daily-diary.pain-average", _("average")),
            ("nrs-pain.total", _("rating")),
            ("daily-diary.pain-worst", _("worst")),
            ("daily-diary.pain-now", _("now")),
        ),
        0,
        10,
    ),
    Chart("fear", _("Fear of movement (daily)"), (("daily-diary.fear", _("fear")),), 0, 10),
    Chart("kinesiophobia", _("Fear of movement (TSK-11)"), (("tsk-11.total", _("TSK-11")),), 11, 44, joined=62),
    Chart("depression", _("Depression"), (("phq-9.total", "PHQ-9"), ("phq-8.total", "PHQ-8")), 0, 27, joined=62),  # type: ignore[arg-type]
    Chart("disability", _("Disability"), (("rmdq-24.total", "RMDQ"),), 0, 24, joined=62),  # type: ignore[arg-type]
    Chart("sleep", _("Disturbed sleep"), (("daily-diary.sleep", _("sleep")),), 0, 10),
    Chart("adherence", _("Adherence"), (("adherence.day", _("dose done of dose due, %")),), 0, 100, joined=4),
    Chart("load", _("Session load"), (("session.load", _("effort × minutes")),), 0, 600, joined=4),
)

FLARE = "daily-diary.flare"
_CODES = [code for chart in CHARTS for code, _title in chart.lines]

type Series = dict[str, list[float | None]]


def series(patient: Patient, first: date, last: date) -> Series:
    """One value a day of every chart's measures that has any, in one statement; the median of a day's entries.

    The server counts the days and puts each series together: to make a row of each of ten thousand entries took longer
    than all else on the page.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT code, array_agg(local_day - %(first)s::date), array_agg(value)
            FROM outcomes_score AS score JOIN outcomes_measure AS measure ON measure.id = score.measure_id
            WHERE patient_id = %(patient)s AND code = ANY (%(codes)s) AND live
                AND local_day BETWEEN %(first)s AND %(last)s
            GROUP BY code
            """,
            {"patient": patient.pk, "codes": [*_CODES, FLARE], "first": first, "last": last},
        )
        found = cursor.fetchall()
    length = (last - first).days + 1
    return {code: by_day(days, values, length) for code, days, values in found}


def shown(values: Series) -> Series:
    """The days that are drawn, of values that were read from LEAD earlier on."""
    cut = {code: line[LEAD.days :] for code, line in values.items()}
    return {code: line for code, line in cut.items() if any(value is not None for value in line)}


@dataclass(frozen=True)
class Reading:
    """What the charts of one patient are drawn from. `read` begins LEAD before `values`, which begin on `first`."""

    patient: Patient
    first: date
    read: Series
    values: Series
    baselines: dict[str, float]
    trends: dict[str, Trend]
    choices: Choices


def drawn(patient: Patient, first: date, last: date) -> dict[str, Any]:
    """Everything that the charts show from `first` to `last`, as JSON takes it; days are seconds since 1970."""
    read = series(patient, first - LEAD, last)
    values = shown(read)
    baselines = Baseline.objects.filter(patient=patient).order_by("version").values_list("measure__code", "value")
    trends = {row.measure.code: row for row in Trend.objects.filter(patient=patient).select_related("measure")}
    choices = choices_of([patient.clinic_id])
    reading = Reading(patient, first, read, values, dict(baselines), trends, choices)
    return {
        "from": seconds(first),
        "to": seconds(last),
        "programme": seconds(start) if (start := patient.programme_started_on) else None,
        "flares": [seconds(first + timedelta(days=n)) for n, flare in enumerate(values.get(FLARE, [])) if flare],
        **marks(patient, first, last),
        "charts": [_chart(chart, reading) for chart in charts_with(values)],
    }


def charts_with(values: Series) -> list[Chart]:
    return [chart for chart in CHARTS if any(code in values for code, _title in chart.lines)]


def _chart(chart: Chart, reading: Reading) -> dict[str, Any]:
    first, values = reading.first, reading.values
    lines = [(code, title, values[code]) for code, title in chart.lines if code in values]
    leading = lines[0][0]
    kept = sorted({index for *_line, line in lines for index in downsampled(line, MOST_POINTS // len(lines))})
    known, trend, baseline = measure(leading), reading.trends.get(leading), reading.baselines.get(leading)
    told = known.kind == "daily" and known.direction != "none"
    level, error = levels(reading.read[leading]) if told else ([], [])
    bands = bands_of(leading, reading.patient, reading.choices)
    start = seconds(first)
    return {
        "key": chart.key,
        "low": chart.low,
        "high": chart.high,
        "joined": chart.joined,
        "baseline": baseline,
        "thresholds": [{"title": title, "at": at} for title, at in thresholds(known, baseline) if at is not None],
        "bands": [{"name": band.name, "from": band.from_, "below": band.below} for band in bands],
        "changes": [seconds(day) for day in trend.level_changes] if trend else [],
        "slope": _slope(trend, reading.read[leading], first) if trend else None,
        "level": [level[LEAD.days + index] for index in kept] if level else None,
        "error": [error[LEAD.days + index] for index in kept] if level else None,
        "x": [start + index * DAY for index in kept],
        "lines": [{"title": str(title), "y": [line[index] for index in kept]} for _code, title, line in lines],
    }


def levels(values: list[float | None]) -> tuple[list[float | None], list[float | None]]:
    """The level on each day with an entry, and how far its 95 % interval goes to each side."""
    days = [n for n, value in enumerate(values) if value is not None]
    if len(days) < 2:
        return [], []
    entries = np.array([value for value in values if value is not None])
    found, error = running(np.array(days), entries, HALF_LIFE_DAILY)
    level: list[float | None] = [None] * len(values)
    half: list[float | None] = [None] * len(values)
    for n, at, off in zip(days, found.round(2).tolist(), (1.96 * error).round(2).tolist(), strict=True):
        level[n], half[n] = at, off
    return level, half


def thresholds(known: Measure, baseline: float | None) -> list[tuple[str, float | None]]:
    """Where a value must come to be better than the baseline by MCID and by MDC95."""
    if baseline is None or known.direction == "none":
        return []
    better = -1 if known.direction == "higher-worse" else 1
    sizes = (("MCID", minimal_important_change(known, baseline)), ("MDC95", minimal_detectable_change(known)))
    return [(title, None if size is None else round(baseline + better * size, 2)) for title, size in sizes]


def minimal_important_change(known: Measure, baseline: float) -> float | None:
    """In points where points are known, else in per cent of the baseline: as change labels count it."""
    if known.mcid_abs is None and known.mcid_pct is not None and baseline:
        return abs(baseline) * known.mcid_pct / 100
    return known.mcid_abs


def _slope(trend: Trend, values: list[float | None], first: date) -> dict[str, float] | None:
    """The trend's slope as a line over its window; it goes through the middle of the entries (Theil–Sen)."""
    start = first - LEAD
    if not trend.enough_data or trend.slope_per_week is None or trend.first_day is None or trend.last_day is None:
        return None
    begin, end = (trend.first_day - start).days, (trend.last_day - start).days
    if begin < 0 or end < LEAD.days:
        return None
    a_day = trend.slope_per_week / 7
    entries = [(n, value) for n, value in enumerate(values[: end + 1]) if n >= begin and value is not None]
    if not entries:
        return None
    base = median(value - a_day * n for n, value in entries)
    begin = max(begin, LEAD.days)
    ends = [(name, n) for name, n in (("from", begin), ("to", end))]
    return {name: seconds(start + timedelta(days=n)) for name, n in ends} | {
        f"at_{name}": round(base + a_day * n, 2) for name, n in ends
    }


def bands_of(code: str, patient: Patient, choices: Choices) -> Iterable[Band]:
    """As the patient's clinic has set their cut-offs."""
    instrument, _dot, name = code.partition(".")
    try:
        return chosen(get(instrument), patient.clinic_id, choices).score(name).bands
    except UnknownInstrumentError:  # a measure of exercise, or a scale of the clinic's own
        return ()


@dataclass(frozen=True)
class Stretch:
    """A line of the table under a chart: the days with a value, their median, smallest and largest."""

    begins: date
    days: int
    median: float
    low: float
    high: float


def stretches(values: list[float | None], first: date, *, months: bool = False) -> list[Stretch]:
    """Weeks, or months, newest first. Those without a value are left out; `days` says how full the others are."""
    found: dict[date, list[float]] = {}
    for n, value in enumerate(values):
        day = first + timedelta(days=n)
        if value is not None:
            begins = day.replace(day=1) if months else day - timedelta(days=day.weekday())
            found.setdefault(begins, []).append(value)
    return [
        Stretch(begins, len(each), median(each), min(each), max(each))
        for begins, each in sorted(found.items(), reverse=True)
    ]
