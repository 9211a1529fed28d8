"""A patient's own trends in words: no severity, no item of a questionnaire, no blame."""

from __future__ import annotations

from collections import defaultdict
from datetime import date, timedelta
from statistics import median

import msgspec
from django.utils.translation import gettext as _

from outcomes.loading import measure, measure_codes
from outcomes.models import Score, Trend
from outcomes.trends import WINDOW_DAYS


class Line(msgspec.Struct):
    """One measure as its patient sees it. `points` are (local day, value), one a day; days without are left out."""

    measure: str
    title: str
    sentence: str
    latest: float | None
    latest_day: date | None
    began_at: float | None
    points: list[tuple[date, float]]


def sentence(change_label: str) -> str:
    """A change label as the patient reads it."""
    return {
        "improved": _("Better than when you began."),
        "possibly-improved": _("Perhaps a little better than when you began."),
        "no-clear-change": _("About the same as when you began."),
        "possibly-worsened": _("Perhaps a little harder than when you began."),
        "worsened": _("Harder than when you began."),
        "unknown": _("A few more entries will show where this is going."),
    }[change_label]


def lines(patient_id: int) -> list[Line]:
    """All measures that this patient has entries of, in two statements."""
    trends = [row for row in Trend.objects.filter(patient_id=patient_id, n__gt=0) if row.last_day]
    if not trends:
        return []
    earliest = min(row.last_day for row in trends if row.last_day) - timedelta(days=WINDOW_DAYS - 1)
    by_day: dict[tuple[int, date], list[float]] = defaultdict(list)
    found = Score.objects.filter(
        patient_id=patient_id,
        measure_id__in=[row.measure_id for row in trends],
        local_day__gte=earliest,
        live=True,
    ).values_list("measure_id", "local_day", "value")
    for measure_id, day, value in found:
        by_day[measure_id, day].append(value)
    codes = measure_codes()
    result = []
    for row in trends:
        code = codes[row.measure_id]
        days = sorted(day for measure_id, day in by_day if measure_id == row.measure_id)
        result.append(
            Line(
                measure=code,
                title=measure(code).title,
                sentence=sentence(row.change_label),
                latest=row.last_value,
                latest_day=row.last_day,
                began_at=row.baseline,
                points=[(day, median(by_day[row.measure_id, day])) for day in days],
            )
        )
    return sorted(result, key=lambda line: line.measure)
