"""The time lines of one patient: which measures stand together, and their points, few enough to draw."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from statistics import median
from typing import TYPE_CHECKING, Any

from django.utils.translation import gettext_lazy as _

from backend.dashboard.downsampling import downsampled
from backend.dashboard.sparklines import by_day
from backend.dashboard.templatetags.dashboard import alert_title
from backend.people.models import Patient
from outcomes.choices import Choices, choices_of, chosen
from outcomes.instrument import Band
from outcomes.library import UnknownInstrumentError, get
from outcomes.loading import measure
from outcomes.models import Alert, Baseline, Score, Trend

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise

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
    """One value a day of every chart's measures that has any, in one statement; the median of a day's entries."""
    rows = Score.objects.filter(
        patient=patient, measure__code__in=[*_CODES, FLARE], local_day__range=(first, last), live=True
    ).values_list("measure__code", "local_day", "value")
    found: dict[str, tuple[list[int], list[float]]] = {}
    for code, day, value in rows:
        days, values = found.setdefault(code, ([], []))
        days.append((day - first).days)
        values.append(value)
    length = (last - first).days + 1
    return {code: by_day(days, values, length) for code, (days, values) in found.items()}


def drawn(patient: Patient, first: date, last: date) -> dict[str, Any]:
    """Everything that the charts show from `first` to `last`, as JSON takes it; days are seconds since 1970."""
    values = series(patient, first, last)
    baselines = dict(Baseline.objects.filter(patient=patient).order_by("version").values_list("measure__code", "value"))
    changes = {
        code: days
        for code, days in Trend.objects.filter(patient=patient).values_list("measure__code", "level_changes")
        if days
    }
    choices = choices_of([patient.clinic_id])
    alerts = Alert.objects.filter(patient=patient, opened_at__date__range=(first, last)).order_by("opened_at")
    return {
        "from": _seconds(first),
        "to": _seconds(last),
        "programme": _seconds(start) if (start := patient.programme_started_on) else None,
        "alerts": [
            {"x": _seconds(alert.opened_at.date()), "title": alert_title(alert.rule), "severity": alert.severity}
            for alert in alerts
        ],
        "flares": [_seconds(first + timedelta(days=n)) for n, flare in enumerate(values.get(FLARE, [])) if flare],
        "charts": [
            _chart(chart, values, baselines, changes, first)
            | {"bands": [{"name": band.name, "from": band.from_, "below": band.below} for band in bands]}
            for chart in charts_with(values)
            for bands in [bands_of(_leading(chart, values), patient, choices)]
        ],
    }


def charts_with(values: Series) -> list[Chart]:
    return [chart for chart in CHARTS if any(code in values for code, _title in chart.lines)]


def _leading(chart: Chart, values: Series) -> str:
    return next(code for code, _title in chart.lines if code in values)


def _chart(
    chart: Chart, values: Series, baselines: dict[str, float], changes: dict[str, list[date]], first: date
) -> dict[str, Any]:
    lines = [(code, title, values[code]) for code, title in chart.lines if code in values]
    leading = _leading(chart, values)
    kept = sorted({index for *_line, line in lines for index in downsampled(line, MOST_POINTS // len(lines))})
    known = measure(leading)
    return {
        "key": chart.key,
        "low": chart.low,
        "high": chart.high,
        "joined": chart.joined,
        "baseline": baselines.get(leading),
        "mcid": known.mcid_abs,
        "mdc95": known.mdc95,
        "changes": [_seconds(day) for day in changes.get(leading, [])],
        "x": [_seconds(first + timedelta(days=index)) for index in kept],
        "lines": [{"title": str(title), "y": [line[index] for index in kept]} for _code, title, line in lines],
    }


def bands_of(code: str, patient: Patient, choices: Choices) -> Iterable[Band]:
    """As the patient's clinic has set their cut-offs."""
    instrument, _dot, name = code.partition(".")
    try:
        return chosen(get(instrument), patient.clinic_id, choices).score(name).bands
    except UnknownInstrumentError:  # a measure of exercise, or a scale of the clinic's own
        return ()


def _seconds(day: date) -> int:
    return int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp())


@dataclass(frozen=True)
class Week:
    """A line of the table under a chart: the days with a value, their median, smallest and largest."""

    monday: date
    days: int
    median: float
    low: float
    high: float


def weeks(values: list[float | None], first: date) -> list[Week]:
    """Newest first; weeks without a value are left out, and the days column says how full the others are."""
    found: dict[date, list[float]] = {}
    for n, value in enumerate(values):
        day = first + timedelta(days=n)
        if value is not None:
            found.setdefault(day - timedelta(days=day.weekday()), []).append(value)
    return [
        Week(monday, len(week), median(week), min(week), max(week))
        for monday, week in sorted(found.items(), reverse=True)
    ]
