"""What the page of one patient reads."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import exercises.series
from backend.dashboard.measures import COLUMNS, SHOWN
from backend.dashboard.sentences import Standing, sentences
from backend.dashboard.templatetags.dashboard import label
from backend.dashboard.wording import NO_BASELINE
from backend.people.models import Patient
from outcomes.library import Measure
from outcomes.loading import measure
from outcomes.models import Baseline, Trend

COMPUTED = {measure.code for measure in exercises.series.MEASURES}


@dataclass(frozen=True)
class Line:
    """A row of the table of where things stand."""

    measure: Measure
    trend: Trend
    baseline: Baseline | None

    @property
    def verdict(self) -> str:
        """What its change comes to."""
        if self.trend.enough_data and self.trend.baseline is None:
            return str(NO_BASELINE)
        return label(self.trend.change_label, self.trend.change)


def lines(patient: Patient) -> list[Line]:
    """The patient's trends with the baselines in force, those of the panel first."""
    trends = Trend.objects.filter(patient=patient).select_related("measure")
    baselines = {
        baseline.measure_id: baseline for baseline in Baseline.objects.filter(patient=patient).order_by("version")
    }
    found = [Line(measure(trend.measure.code), trend, baselines.get(trend.measure_id)) for trend in trends]
    return sorted(found, key=lambda line: _place(line.measure.code))


def _place(code: str) -> tuple[int, str]:
    return (SHOWN.index(code) if code in SHOWN else len(SHOWN), code)


def standing(found: Sequence[Line], today: date) -> tuple[str, str]:
    """The two sentences at the top of the page, about the measures of the panel."""
    by_code = {line.measure.code: line for line in found}
    last_days = {line.measure.code: line.trend.last_day for line in found if line.trend.last_day}
    # Exercise has a value also on days on which nobody entered anything.
    last_entry = max((day for code, day in last_days.items() if code not in COMPUTED), default=None)
    standings = []
    for column in COLUMNS:
        line = by_code.get(column.code(last_days) or "")
        title = str(column.title).lower()
        if line is None:
            if not column.share:  # nothing was prescribed, or nothing was due so far: there is nothing to tell
                standings.append(Standing(title, "unknown"))
            continue
        trend = line.trend
        value = trend.last_value if line.measure.kind == "questionnaire" else trend.level
        since = line.baseline.to_day if line.baseline else None
        standings.append(
            Standing(
                *(title, trend.change_label, value, trend.baseline, since, column.decimals),
                share=column.share,
                last_day=trend.last_day,
            )
        )
    return sentences(standings, last_entry, today)
