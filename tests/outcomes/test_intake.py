"""The way of a response into the record."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext
from uuid_utils.compat import uuid7

from backend.people.models import Patient
from backend.people.writes import Door, next_revisions
from backend.rest.verdicts import FieldError, Verdict
from outcomes.intake import (
    Draft,
    ResponseItem,
    WithdrawalItem,
    examine,
    local_day,
    store_responses,
    store_withdrawals,
)
from outcomes.models import Alert, AlertEvent, Response, Score, TrendDue
from tests.factories import a_patient

NOW = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
PHQ_9 = {"1": 2, "2": 1, "3": 2, "4": 2, "5": 1, "6": 1, "7": 2, "8": 1, "9": 0}


def a_response(**fields: Any) -> ResponseItem:
    given: dict[str, Any] = {
        "id": uuid7(),
        "instrument": "phq-9",
        "version": "1",
        "authored_at": NOW - timedelta(hours=1),
        "time_zone": "Europe/Zurich",
        "answers": PHQ_9,
    }
    return ResponseItem(**given | fields)


def take_in(
    patient: Patient, items: Sequence[ResponseItem], origin: str = "phone", now: datetime = NOW
) -> list[Verdict]:
    drafts = []
    for item in items:
        draft = examine(item, patient.pk, patient.clinic_id, now)
        assert isinstance(draft, Draft), draft
        drafts.append(draft)
    with transaction.atomic():
        return store_responses(drafts, Door(origin=origin, received_at=now), next_revisions([patient.pk]))


def errors_of(**fields: Any) -> list[tuple[str, str]]:
    found = examine(a_response(**fields), 1, 1, NOW)
    assert isinstance(found, list)
    assert all(isinstance(error, FieldError) for error in found)
    return [(error.field, error.code) for error in found]


class TestExamining:
    def test_an_unknown_instrument_is_named(self) -> None:
        assert errors_of(instrument="phq-99") == [("instrument", "unknown_instrument")]

    def test_a_version_that_was_never_published_is_named(self) -> None:
        assert errors_of(version="17") == [("version", "unknown_version")]

    def test_each_wrong_answer_is_named(self) -> None:
        assert errors_of(answers={"1": 4, "2": "two", "10": 1}) == [
            ("answers.1", "out_of_range"),
            ("answers.2", "wrong_type"),
            ("answers.10", "unknown_item"),
        ]

    def test_more_than_a_day_ahead_is_refused_and_less_is_not(self) -> None:
        assert errors_of(authored_at=NOW + timedelta(hours=24, seconds=1)) == [("authored_at", "in_the_future")]
        assert isinstance(examine(a_response(authored_at=NOW + timedelta(hours=24)), 1, 1, NOW), Draft)

    def test_a_date_in_1890_is_refused(self) -> None:
        assert errors_of(authored_at=datetime(1890, 1, 1, tzinfo=UTC)) == [("authored_at", "too_long_ago")]

    def test_a_zone_must_have_a_known_name(self) -> None:
        assert errors_of(time_zone="Europe/Atlantis") == [("time_zone", "unknown_time_zone")]

    def test_nothing_answered_is_no_reason_to_refuse(self) -> None:
        draft = examine(a_response(answers={}), 1, 1, NOW)
        assert isinstance(draft, Draft)
        assert draft.scored.status == "incomplete"

    def test_a_response_cannot_replace_itself(self) -> None:
        same = uuid7()
        assert errors_of(id=same, replaces=same) == [("replaces", "replaces_itself")]


@pytest.mark.parametrize(
    ("wall_clock", "daily", "day"),
    [
        ("2026-11-22T03:59:00+01:00", True, date(2026, 11, 21)),
        ("2026-11-22T04:00:00+01:00", True, date(2026, 11, 22)),
        ("2026-11-22T00:30:00+01:00", False, date(2026, 11, 22)),
        ("2026-11-21T23:30:00-08:00", False, date(2026, 11, 21)),
    ],
)
def test_the_local_day_is_the_patients_and_turns_at_four_for_diaries(wall_clock: str, daily: bool, day: date) -> None:
    assert local_day(datetime.fromisoformat(wall_clock), daily=daily) == day


@pytest.mark.django_db
class TestStoring:
    def test_a_response_is_stored_scored_and_its_trend_marked(self) -> None:
        patient = a_patient()
        item = a_response()
        (verdict,) = take_in(patient, [item])
        assert (verdict.status, verdict.complete, verdict.scores) == ("stored", True, {"phq-9.total": 12})
        row = Response.objects.get(patient=patient, id=item.id)
        assert row.answers == PHQ_9
        assert (row.authored_at, row.received_at) == (NOW - timedelta(hours=1), NOW)
        assert row.rev == 1
        score = Score.objects.get(patient=patient)
        assert (score.value, score.source, score.live) == (12, item.id, True)
        assert TrendDue.objects.get(patient=patient).measure_id == score.measure_id

    def test_the_same_again_changes_nothing(self) -> None:
        patient = a_patient()
        item = a_response()
        first = take_in(patient, [item])
        due = TrendDue.objects.get(patient=patient).marked
        again = take_in(patient, [item])
        assert [verdict.status for verdict in (*first, *again)] == ["stored", "duplicate"]
        assert first[0].scores == again[0].scores
        assert Score.objects.filter(patient=patient).count() == 1
        assert TrendDue.objects.get(patient=patient).marked == due

    def test_the_same_twice_in_one_batch_is_stored_once(self) -> None:
        item = a_response()
        verdicts = take_in(a_patient(), [item, item])
        assert [verdict.status for verdict in verdicts] == ["stored", "duplicate"]

    def test_other_content_under_the_same_id_is_a_conflict_and_the_first_stays(self) -> None:
        patient = a_patient()
        item = a_response()
        take_in(patient, [item])
        (verdict,) = take_in(patient, [a_response(id=item.id, answers={**PHQ_9, "1": 0})])
        assert verdict.status == "conflict"
        assert Response.objects.get(patient=patient).answers == PHQ_9
        assert Score.objects.get(patient=patient).value == 12

    def test_one_that_is_stored_already_is_told_from_new_ones_beside_it(self) -> None:
        patient = a_patient()
        stored, new = a_response(), a_response(authored_at=NOW - timedelta(days=1))
        take_in(patient, [stored])
        other = a_response(id=stored.id, answers={**PHQ_9, "1": 0})
        verdicts = take_in(patient, [other, new, stored, new])
        assert [verdict.status for verdict in verdicts] == ["conflict", "stored", "duplicate", "duplicate"]
        assert list(Score.objects.filter(patient=patient).order_by("at").values_list("source", "value")) == [
            (new.id, 12),
            (stored.id, 12),
        ]

    def test_a_refused_correction_does_not_stand_in_the_way_of_what_comes_under_its_id(self) -> None:
        refused = a_response(replaces=uuid7())
        verdicts = take_in(a_patient(), [refused, a_response(id=refused.id), refused])
        assert [verdict.status for verdict in verdicts] == ["rejected", "stored", "conflict"]

    def test_a_correction_that_comes_again_is_a_duplicate_though_what_it_corrects_is_gone(self) -> None:
        patient = a_patient()
        first = a_response()
        second = a_response(replaces=first.id)
        take_in(patient, [first, second])
        assert [verdict.status for verdict in take_in(patient, [first, second])] == ["duplicate", "duplicate"]

    def test_two_patients_may_send_the_same_id(self) -> None:
        one, other = a_patient(), a_patient()
        item = a_response()
        assert take_in(one, [item])[0].status == "stored"
        assert take_in(other, [item])[0].status == "stored"

    def test_a_correction_takes_the_place_of_the_first(self) -> None:
        patient = a_patient()
        first = a_response()
        take_in(patient, [first])
        second = a_response(replaces=first.id, answers={**PHQ_9, "1": 0})
        assert take_in(patient, [second])[0].status == "stored"
        old = Response.objects.get(patient=patient, id=first.id)
        assert (old.live, old.replaced_by, old.rev) == (False, second.id, 2)
        assert list(Score.objects.filter(patient=patient, live=True).values_list("value", flat=True)) == [10]

    def test_a_correction_may_come_in_the_batch_of_what_it_corrects(self) -> None:
        patient = a_patient()
        first = a_response()
        second = a_response(replaces=first.id)
        third = a_response(replaces=first.id)
        verdicts = take_in(patient, [first, second, third])
        assert [verdict.status for verdict in verdicts] == ["stored", "stored", "rejected"]
        assert verdicts[2].errors[0].code == "not_live"

    def test_a_correction_of_another_patients_response_is_refused(self) -> None:
        item = a_response()
        take_in(a_patient(), [item])
        (verdict,) = take_in(a_patient(), [a_response(replaces=item.id)])
        assert [(error.field, error.code) for error in verdict.errors] == [("replaces", "unknown_response")]

    def test_a_correction_is_of_the_same_instrument(self) -> None:
        patient = a_patient()
        item = a_response()
        take_in(patient, [item])
        (verdict,) = take_in(patient, [a_response(replaces=item.id, instrument="phq-2", answers={"1": 1, "2": 1})])
        assert verdict.errors[0].code == "other_instrument"

    @pytest.mark.parametrize("answers", [PHQ_9, {**PHQ_9, "9": 1}])
    def test_five_hundred_cost_as_many_statements_as_one(self, answers: dict[str, int]) -> None:
        def statements(number: int) -> int:
            patient = a_patient()
            items = [a_response(answers=answers, authored_at=NOW - timedelta(days=day)) for day in range(number)]
            with CaptureQueriesContext(
                connection,
            ) as queries:
                take_in(patient, items)
            return len(queries)

        statements(1)  # fills the caches of numbers
        assert statements(1) == statements(500)


@pytest.mark.django_db
@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE outcomes_response SET answers = '{}'",
        "UPDATE outcomes_response SET authored_at = now()",
        "DELETE FROM outcomes_response",
        "UPDATE outcomes_alert_event SET note = 'x'",
        "DELETE FROM outcomes_alert_event",
    ],
)
def test_the_database_refuses_to_change_what_was_answered_and_what_was_done(statement: str) -> None:
    take_in(a_patient(), [a_response(answers={"9": 1})])
    with pytest.raises(IntegrityError, match="append-only"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)


@pytest.mark.django_db
class TestWithdrawing:
    def withdraw(self, patient: Patient, response: UUID) -> Verdict:
        item = WithdrawalItem(id=uuid7(), response=response, authored_at=NOW, reason="by mistake")
        with transaction.atomic():
            door = Door(origin="phone", received_at=NOW, user_id=patient.user_id)
            return store_withdrawals([item], patient.pk, door, next_revisions([patient.pk]))[0]

    def test_a_withdrawn_answer_stays_on_record_and_counts_no_more(self) -> None:
        patient = a_patient()
        item = a_response()
        take_in(patient, [item])
        assert self.withdraw(patient, item.id).status == "stored"
        row = Response.objects.get(patient=patient)
        assert (row.live, row.withdrawn_at, row.withdrawn_by_id) == (False, NOW, patient.user_id)
        assert row.withdrawn_reason == "by mistake"
        assert not Score.objects.filter(patient=patient, live=True).exists()
        assert TrendDue.objects.get(patient=patient).marked == 2

    def test_withdrawing_twice_changes_nothing(self) -> None:
        patient = a_patient()
        item = a_response()
        take_in(patient, [item])
        assert [self.withdraw(patient, item.id).status for _ in range(2)] == ["stored", "duplicate"]

    def test_another_patients_answer_cannot_be_withdrawn(self) -> None:
        item = a_response()
        take_in(a_patient(), [item])
        verdict = self.withdraw(a_patient(), item.id)
        assert verdict.errors[0].code == "unknown_response"


@pytest.mark.django_db
class TestRedFlags:
    def test_item_9_raises_its_alert_with_the_answer_whatever_the_total(self) -> None:
        patient = a_patient()
        item = a_response(answers={"1": 1, "2": 1, "3": 0, "4": 0, "5": 0, "6": 0, "7": 0, "8": 0, "9": 1})
        (verdict,) = take_in(patient, [item])
        alert = Alert.objects.get(patient=patient, rule="SUI-1")
        assert (alert.rule, alert.severity, alert.state) == ("SUI-1", Alert.Severity.CRITICAL, "open")
        assert alert.due_at == NOW + timedelta(hours=1)
        assert verdict.safety == ["crisis"]

    def test_a_form_abandoned_after_item_9_raises_it_too(self) -> None:
        patient = a_patient()
        (verdict,) = take_in(patient, [a_response(answers={"9": 2})])
        assert verdict.complete is False
        assert Alert.objects.get(patient=patient).rule == "SUI-1"

    def test_item_9_left_out_raises_its_own(self) -> None:
        patient = a_patient()
        answers = {item: value for item, value in PHQ_9.items() if item != "9"}
        (verdict,) = take_in(patient, [a_response(answers=answers)])
        assert Alert.objects.filter(patient=patient, rule="SUI-2").exists()
        assert verdict.safety == ["support"]

    @pytest.mark.parametrize(("total_answers", "raised"), [({"1": 2}, True), ({"1": 1}, False)])
    def test_severe_depression_is_twenty_or_more(self, total_answers: dict[str, int], raised: bool) -> None:
        patient = a_patient()
        answers = {str(item): 3 for item in range(2, 8)} | {"8": 0, "9": 0} | total_answers
        take_in(patient, [a_response(answers=answers)])
        assert Alert.objects.filter(patient=patient, rule="DEP-1").exists() is raised

    def test_what_was_offline_for_days_still_alerts_and_is_labelled_late(self) -> None:
        patient = a_patient()
        take_in(patient, [a_response(answers={**PHQ_9, "9": 1}, authored_at=NOW - timedelta(hours=49))])
        assert Alert.objects.get(patient=patient, rule="SUI-1").late

    def test_a_repeat_adds_to_the_open_alert(self) -> None:
        patient = a_patient()
        for _ in range(2):
            take_in(patient, [a_response(answers={**PHQ_9, "9": 1})])
        alert = Alert.objects.get(patient=patient, rule="SUI-1")
        kinds = AlertEvent.objects.filter(alert=alert).order_by("id").values_list("kind", flat=True)
        assert list(kinds) == ["raised", "repeated"]

    def test_a_repeat_after_acknowledgement_opens_it_again_with_a_new_clock(self) -> None:
        patient = a_patient()
        take_in(patient, [a_response(answers={**PHQ_9, "9": 1})])
        Alert.objects.filter(patient=patient).update(state="acknowledged")
        later = NOW + timedelta(hours=5)
        take_in(patient, [a_response(answers={**PHQ_9, "9": 1})], now=later)
        alert = Alert.objects.get(patient=patient, rule="SUI-1")
        assert (alert.state, alert.due_at) == ("open", later + timedelta(hours=1))

    def test_after_resolution_a_new_alert_is_opened(self) -> None:
        patient = a_patient()
        take_in(patient, [a_response(answers={**PHQ_9, "9": 1})])
        Alert.objects.filter(patient=patient).update(state="resolved")
        take_in(patient, [a_response(answers={**PHQ_9, "9": 1})])
        assert sorted(Alert.objects.filter(patient=patient, rule="SUI-1").values_list("state", flat=True)) == [
            "open",
            "resolved",
        ]

    def test_old_imported_answers_go_to_the_review_list(self) -> None:
        patient = a_patient()
        old = a_response(answers={**PHQ_9, "9": 1}, authored_at=NOW - timedelta(days=15))
        take_in(patient, [old], origin="import")
        assert Alert.objects.get(patient=patient, rule="SUI-1").state == "review"

    def test_cauda_equina_signs_come_before_everything(self) -> None:
        patient = a_patient()
        (verdict,) = take_in(
            patient, [a_response(instrument="red-flag-screen", answers={"ces-bladder": 1, "fever": 1})]
        )
        assert verdict.safety == ["emergency", "seek-care"]
