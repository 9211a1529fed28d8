"""How a clinic is doing, over its last twelve whole weeks. Definitions are on the page; small numbers are not shown."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.db import connection

from backend.dashboard.suppression import LEAST, safe
from backend.people.models import Clinic
from exercises.library import library as catalogue
from outcomes import library
from outcomes.library import Measure
from outcomes.loading import measure_ids
from outcomes.trends import minimal_detectable_change

WEEKS = 12
SILENT_DAYS = 28
ENOUGH_FOR_TENTH = 20
"""Alerts: below it the slowest tenth is one person's story."""

RESPONDING = (
    "daily-diary.pain-average",
    "nrs-pain.total",
    "tsk-11.total",
    "phq-9.total",
    "phq-8.total",
    "rmdq-24.total",
    "odi.total",
)


@dataclass(frozen=True)
class Period:
    """Whole weeks, Monday to Sunday, by the clinic's calendar."""

    first: date
    last: date

    @classmethod
    def before(cls, today: date) -> Period:
        last = today - timedelta(days=today.weekday() + 1)
        return cls(last - timedelta(weeks=WEEKS) + timedelta(days=1), last)


@dataclass(frozen=True)
class Answered:
    """Of one thing that is asked: how much of what was due was answered; None: of too few people."""

    title: str
    due: int | None
    answered: int | None
    percent: float | None


@dataclass(frozen=True)
class Adherence:
    title: str
    people: int | None
    percent: float | None


@dataclass(frozen=True)
class Responders:
    """Of those with a baseline and a recent value, who is better by at least the one threshold, and by the other."""

    measure: Measure
    people: int | None
    mcid: int | None
    mdc95: int | None
    has_mcid: bool
    has_mdc95: bool


@dataclass(frozen=True)
class Dropouts:
    people: int | None
    silent: int | None


@dataclass(frozen=True)
class Acknowledged:
    """Of one severity: alerts, how long until somebody took one on, and how many were taken on in time."""

    severity: int
    alerts: int | None
    median: float | None
    slowest_tenth: float | None
    in_time: float | None


@dataclass(frozen=True)
class Figures:
    period: Period
    answered: list[Answered]
    adherence: list[Adherence]
    responders: list[Responders]
    dropouts: Dropouts
    acknowledged: list[Acknowledged]


def figures(clinic: Clinic, today: date) -> Figures:
    """Five statements, however many patients there are."""
    period = Period.before(today)
    return Figures(
        period,
        _answered(clinic, period),
        _adherence(clinic, period),
        _responders(clinic, period),
        _dropouts(clinic, period),
        _acknowledged(clinic, period),
    )


def _rows(query: str, *values: Any) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(query, values)
        return list(cursor.fetchall())


def _answered(clinic: Clinic, period: Period) -> list[Answered]:
    rows = _rows(
        """
        WITH counted AS (
            SELECT slot.schedule_id, count(*) AS due,
                count(*) FILTER (WHERE slot.state IN ('completed', 'late')) AS answered
            FROM people_patient AS patient
            JOIN reminders_slot AS slot ON slot.patient_id = patient.id
            WHERE patient.clinic_id = %s AND slot.local_date BETWEEN %s AND %s
                AND slot.state IN ('completed', 'late', 'declined', 'missed')
            GROUP BY slot.schedule_id
        )
        SELECT CASE schedule.asks WHEN 'instrument' THEN schedule.code ELSE '' END AS asked,
            count(DISTINCT schedule.patient_id), sum(counted.due)::int, sum(counted.answered)::int
        FROM counted JOIN reminders_schedule AS schedule ON schedule.id = counted.schedule_id
        GROUP BY asked ORDER BY asked
        """,
        clinic.pk,
        period.first,
        period.last,
    )
    titles = {each.code: each.title for each in library.newest()}
    return [
        Answered(titles.get(code, code), due, answered, 100 * answered / due)
        if people >= LEAST
        else Answered(titles.get(code, code), None, None, None)
        for code, people, due, answered in rows
    ]


def _adherence(clinic: Clinic, period: Period) -> list[Adherence]:
    """Each patient counts once in each modality of the programmes that they had: who mixes them counts in several."""
    rows = _rows(
        """
        WITH done AS (
            SELECT patient.id, avg(score.value) AS percent
            FROM people_patient AS patient
            JOIN outcomes_score AS score ON score.patient_id = patient.id AND score.measure_id = %s AND score.live
                AND score.local_day BETWEEN %s AND %s
            WHERE patient.clinic_id = %s
            GROUP BY patient.id
        ), had AS (
            SELECT DISTINCT prescription.patient_id, modality
            FROM exercises_prescription AS prescription,
                jsonb_array_elements_text(prescription.modalities) AS modality
            WHERE prescription.clinic_id = %s AND prescription.starts_on <= %s
                AND (prescription.ends_on IS NULL OR prescription.ends_on >= %s)
        )
        SELECT modality, count(*), avg(percent) FROM done JOIN had ON had.patient_id = done.id
        GROUP BY modality ORDER BY modality
        """,
        measure_ids()["adherence.day"],
        period.first,
        period.last,
        clinic.pk,
        clinic.pk,
        period.last,
        period.first,
    )
    titles = catalogue().codes["en"].modalities
    return [
        Adherence(titles.get(slug, slug), people, percent)
        if people >= LEAST
        else Adherence(titles.get(slug, slug), None, None)
        for slug, people, percent in rows
    ]


