"""Exercise as measures: adherence, load and MET-minutes written into the series that pain and fear live in."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from functools import cache
from typing import Any, NamedTuple
from uuid import UUID, uuid5

import numpy as np
from django.db import connection

from exercises.adherence import SETTLED, Floats, Ints, Periods, Sessions, State, monday, settle
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


class Values(NamedTuple):
    """Values as columns: the patient's place among those asked for, the measure's in MEASURES, the day's ordinal."""

    patient: Ints
    measure: Ints
    day: Ints
    value: Floats


type Key = tuple[int, str, date]  # patient, measure, local day
type Programme = tuple[int, UUID]  # patient, and the programme's id: a copied one may be another's too


def refresh(spans: Mapping[int, Span]) -> dict[Key, float]:
    """Compute these patients' measures for the weeks that `spans` touch, and write what differs from what stands.

    Gives the values of those weeks. Runs in the caller's transaction, after `next_revisions` has locked the patients.
    The number of statements does not depend on how many patients or days there are.
    """
    if not spans:
        return {}
    patients = sorted(spans)
    weeks = {
        patient: Span(
            date.fromordinal(monday(span.first.toordinal())),
            date.fromordinal(monday(span.last.toordinal()) + 6),
            span.today,
        )
        for patient, span in spans.items()
    }
    values = compute(weeks)
    _write_difference(patients, weeks, values)
    return {
        (patients[patient], MEASURES[measure].code, date.fromordinal(int(day))): float(value)
        for patient, measure, day, value in zip(*values, strict=True)
    }


def compute(spans: Mapping[int, Span]) -> Values:
    """All measures of all days of these patients, sorted. Each span begins on a Monday and ends on a Sunday."""
    patients = sorted(spans)
    first, last, today = (
        np.array([getattr(spans[patient], name).toordinal() for patient in patients], np.int64)
        for name in ("first", "last", "today")
    )
    from_day, to_day = min(span.first for span in spans.values()), max(span.last for span in spans.values())
    periods, pauses = _periods(patients, from_day, to_day)
    place = {patient: number for number, patient in enumerate(patients)}
    programmes: dict[Programme, int] = {}
    owners = []
    for patient, programme, *_ in periods:
        if (patient, programme) not in programmes:
            programmes[patient, programme] = len(programmes)
            owners.append(place[patient])
    owner = np.array(owners, np.int64)
    logged = _sessions(patients, programmes, from_day, to_day)
    prescribed = logged.programme >= 0
    days = settle(
        Periods.of(
            (programmes[patient, programme], begin.toordinal(), (end or to_day).toordinal(), weekdays)
            for patient, programme, begin, end, weekdays in periods
        ),
        Periods.of(
            (programmes[patient, programme], begin.toordinal(), (end or to_day).toordinal(), 0)
            for patient, programme, begin, end in pauses
            if (patient, programme) in programmes
        ),
        Sessions(
            logged.programme[prescribed],
            logged.day[prescribed],
            logged.share[prescribed],
            logged.going_on[prescribed] > 0,
            logged.declined[prescribed] > 0,
        ),
        from_day.toordinal(),
        today[owner],
    )
    settled = np.isin(days.state, SETTLED)
    attended = np.isin(days.state[settled], (State.DONE, State.PARTLY_DONE)).astype(np.float64)
    due_owner, due_day = owner[days.programme[settled]], days.day[settled]
    parts = [
        _percent(0, due_owner, due_day, days.share[settled]),
        _percent(1, due_owner, monday(due_day) + 6, attended),
        _sums(2, logged.patient, logged.day, logged.load),
        _sums(3, logged.patient, logged.day, logged.met_minutes),
    ]
    patient, measure, day = (np.concatenate([part[column] for part in parts]) for column in range(3))
    value = np.concatenate([part.value for part in parts])
    within = (day >= first[patient]) & (day <= last[patient])
    return Values(patient[within], measure[within], day[within], value[within])


_DAYS = 1 << 22  # more than any ordinal


