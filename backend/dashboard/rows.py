"""What a row of the panel says of a patient, for all patients of a page in a fixed number of statements."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

import msgspec
from django.db import connection
from django.utils.translation import gettext as _

from backend.dashboard.measures import COLUMNS, SHOWN, Column
from backend.dashboard.sparklines import Sparkline, by_day, sparkline
from backend.dashboard.worklist import CLOSED, urgency
from backend.people.models import Patient
from backend.reminders.models import Schedule
from outcomes.library import UnknownInstrumentError, get
from outcomes.loading import measure, measure_ids
from outcomes.models import Alert

SPARK_DAYS = 28
NOTHING = Sparkline([], [], None)


@dataclass(frozen=True)
class Cell:
    """Where one measure of one patient stands."""

    column: Column
    value: float | None
    change: float | None
    label: str
    line: Sparkline

    @property
    def is_share(self) -> bool:
        """Whether its value is all there is to say of it: no change, but a share of what was prescribed."""
        return self.column.share and self.value is not None and self.change is None


@dataclass(frozen=True)
class Programme:
    """The week of a home programme, from 1, and the phase that this week is in, where it has any."""

    title: str
    week: int
    phase: str = ""


@dataclass(frozen=True)
class Due:
    """What is asked next, from when to when."""

    what: str
    opens_at: datetime
    closes_at: datetime


@dataclass(frozen=True)
class Row:
    patient: Patient
    alerts: list[Alert]
    cells: list[Cell]
    silent_days: int | None
    programme: Programme | None
    due: Due | None


def rows(
    patients: Sequence[Patient], columns: Sequence[str], now: datetime, today: date, *, lines: bool = True
) -> list[Row]:
    """What the panel shows of these patients in these columns; without `lines` there are no sparklines."""
    numbers = [patient.pk for patient in patients]
    shown = [column for column in COLUMNS if column.field in columns]
    alerts = _alerts(numbers) if "alerts" in columns else {}
    series = _series(numbers, today) if lines and shown else {}
    programmes = _programmes(numbers, today) if "programme" in columns else {}
    due = _due(numbers, now) if "due" in columns else {}
    return [
        Row(
            patient=patient,
            alerts=alerts.get(patient.pk, []),
            cells=_cells(patient, shown, series.get(patient.pk, {})),
            silent_days=_days(patient.summary.last_entry_day, today),
            programme=programmes.get(patient.pk),
            due=due.get(patient.pk),
        )
        for patient in patients
    ]


def _alerts(patients: Iterable[int]) -> dict[int, list[Alert]]:
    found: dict[int, list[Alert]] = {}
    alerts = Alert.objects.filter(patient__in=patients).exclude(state__in=CLOSED)
    for alert in alerts.annotate(urgency=urgency()).order_by("-urgency", "due_at", "pk"):
        found.setdefault(alert.patient_id, []).append(alert)
    return found


@dataclass(frozen=True)
class _Series:
    """The last day of a series, and the days (from the first that is drawn) and values of what is drawn."""

    last_day: date
    days: list[int]
    values: list[float]


SERIES = """
SELECT trend.patient_id, trend.measure_id, trend.last_day, recent.days, recent.values
FROM outcomes_trend AS trend
LEFT JOIN LATERAL (
    SELECT array_agg(local_day - %(first)s::date) AS days, array_agg(value) AS values
    FROM outcomes_score
    WHERE patient_id = trend.patient_id AND measure_id = trend.measure_id AND live
        AND local_day BETWEEN %(first)s AND %(today)s
) AS recent ON trend.last_day >= %(first)s
WHERE trend.patient_id = ANY (%(patients)s) AND trend.measure_id = ANY (%(measures)s) AND trend.last_day IS NOT NULL
"""


def _series(patients: list[int], today: date) -> dict[int, dict[str, _Series]]:
    """By patient and measure."""
    found: dict[int, dict[str, _Series]] = {}
    codes = {measure_ids()[code]: code for code in SHOWN}
    values: dict[str, Any] = {"first": _first(today), "today": today, "patients": patients, "measures": list(codes)}
    with connection.cursor() as cursor:
        cursor.execute(SERIES, values)
        for patient, number, last_day, days, recent in cursor:
            found.setdefault(patient, {})[codes[number]] = _Series(last_day, days or [], recent or [])
    return found


def _first(today: date) -> date:
    return today - timedelta(days=SPARK_DAYS - 1)


def _cells(patient: Patient, columns: Iterable[Column], series: dict[str, _Series]) -> list[Cell]:
    last_days = {code: each.last_day for code, each in series.items()}
    summary = patient.summary
    return [
        Cell(
            column=column,
            value=getattr(summary, column.field),
            change=getattr(summary, f"{column.field}_change"),
            label=getattr(summary, f"{column.field}_label"),
            line=_line(series[code], code, column) if (code := column.code(last_days)) else NOTHING,
        )
        for column in columns
    ]


def _line(series: _Series, code: str, column: Column) -> Sparkline:
    scale = measure(code)
    joined = SPARK_DAYS if scale.kind == "questionnaire" else column.joined
    return sparkline(by_day(series.days, series.values, SPARK_DAYS), scale.min, scale.max, joined=joined)


PROGRAMMES = """
SELECT patient_id, began.starts_on, plan ->> 'title', (plan -> 'phases')::text
FROM exercises_prescription AS prescription
CROSS JOIN LATERAL (
    SELECT starts_on FROM exercises_prescription AS first
    WHERE first.patient_id = prescription.patient_id AND first.programme = prescription.programme AND first.version = 1
) AS began
WHERE patient_id = ANY (%(patients)s) AND prescription.starts_on <= %(today)s
    AND (prescription.ends_on IS NULL OR prescription.ends_on >= %(today)s)
ORDER BY began.starts_on
"""


def _programmes(patients: list[int], today: date) -> dict[int, Programme]:
    """The programme in force that was begun last."""
    with connection.cursor() as cursor:
        cursor.execute(PROGRAMMES, {"patients": patients, "today": today})
        return {
            patient: _programme(began, title, msgspec.json.decode(phases or "[]"), today)
            for patient, began, title, phases in cursor
        }


def _programme(began: date, title: str, phases: list[dict[str, Any]], today: date) -> Programme:
    week = left = (today - began).days // 7 + 1
    for phase in phases:
        left -= phase["weeks"]
        if left <= 0:
            return Programme(title, week, phase["name"])
    return Programme(title, week)


DUE = """
SELECT DISTINCT ON (slot.patient_id) slot.patient_id, asks, code, opens_at, closes_at
FROM reminders_slot AS slot JOIN reminders_schedule AS schedule ON schedule.id = slot.schedule_id
WHERE slot.patient_id = ANY (%(patients)s) AND slot.state IN ('upcoming', 'open') AND closes_at > %(now)s
ORDER BY slot.patient_id, opens_at
"""


def _due(patients: list[int], now: datetime) -> dict[int, Due]:
    with connection.cursor() as cursor:
        cursor.execute(DUE, {"patients": patients, "now": now})
        return {patient: Due(_asked(asks, code), opens, closes) for patient, asks, code, opens, closes in cursor}


def _asked(asks: str, code: str) -> str:
    if asks == Schedule.Asks.SESSION:
        return _("exercise")
    if code == "daily-diary":
        return _("diary")
    try:
        title = get(code).title
    except UnknownInstrumentError:
        return code
    return title[title.rfind("(") + 1 : -1] if title.endswith(")") else title  # "… (PHQ-9)"


def _days(day: date | None, today: date) -> int | None:
    return (today - day).days if day else None