def _responders(clinic: Clinic, period: Period) -> list[Responders]:
    known = [library.measures()[code] for code in RESPONDING]
    numbers = [measure_ids()[measure.code] for measure in known]
    points, percents = [measure.mcid_abs for measure in known], [measure.mcid_pct for measure in known]
    errors = [minimal_detectable_change(measure) for measure in known]
    signs = [-1 if measure.direction == "higher-worse" else 1 for measure in known]
    rows = _rows(
        """
        SELECT measure.place, count(*),
            count(*) FILTER (WHERE gain >= coalesce(points, percents * abs(trend.baseline) / 100)),
            count(*) FILTER (WHERE gain >= errors)
        FROM unnest(%s::int[], %s::float[], %s::float[], %s::float[], %s::int[])
            WITH ORDINALITY AS measure (id, points, percents, errors, sign, place)
        JOIN outcomes_trend AS trend ON trend.measure_id = measure.id
        JOIN people_patient AS patient ON patient.id = trend.patient_id
        CROSS JOIN LATERAL (SELECT trend.change * measure.sign + 1e-9 AS gain)
        WHERE patient.clinic_id = %s AND trend.change IS NOT NULL AND trend.last_day >= %s
        GROUP BY measure.place ORDER BY measure.place
        """,
        numbers,
        points,
        percents,
        errors,
        signs,
        clinic.pk,
        period.first,
    )
    return [_responding(known[place - 1], people, mcid, error) for place, people, mcid, error in rows]


def _responding(measure: Measure, people: int, mcid: int, mdc95: int) -> Responders:
    has_mcid = measure.mcid_abs is not None or measure.mcid_pct is not None
    has_mdc95 = minimal_detectable_change(measure) is not None
    counted = [(name, count) for name, count, has in (("mcid", mcid, has_mcid), ("mdc95", mdc95, has_mdc95)) if has]
    shown = dict(zip((name for name, _ in counted), safe(people, [count for _, count in counted]), strict=True))
    return Responders(
        measure,
        people if people >= LEAST else None,
        shown.get("mcid"),
        shown.get("mdc95"),
        has_mcid=has_mcid,
        has_mdc95=has_mdc95,
    )


def _dropouts(clinic: Clinic, period: Period) -> Dropouts:
    rows = _rows(
        """
        SELECT count(*), count(*) FILTER (WHERE coalesce(summary.last_entry_day <= %s, true))
        FROM people_patient AS patient LEFT JOIN outcomes_summary AS summary ON summary.patient_id = patient.id
        WHERE patient.clinic_id = %s AND patient.status = 'active'
            AND patient.programme_started_on BETWEEN %s AND %s
        """,
        period.last - timedelta(days=SILENT_DAYS),
        clinic.pk,
        period.last - timedelta(days=365),
        period.last - timedelta(days=SILENT_DAYS),
    )
    people, silent = rows[0]
    return Dropouts(people if people >= LEAST else None, safe(people, [silent])[0])


def _acknowledged(clinic: Clinic, period: Period) -> list[Acknowledged]:
    zone = ZoneInfo(clinic.time_zone)
    begins, ends = (
        datetime(day.year, day.month, day.day, tzinfo=zone) for day in (period.first, period.last + timedelta(days=1))
    )
    rows = _rows(
        """
        SELECT alert.severity, count(DISTINCT alert.patient_id), count(*),
            percentile_cont(0.5) WITHIN GROUP (ORDER BY taken.minutes),
            percentile_cont(0.9) WITHIN GROUP (ORDER BY taken.minutes),
            avg((taken.at <= alert.due_at)::int) FILTER (WHERE alert.due_at IS NOT NULL)
        FROM outcomes_alert AS alert
        CROSS JOIN LATERAL (
            SELECT min(event.at) AS at, extract(epoch FROM min(event.at) - alert.opened_at) / 60 AS minutes
            FROM outcomes_alert_event AS event
            WHERE event.alert_id = alert.id AND event.user_id IS NOT NULL
                AND event.kind IN ('acknowledged', 'contacted', 'no-answer', 'escalated', 'resolved')
        ) AS taken
        WHERE alert.clinic_id = %s AND alert.opened_at >= %s AND alert.opened_at < %s AND alert.state <> 'review'
            AND taken.at IS NOT NULL
        GROUP BY alert.severity ORDER BY alert.severity DESC
        """,
        clinic.pk,
        begins,
        ends,
    )
    return [
        Acknowledged(
            severity,
            alerts,
            median,
            slowest if alerts >= ENOUGH_FOR_TENTH else None,
            None if in_time is None else 100 * float(in_time),
        )
        if people >= LEAST
        else Acknowledged(severity, None, None, None, None)
        for severity, people, alerts, median, slowest, in_time in rows
    ]
