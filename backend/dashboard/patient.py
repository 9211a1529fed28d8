"""What the page of one patient reads."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from backend.dashboard.measures import COLUMNS
from backend.dashboard.sentences import Standing, sentences
from backend.people.models import Patient
from outcomes.library import Measure, measures
from outcomes.models import Baseline, Trend


@dataclass(frozen=True)
class Line:
    """A row of the table of where things stand."""

    measure: Measure | None
    trend: Trend
    baseline: Baseline | None


def lines(patient: Patient) -> list[Line]:
    """The patient's trends with the baselines in force, those of the panel first."""
    trends = Trend.objects.filter(patient=patient).select_related("measure")
    baselines = {
        baseline.measure_id: baseline for baseline in Baseline.objects.filter(patient=patient).order_by("version")
    }
    known = measures()
    leading = [code for column in COLUMNS for code in column.codes]
    found = [Line(known.get(trend.measure.code), trend, baselines.get(trend.measure_id)) for trend in trends]
    return sorted(found, key=lambda line: _place(line.trend.measure.code, leading))


def _place(code: str, leading: Sequence[str]) -> tuple[int, str]:
    return (leading.index(code) if code in leading else len(leading), code)


def standing(found: Sequence[Line], today: date) -> tuple[str, str]:
    """The two sentences at the top of the page, about the measures of the panel."""
    by_code = {line.trend.measure.code: line for line in found}
    standings = []
    last_entry = max((line.trend.last_day for line in found if line.trend.last_day), default=None)
    for column in COLUMNS:
        line = next((by_code[code] for code in column.codes if code in by_code), None)
        title = str(column.title).lower()
        if line is None:
            standings.append(Standing(title, "unknown"))
            continue
        trend = line.trend
        value = trend.last_value if line.measure and line.measure.kind == "questionnaire" else trend.level
        since = line.baseline.to_day if line.baseline else None
        standings.append(Standing(title, trend.change_label, value, trend.baseline, since, column.decimals))
    return sentences(standings, last_entry, today)
