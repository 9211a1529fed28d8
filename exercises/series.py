"""Exercise as measures: adherence, load and MET-minutes written into the series that pain and fear live in."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from typing import Any
from uuid import UUID, uuid5

import numpy as np
from django.db import connection

from exercises.adherence import SETTLED, Floats, Ints, Periods, Sessions, State, settle
from outcomes.library import Measure
from outcomes.loading import measure_ids
from outcomes.store import ScoreRow, insert_scores, retire_scores

# Adherence in percent, with the thresholds of none: no study says which change of it matters.
MEASURES = (
    Measure("adherence.day", "Exercise: dose done of dose due", "daily", "higher-better", 0, 100),
    Measure("adherence.week", "Exercise: sessions done of sessions due", "daily", "higher-better", 0, 100),
    Measure("session.load", "Exercise: effort × minutes", "daily", "none", 0, 14_400),
    Measure("activity.met-minutes", "Exercise: MET-minutes", "daily", "higher-better", 0, 20_000),
)
SPACE = UUID("6f2b8c4e-0f0d-5b53-9f0a-6a1f0f3f6b11")  # of the sources of values that are computed over a day


@dataclass(frozen=True, slots=True)
class Span:
    """The days of a patient that may have changed, and the day that it is now where the patient is."""

    first: date
    last: date
    today: date


type Rows = list[tuple[Any, ...]]
Key = tuple[int, str, date]  # patient, measure, local day


def refresh(spans: Mapping[int, Span]) -> dict[Key, float]:
    """Compute these patients' measures for the weeks that `spans` touch, and write what differs from what stands.

    Gives the values of those weeks. Runs in the caller's transaction, after `next_revisions` has locked the patients.
    The number of statements does not depend on how many patients or days there are.
    """
    if not spans:
        return {}
    whole = {
        patient: Span(_monday(span.first), _monday(span.last) + timedelta(days=6), span.today)
        for patient, span in spans.items()
    }
    clinics, values = _values(whole)
    _write_difference(whole, clinics, values)
    return values


def _values(spans: Mapping[int, Span]) -> tuple[dict[int, int], dict[Key, float]]:
    from_day = min(span.first for span in spans.values())
    to_day = max(span.last for span in spans.values())
    patients = sorted(spans)
    periods, pauses, sessions = _read(patients, from_day, to_day)
    numbers: dict[tuple[int, UUID], int] = {}
    for patient, _, programme, *_ in periods:
        numbers.setdefault((patient, programme), len(numbers))
    owners = np.array([patient for patient, _ in numbers], np.int64)
    today = np.array([spans[patient].today.toordinal() for patient, _ in numbers], np.int64)
    days = settle(
        Periods.of(
            (numbers[patient, programme], first.toordinal(), _ordinal(last, to_day), weekdays)
            for patient, _, programme, first, last, weekdays in periods
        ),
        Periods.of(
            (numbers[patient, programme], first.toordinal(), _ordinal(last, to_day), 0)
            for patient, programme, first, last in pauses
            if (patient, programme) in numbers
        ),
        Sessions.of(
            (numbers[patient, programme], day.toordinal(), share, going_on, skipped != "")
            for patient, _, programme, day, share, going_on, skipped, _, _ in sessions
            if (patient, programme) in numbers
        ),
        from_day.toordinal(),
        today,
    )
    settled = np.isin(days.state, SETTLED)
    attended = np.isin(days.state[settled], (State.DONE, State.PARTLY_DONE))
    owner, day = owners[days.programme[settled]], days.day[settled]
    values = _means("adherence.day", owner, day, days.share[settled])
    values |= _means("adherence.week", owner, day - (day - 1) % 7 + 6, attended.astype(np.float64))
    for patient, _, _, local_day, _, _, _, load, met_minutes in sessions:
        for measure, amount in (("session.load", load), ("activity.met-minutes", met_minutes)):
            if amount:
                values[patient, measure, local_day] = values.get((patient, measure, local_day), 0.0) + amount
    clinics = {row[0]: row[1] for row in (*periods, *sessions)}
    wanted = {key: value for key, value in values.items() if spans[key[0]].first <= key[2] <= spans[key[0]].last}
    return clinics, wanted


def _means(measure: str, owner: Ints, day: Ints, share: Floats) -> dict[Key, float]:
    """Percent of what was due, by patient and day; several programmes of one day count alike."""
    keys, position = np.unique(np.stack([owner, day]), axis=1, return_inverse=True)
    mean = 100 * np.bincount(position, share, keys.shape[1]) / np.bincount(position, minlength=keys.shape[1])
    return {
        (int(patient), measure, date.fromordinal(int(ordinal))): round(float(value), 1)
        for patient, ordinal, value in zip(*keys, mean, strict=True)
    }


def _write_difference(spans: Mapping[int, Span], clinics: Mapping[int, int], values: Mapping[Key, float]) -> None:
    """Write the values that are new or other than what stands, and take out those that no longer hold."""
    ids = measure_ids()
    names = {ids[measure.code]: measure.code for measure in MEASURES}
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT patient_id, measure_id, local_day, value
            FROM outcomes_score JOIN unnest(%s::bigint[], %s::date[], %s::date[]) AS span (patient_id, first, last)
                USING (patient_id)
            WHERE measure_id = ANY(%s) AND local_day BETWEEN first AND last AND live
            """,
            [
                list(spans),
                [span.first for span in spans.values()],
                [span.last for span in spans.values()],
                list(names),
            ],
        )
        standing: dict[Key, float] = {
            (patient, names[measure], day): value for patient, measure, day, value in cursor.fetchall()
        }
    insert_scores(
        ScoreRow(patient, ids[measure], day, _source(measure, day), clinics[patient], value, _noon(day))
        for (patient, measure, day), value in values.items()
        if standing.get((patient, measure, day)) != value
    )
    retire_scores(
        (patient, ids[measure], day, _source(measure, day)) for patient, measure, day in standing.keys() - values.keys()
    )


