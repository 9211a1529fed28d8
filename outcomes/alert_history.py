"""What the rules need to know of the past: recent scores and baselines of many patients, in one statement."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import date, timedelta

import msgspec
from django.db import connection

from outcomes.alert_decisions import DECISIONS, History, decide
from outcomes.alert_rules import RULES, Rule
from outcomes.clinic_rules import STANDING, rules_as_set
from outcomes.loading import measure_ids
from outcomes.store import columns

REACH = {
    measure: timedelta(days=max(rule.reach_days for rule in RULES if measure in rule.measures))
    for rule in RULES
    if rule.kind in DECISIONS
    for measure in rule.measures
}
"""The measures that rules read, and how far back the furthest of them looks."""


class Case(msgspec.Struct, frozen=True):
    """A stored answer that may set off rules: whose, about which day, and the measures that it has values of."""

    patient_id: int
    clinic_id: int
    day: date
    measures: Sequence[str]


def decide_cases(cases: Sequence[Case]) -> list[list[Rule]]:
    """For each case the rules that it sets off together with what came before it, most urgent first.

    One statement however many cases; none where no rule reads what they measure.
    """
    spans: dict[tuple[int, str], tuple[date, date]] = {}
    for case in cases:
        for measure in case.measures:
            if measure in REACH:
                first, last = spans.get((case.patient_id, measure), (case.day, case.day))
                spans[case.patient_id, measure] = min(first, case.day), max(last, case.day)
    if not spans:
        return [[] for _ in cases]
    clinics = {case.clinic_id for case in cases}
    rules, histories = _read(clinics, {key: (first - REACH[key[1]], last) for key, (first, last) in spans.items()})
    return [_decide(case, rules[case.clinic_id], histories) for case in cases]


def _decide(case: Case, rules: Mapping[str, Rule], histories: Mapping[tuple[int, str], History]) -> list[Rule]:
    known = {
        measure: history.until(case.day)
        for measure in case.measures
        if (history := histories.get((case.patient_id, measure)))
    }
    # A day whose only value has meanwhile been withdrawn sets off nothing.
    newest = {measure: history for measure, history in known.items() if history.days and history.days[-1] == case.day}
    return decide(rules.values(), newest)


def read_histories(spans: Mapping[tuple[int, str], tuple[date, date]]) -> dict[tuple[int, str], History]:
    """By patient and measure, what the series holds from the first to the last day, with the baseline. One statement.

    The baseline is the newest frozen one; until there is one, that of the trend.
    """
    return _read((), spans)[1]


def _read(
    clinics: Collection[int], spans: Mapping[tuple[int, str], tuple[date, date]]
) -> tuple[dict[int, dict[str, Rule]], dict[tuple[int, str], History]]:
    """What these clinics have set, and `read_histories`, in one statement."""
    keys = [key for key in sorted(spans) if key[1] in measure_ids()]
    names = {measure_ids()[measure]: measure for _, measure in keys}
    # LIMIT cuts nothing off. To the planner a limit that it doesn't know yet means few rows, so that one plan serves
    # all calls; else it made a plan for each answer, which took six times as long as to run it.
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            SELECT ({STANDING})::text, wanted.patient_id, wanted.measure_id, coalesce(
                (SELECT value FROM outcomes_baseline AS own
                 WHERE own.patient_id = wanted.patient_id AND own.measure_id = wanted.measure_id
                 ORDER BY version DESC LIMIT 1),
                (SELECT baseline FROM outcomes_trend AS own
                 WHERE own.patient_id = wanted.patient_id AND own.measure_id = wanted.measure_id)
            ), entry.days, entry.values
            FROM (
                SELECT * FROM unnest(%s::bigint[], %s::smallint[], %s::date[], %s::date[])
                    AS wanted (patient_id, measure_id, first, last)
                LIMIT %s
            ) AS wanted
            CROSS JOIN LATERAL (
                SELECT array_agg(local_day ORDER BY local_day) AS days, array_agg(value ORDER BY local_day) AS values
                FROM outcomes_score AS score
                WHERE score.patient_id = wanted.patient_id AND score.measure_id = wanted.measure_id AND live
                    AND local_day BETWEEN wanted.first AND wanted.last
            ) AS entry
            """,  # noqa: S608  ours
            [
                *columns([(clinic,) for clinic in clinics], 1),
                *columns([(key[0], measure_ids()[key[1]], *spans[key]) for key in keys], 4),
                len(keys),
            ],
        )
        rows = cursor.fetchall()
    return rules_as_set(clinics, rows[0][0] if rows else None), {
        (patient, names[measure]): History.of(zip(days or (), values or (), strict=True), baseline)
        for _, patient, measure, baseline, days, values in rows
    }
