"""The trend worker: what it writes, what it leaves, and that nothing is lost."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from threading import Event, Thread
from typing import Any

import numpy as np
import pytest
from django.db import DataError, connection, transaction
from django.test.utils import CaptureQueriesContext
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pytest_django import DjangoAssertNumQueries

from backend.people.models import Patient
from outcomes import recompute
from outcomes.library import measures
from outcomes.loading import forget_measures, measure_codes, measure_ids
from outcomes.models import Baseline, Measure, Score, Summary, Trend, TrendDue
from outcomes.recompute import recompute_all, recompute_due
from outcomes.series import Series, read_entries
from outcomes.store import mark_due, retire_scores
from outcomes.trends import NEVER, arrange, compute, day_number, one_a_day
from tests.factories import a_patient
from tests.outcomes.entries import all_summaries, all_trends, on, put

NOW = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
PAIN, TSK, PHQ = "nrs-pain.total", "tsk-11.total", "phq-9.total"


def trend_of(patient: Patient, measure: str) -> Trend:
    return Trend.objects.get(patient=patient, measure__code=measure)


def someone() -> Patient:
    return a_patient(user=None)


@pytest.fixture
def patient(db: None) -> Patient:
    return someone()


def test_entries_become_a_trend_and_a_summary_and_the_mark_goes(patient: Patient) -> None:
    put(patient, PAIN, [(day, 8 if day < 21 else 3) for day in range(60)])
    assert recompute_due(NOW) == 1
    trend = trend_of(patient, PAIN)
    assert (trend.n, trend.first_day, trend.last_day, trend.last_value) == (60, on(0), on(59), 3)
    assert (trend.baseline, trend.change_label, trend.enough_data) == (8, "improved", True)
    assert trend.level == pytest.approx(3, abs=0.1)
    assert trend.change == pytest.approx(-5, abs=0.1)
    assert trend.slope_per_week is not None
    assert trend.slope_per_week <= 0
    assert trend.level_changes == [on(21)]
    assert (trend.coverage, trend.clinic_id, trend.computed_at) == (1, patient.clinic_id, NOW)
    summary = Summary.objects.get(patient=patient)
    assert (summary.pain, summary.pain_change, summary.pain_label) == (3, trend.change, "improved")
    assert (summary.last_entry_day, summary.fear, summary.fear_label) == (on(59), None, "unknown")
    assert not TrendDue.objects.exists()


def test_nothing_marked_is_nothing_done(patient: Patient, django_assert_num_queries: DjangoAssertNumQueries) -> None:
    with django_assert_num_queries(1):
        assert recompute_due(NOW) == 0


def statements(patients: list[Patient], measures: list[str], *, every: bool = False) -> int:
    for patient in patients:
        for measure in measures:
            put(patient, measure, [(day, day % 5) for day in range(30)])
    with CaptureQueriesContext(connection) as queries:
        recompute_all(NOW) if every else recompute_due(NOW)
    return len(queries)


@pytest.mark.django_db
@pytest.mark.parametrize("every", [False, True])
def test_the_number_of_statements_does_not_grow_with_the_series(every: bool) -> None:
    one = statements([someone()], [PAIN], every=every)
    many = statements([someone() for _ in range(5)], [PAIN, TSK, PHQ, "fear-daily.total"], every=every)
    assert one == many


def test_several_entries_a_day(patient: Patient) -> None:
    put(patient, PAIN, [(0, 1), (0, 9), (0, 2), (1, 4), (1, 5), (2, 6)])
    put(patient, TSK, [(0, 30), (0, 28)])
    recompute_due(NOW)
    assert trend_of(patient, PAIN).baseline == 4.5
    assert trend_of(patient, TSK).last_value == 28


def test_of_two_responses_of_the_same_moment_it_is_always_the_same_that_counts(patient: Patient) -> None:
    for values in (30, 28), (28, 30):
        for value in values:
            put(patient, TSK, [(0, value)])
    recompute_due(NOW)
    assert trend_of(patient, TSK).last_value == 30


def test_what_was_retired_counts_no_more(patient: Patient) -> None:
    sources = put(patient, TSK, [(0, 40), (14, 20)])
    recompute_due(NOW)
    assert trend_of(patient, TSK).n == 2
    retire_scores([(patient.pk, measure_ids()[TSK], on(14), sources[1])])
    recompute_due(NOW)
    assert trend_of(patient, TSK).last_value == 40
    retire_scores([(patient.pk, measure_ids()[TSK], on(0), sources[0])])
    recompute_due(NOW)
    assert not Trend.objects.exists()
    assert Summary.objects.get(patient=patient).fear is None


def test_a_measure_that_no_instrument_has_is_followed_and_not_judged(patient: Patient) -> None:
    own = Measure.objects.create(code="own-scale.knee")
    forget_measures()
    try:
        put(patient, own.code, [(day, day / 10) for day in range(90)])
        recompute_due(NOW)
    finally:
        forget_measures()
    trend = trend_of(patient, own.code)
    assert (trend.n, trend.change_label) == (84, "unknown")
    assert trend.slope_per_week == pytest.approx(0.7)


class TestBaselines:
    def test_a_baseline_is_frozen_once_the_programme_has_started(self, patient: Patient) -> None:
        put(patient, PAIN, [(day, 8) for day in range(10)])
        put(patient, TSK, [(0, 44), (9, 40)])
        recompute_due(NOW)
        assert not Baseline.objects.exists()
        Patient.objects.filter(pk=patient.pk).update(programme_started_on=on(10))
        put(patient, PAIN, [(10, 5)])
        put(patient, TSK, [(20, 30)])
        recompute_due(NOW)
        frozen = Baseline.objects.order_by("value").values_list("version", "value", "from_day", "to_day", "set_at")
        assert list(frozen) == [(1, 8, on(0), on(6), NOW), (1, 40, on(9), on(9), NOW)]
        assert trend_of(patient, TSK).change == -10

    def test_what_comes_late_does_not_move_it(self, patient: Patient) -> None:
        Patient.objects.filter(pk=patient.pk).update(programme_started_on=on(10))
        put(patient, PAIN, [(day, 8) for day in range(20)])
        recompute_due(NOW)
        put(patient, PAIN, [(day, 1) for day in range(-9, 0)])
        recompute_due(NOW)
        assert trend_of(patient, PAIN).baseline == 8

    def test_the_newest_version_counts(self, patient: Patient) -> None:
        Patient.objects.filter(pk=patient.pk).update(programme_started_on=on(10))
        put(patient, PAIN, [(day, 8) for day in range(20)])
        recompute_due(NOW)
        Baseline.objects.create(
            clinic=patient.clinic, patient=patient, measure_id=measure_ids()[PAIN], version=2, value=4,
            from_day=on(12), to_day=on(12), reason="surgery",
        )  # fmt: skip
        put(patient, PAIN, [(20, 8)])
        recompute_due(NOW)
        assert trend_of(patient, PAIN).change_label == "worsened"

    def test_a_long_history_is_read_at_both_ends(self, patient: Patient) -> None:
        Patient.objects.filter(pk=patient.pk).update(programme_started_on=on(400))
        put(patient, TSK, [(0, 44), (100, 43), (390, 42), *((400 + 7 * week, 20) for week in range(20))])
        put(patient, PAIN, [(day, 8) for day in range(7)] + [(day, 2) for day in range(300, 600)])
        recompute_due(NOW)
        assert trend_of(patient, TSK).baseline == 42
        assert (trend_of(patient, PAIN).baseline, trend_of(patient, PAIN).n) == (8, 84)


class TestSummaries:
    def test_the_best_measure_of_its_kind_is_shown(self, patient: Patient) -> None:
        put(patient, "fear-daily.total", [(30, 9)])
        put(patient, TSK, [(0, 40), (28, 30)])
        put(patient, "phq-8.total", [(28, 7)])
        recompute_due(NOW)
        summary = Summary.objects.get(patient=patient)
        assert (summary.fear, summary.fear_change, summary.fear_label) == (30, -10, "improved")
        assert (summary.depression, summary.depression_label) == (7, "unknown")

    def test_one_that_has_been_silent_for_12_weeks_gives_way(self, patient: Patient) -> None:
        put(patient, TSK, [(0, 40)])
        put(patient, "fear-daily.total", [(84, 9)])
        recompute_due(NOW)
        assert Summary.objects.get(patient=patient).fear == 9

    def test_what_nobody_entered_is_no_sign_of_life(self, patient: Patient) -> None:
        put(patient, PAIN, [(0, 5)])
        put(patient, "adherence.day", [(0, 100), (9, 0)])
        recompute_due(NOW)
        summary = Summary.objects.get(patient=patient)
        assert (summary.adherence is not None, summary.last_entry_day) == (True, on(0))

    def test_adherence_is_told_by_its_level_as_a_day_is_all_or_nothing(self, patient: Patient) -> None:
        put(patient, "adherence.day", [(day, 100 if day % 4 else 0) for day in range(0, 40, 2)])
        recompute_due(NOW)
        told = Summary.objects.get(patient=patient).adherence
        assert told == trend_of(patient, "adherence.day").level
        assert told == pytest.approx(50, abs=20)

    def test_the_row_is_found_again_after_other_measures_came(self, patient: Patient) -> None:
        put(patient, TSK, [(0, 40)])
        recompute_due(NOW)
        put(patient, PAIN, [(1, 5)])
        recompute_due(NOW)
        summary = Summary.objects.get(patient=patient)
        assert (summary.fear, summary.pain, summary.last_entry_day) == (40, 5, on(1))


def test_one_patient_that_fails_does_not_hold_up_the_others(
    db: None, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    good, bad, other = someone(), someone(), someone()
    for patient in (good, bad, other):
        put(patient, PAIN, [(0, 5)])

    def read(wanted: Sequence[Series]) -> Any:
        if any(series.patient_id == bad.pk for series in wanted):
            raise DataError("5 is no number")
        return read_entries(wanted)

    monkeypatch.setattr(recompute, "read_entries", read)
    assert recompute_due(NOW) == 2
    assert set(Trend.objects.values_list("patient_id", flat=True)) == {good.pk, other.pk}
    assert TrendDue.objects.get().patient == bad
    assert caplog.messages == [f"trends of patient {bad.pk} failed: DataError"] * 2


# Together with intake and other workers: real transactions.


@contextmanager
def another_worker(*, holding: Patient) -> Iterator[None]:
    """A worker in a transaction of its own that has this patient in hand."""
    begun, end = Event(), Event()

    def work() -> None:
        try:
            with transaction.atomic():
                recompute._hold([holding.pk], wait=True)
                begun.set()
                end.wait(20)
        finally:
            connection.close()

    thread = Thread(target=work)
    thread.start()
    try:
        assert begun.wait(20)
        yield
    finally:
        end.set()
        thread.join(20)


def elsewhere(work: Callable[[], object]) -> None:
    """Run it to its end in another connection."""

    def run() -> None:
        try:
            work()
        finally:
            connection.close()

    thread = Thread(target=run)
    thread.start()
    thread.join(20)
    assert not thread.is_alive()


@pytest.mark.django_db(transaction=True)
def test_two_workers_never_do_the_same() -> None:
    busy, free = someone(), someone()
    for patient in (busy, free):
        put(patient, PAIN, [(0, 5)])
    recompute_due(NOW)
    for patient in (busy, free):
        put(patient, PAIN, [(1, 6)])
    with another_worker(holding=busy):
        assert recompute_due(NOW) == 1
        assert TrendDue.objects.get().patient == busy
        assert trend_of(free, PAIN).n == 2
    assert recompute_due(NOW) == 1


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("line", ["find_series", "read_entries", "_write_trends", "write_summaries", "_remove_marks"])
def test_an_entry_that_comes_while_the_worker_is_at_it_is_not_lost(line: str, monkeypatch: pytest.MonkeyPatch) -> None:
    patient = someone()
    put(patient, PAIN, [(0, 5)])
    original = getattr(recompute, line)
    came: list[bool] = []

    def meanwhile(*args: Any, **options: Any) -> Any:
        if not came:
            came.append(True)
            elsewhere(lambda: put(patient, PAIN, [(1, 7)]))
        return original(*args, **options)

    monkeypatch.setattr(recompute, line, meanwhile)
    recompute_due(NOW)
    assert came
    assert trend_of(patient, PAIN).last_value == 7
    assert not TrendDue.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_an_intake_under_way_is_not_waited_for_and_its_mark_stays() -> None:
    patient = someone()
    put(patient, PAIN, [(0, 5)])
    begun, end = Event(), Event()

    def slow_intake() -> None:
        try:
            with transaction.atomic():
                put(patient, PAIN, [(1, 7)])
                begun.set()
                end.wait(20)
        finally:
            connection.close()

    thread = Thread(target=slow_intake)
    thread.start()
    try:
        assert begun.wait(20)
        with connection.cursor() as cursor:
            cursor.execute("SET lock_timeout = '3s'")
        assert recompute._sweep(every=False, now=NOW) == 1
        assert trend_of(patient, PAIN).last_value == 5
    finally:
        with connection.cursor() as cursor:
            cursor.execute("RESET lock_timeout")
        end.set()
        thread.join(20)
    assert TrendDue.objects.get().marked == 2
    assert recompute_due(NOW) == 1
    assert trend_of(patient, PAIN).last_value == 7


# Incremental and full agree.

SERIES = [PAIN, TSK, "fear-daily.total"]
values = st.lists(
    st.tuples(st.integers(0, 200), st.integers(0, 40).map(lambda half: half / 2)), min_size=1, max_size=20
)
events = st.lists(
    st.one_of(
        st.tuples(st.just("enter"), st.integers(0, 1), st.sampled_from(SERIES), values),
        st.tuples(st.just("retire"), st.integers(0, 1), st.integers(0, 100), st.none()),
        st.tuples(st.just("start"), st.integers(0, 1), st.integers(0, 200), st.none()),
        st.tuples(st.just("work"), st.none(), st.none(), st.none()),
    ),
    max_size=12,
)


SAID = ("n", "last_value", "baseline", "level", "slope_low", "p_value", "change_label", "level_changes", "coverage")


def from_all_entries() -> list[dict[str, Any]]:
    """The trends of all series, worked out from all entries that there are."""
    scores = (
        Score.objects.filter(live=True)
        .order_by("at", "value")
        .values_list("patient_id", "measure_id", "local_day", "value")
    )
    keys = sorted({(patient, measure) for patient, measure, _, _ in scores})
    kinds = [measures()[measure_codes()[measure]] for _, measure in keys]
    starts = dict(Patient.objects.values_list("pk", "programme_started_on"))
    baselines = {(b.patient_id, b.measure_id): b for b in Baseline.objects.all()}
    frozen = [baselines.get(key) for key in keys]
    entries = arrange(
        (keys.index((patient, measure)) for patient, measure, _, _ in scores),
        (day_number(day) for _, _, day, _ in scores),
        (value for *_, value in scores),
    )
    columns = compute(
        *one_a_day(*entries, np.array([kind.kind == "daily" for kind in kinds], np.bool_)),
        kinds,
        np.arange(len(keys)),
        np.array([day_number(start) if (start := starts[patient]) else NEVER for patient, _ in keys], np.int64),
        frozen=(
            np.array([b.value if b else np.nan for b in frozen], np.float64),
            np.array([day_number(b.from_day) if b else 0 for b in frozen], np.int64),
            np.array([day_number(b.to_day) if b else 0 for b in frozen], np.int64),
        ),
    ).columns()
    return [dict(zip(SAID, row, strict=True)) for row in zip(*(columns[name] for name in SAID), strict=True)]


@pytest.mark.django_db
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(happened=events)
def test_any_way_there_agrees_with_a_full_pass(patient: Patient, happened: list[tuple[str, Any, Any, Any]]) -> None:
    with transaction.atomic():
        patients = [patient, someone()]
        for what, who, which, values in happened:
            if what == "enter":
                put(patients[who], which, values)
            elif what == "retire":
                standing = list(Score.objects.filter(patient=patients[who]).order_by("pk").values_list("pk", flat=True))
                retire_scores(standing[which : which + 1])
            elif what == "start":
                Patient.objects.filter(pk=patients[who].pk).update(programme_started_on=on(which))
                mark_due(
                    Trend.objects.filter(patient=patients[who]).values_list("patient_id", "measure_id", "clinic_id")
                )
            else:
                recompute_due(NOW)
        recompute_due(NOW)
        incremental = all_trends(), all_summaries()
        # Who has no trend keeps the summary that they came with.
        Summary.objects.filter(patient__in=list(Trend.objects.values_list("patient", flat=True))).delete()
        Trend.objects.all().delete()
        recompute_all(NOW)
        assert (all_trends(), all_summaries()) == incremental
        assert [{name: row[name] for name in SAID} for row in incremental[0]] == from_all_entries()
        transaction.set_rollback(True)