def _read(patients: list[int], first: date, last: date) -> tuple[Rows, Rows, Rows]:
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT patient_id, clinic_id, programme, starts_on, ends_on, weekdays FROM exercises_prescription
            WHERE patient_id = ANY(%s) AND starts_on <= %s AND (ends_on IS NULL OR ends_on >= %s)
            """,
            [patients, last, first],
        )
        periods = cursor.fetchall()
        cursor.execute(
            """
            SELECT patient_id, programme, from_day, to_day FROM exercises_pause
            WHERE patient_id = ANY(%s) AND from_day <= %s AND (to_day IS NULL OR to_day >= %s)
            """,
            [patients, last, first],
        )
        pauses = cursor.fetchall()
        cursor.execute(
            """
            SELECT patient_id, clinic_id, programme, local_day, share, going_on, skipped,
                coalesce(rpe * minutes, 0), met_minutes
            FROM exercises_session WHERE patient_id = ANY(%s) AND local_day BETWEEN %s AND %s AND live
            """,
            [patients, first, last],
        )
        return periods, pauses, cursor.fetchall()


@cache
def _source(measure: str, day: date) -> UUID:
    return uuid5(SPACE, f"{measure}:{day}")


def _ordinal(day: date | None, otherwise: date) -> int:
    return (day or otherwise).toordinal()


def _monday(day: date) -> date:
    return day - timedelta(days=day.weekday())


def _noon(day: date) -> datetime:
    return datetime.combine(day, time(12), UTC)


def spans_of(days: Iterable[tuple[int, date]], today: Mapping[int, date]) -> dict[int, Span]:
    """One span for each patient from the days that were touched."""
    spans: dict[int, Span] = {}
    for patient, day in days:
        old = spans.get(patient)
        spans[patient] = Span(min(day, old.first) if old else day, max(day, old.last) if old else day, today[patient])
    return spans