def _percent(measure: int, patient: Ints, day: Ints, share: Floats) -> Values:
    """Percent of what was due, by patient and day; several programmes of one day count alike."""
    key, position = np.unique(patient * _DAYS + day, return_inverse=True)
    mean = 100 * np.bincount(position, share, len(key)) / np.bincount(position, minlength=len(key))
    return Values(key // _DAYS, np.full(len(key), measure), key % _DAYS, np.round(mean, 1))


def _sums(measure: int, patient: Ints, day: Ints, amount: Floats) -> Values:
    some = amount > 0
    key, position = np.unique(patient[some] * _DAYS + day[some], return_inverse=True)
    total = np.bincount(position, amount[some], len(key))
    return Values(key // _DAYS, np.full(len(key), measure), key % _DAYS, np.round(total, 1))


def _write_difference(patients: list[int], spans: Mapping[int, Span], values: Values) -> None:
    """Write the values that are new or other than what stands, and take out those that no longer hold."""
    ids = [measure_ids()[measure.code] for measure in MEASURES]
    standing = _standing(patients, spans, ids)
    ours, theirs = _keys(values), _keys(standing)
    _, at, there = np.intersect1d(ours, theirs, assume_unique=True, return_indices=True)
    same = np.zeros(len(ours), np.bool_)
    same[at] = values.value[at] == standing.value[there]
    gone = ~np.isin(theirs, ours)
    clinics = _clinics(patients) if (~same).any() else {}
    insert_scores(
        ScoreRow(
            patients[patient],
            ids[measure],
            date.fromordinal(day),
            _source(MEASURES[measure].code, day),
            clinics[patients[patient]],
            value,
            datetime.combine(date.fromordinal(day), time(12), UTC),
        )
        for patient, measure, day, value in zip(*(column[~same].tolist() for column in values), strict=True)
    )
    retire_scores(
        (patients[patient], ids[measure], date.fromordinal(day), _source(MEASURES[measure].code, day))
        for patient, measure, day, _ in zip(*(column[gone].tolist() for column in standing), strict=True)
    )


def _keys(values: Values) -> Ints:
    return (values.patient * len(MEASURES) + values.measure) * _DAYS + values.day


def _standing(patients: list[int], spans: Mapping[int, Span], ids: list[int]) -> Values:
    patient, measure, day, value = _columns(
        """
        SELECT {} FROM (
            SELECT patient_id, measure_id, local_day, value
            FROM outcomes_score JOIN unnest(%s::bigint[], %s::date[], %s::date[]) AS span (patient_id, first, last)
                USING (patient_id)
            WHERE measure_id = ANY(%s) AND local_day BETWEEN first AND last AND live
        ) AS row
        """,
        ("patient_id", "measure_id", _ORDINAL, "value"),
        [patients, [spans[each].first for each in patients], [spans[each].last for each in patients], ids],
    )
    order = np.argsort(ids)
    which = order[np.searchsorted(np.array(ids)[order], measure.astype(np.int64))]
    place = np.searchsorted(np.array(patients, np.int64), patient.astype(np.int64))
    return Values(place, which, day.astype(np.int64), value)


def _clinics(patients: list[int]) -> dict[int, int]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT id, clinic_id FROM people_patient WHERE id = ANY(%s)", [patients])
        return dict(cursor.fetchall())


def _periods(patients: list[int], first: date, last: date) -> tuple[list[tuple[Any, ...]], list[tuple[Any, ...]]]:
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT patient_id, programme, starts_on, ends_on, weekdays FROM exercises_prescription
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
        return periods, cursor.fetchall()


class _Logged(NamedTuple):
    """Sessions as columns: the patient's place, the programme's number (−1: none), the day's ordinal, and so on."""

    patient: Ints
    programme: Ints
    day: Ints
    share: Floats
    going_on: Floats
    declined: Floats
    load: Floats
    met_minutes: Floats


def _sessions(patients: list[int], programmes: Mapping[Programme, int], first: date, last: date) -> _Logged:
    patient, programme, day, *rest = _columns(
        """
        SELECT {} FROM exercises_session
            LEFT JOIN unnest(%s::bigint[], %s::uuid[], %s::int[]) AS known (patient_id, programme, number)
                USING (patient_id, programme)
        WHERE patient_id = ANY(%s) AND local_day BETWEEN %s AND %s AND live
        """,
        (
            *("patient_id", "coalesce(number, -1)", _ORDINAL, "share", "going_on::int", "(skipped <> '')::int"),
            *("coalesce(rpe * minutes, 0)", "met_minutes"),
        ),
        [
            [each for each, _ in programmes],
            [each for _, each in programmes],
            list(programmes.values()),
            patients,
            first,
            last,
        ],
    )
    place = np.searchsorted(np.array(patients, np.int64), patient.astype(np.int64))
    return _Logged(place, programme.astype(np.int64), day.astype(np.int64), *rest)


_ORDINAL = "local_day - DATE '0001-01-01' + 1"


def _columns(query: str, expressions: tuple[str, ...], parameters: list[Any]) -> list[Floats]:
    """The result of a query column by column, as the bytes of doubles: no Python object for each value."""
    packed = ", ".join(f"coalesce(string_agg(float8send(({each})::float8), ''), '')" for each in expressions)
    with connection.cursor() as cursor:
        cursor.execute(query.format(packed), parameters)
        return [np.frombuffer(column, ">f8").astype(np.float64) for column in cursor.fetchone()]


@cache
def _source(measure: str, ordinal: int) -> UUID:
    return uuid5(SPACE, f"{measure}:{date.fromordinal(ordinal)}")


def spans_of(days: Iterable[tuple[int, date]], today: Mapping[int, date]) -> dict[int, Span]:
    """One span for each patient from the days that were touched."""
    spans: dict[int, Span] = {}
    for patient, day in days:
        old = spans.get(patient)
        spans[patient] = Span(min(day, old.first) if old else day, max(day, old.last) if old else day, today[patient])
    return spans
