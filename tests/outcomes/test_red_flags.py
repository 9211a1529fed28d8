"""The red flags that an answer raises by itself, each at its boundary; and that no answer is stored without them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import Error, connection, transaction
from uuid_utils.compat import uuid7

from backend.people.models import Patient
from backend.sync.models import Quarantine
from outcomes import library, scoring
from outcomes.alerts import LATE_AFTER, seen_alone
from outcomes.cards import shown_when
from outcomes.models import Alert, AlertEvent, Response
from tests.backend.sync.test_push_and_pull import NOW, a_response, send
from tests.factories import a_patient

NOTHING = dict.fromkeys(map(str, range(1, 10)), 0)
SCREEN = {item.id: 0 for item in library.get("red-flag-screen").items}


def raised(code: str, answers: dict[str, Any]) -> set[str]:
    instrument = library.get(code)
    return {rule.code for rule in seen_alone(instrument, scoring.score(instrument, answers))}


@pytest.mark.parametrize(
    ("answers", "rules"),
    [
        (NOTHING, set()),
        (NOTHING | {"9": 1}, {"SUI-1"}),
        (NOTHING | {"9": 3}, {"SUI-1"}),
        ({"9": 1}, {"SUI-1"}),  # abandoned after item 9, or before everything else
        ({"1": 3, "2": 3, "9": 1}, {"SUI-1"}),
        ({"9": 0}, set()),
        (NOTHING | {"9": None}, {"SUI-2"}),
        ({"1": 0}, {"SUI-2"}),
        ({}, set()),
        (dict.fromkeys(NOTHING), set()),
        (NOTHING | dict.fromkeys("123456", 3) | {"7": 1}, set()),  # 19
        (NOTHING | dict.fromkeys("123456", 3) | {"7": 2}, {"DEP-1"}),  # 20
        (NOTHING | dict.fromkeys("123456", 3) | {"7": 2, "9": 1}, {"DEP-1", "SUI-1"}),
    ],
)
def test_phq_9_raises_by_item_9_whatever_the_total_and_by_a_total_of_20(
    answers: dict[str, Any], rules: set[str]
) -> None:
    assert raised("phq-9", answers) == rules


@pytest.mark.parametrize(("seventh", "rules"), [(1, set()), (2, {"DEP-1"})])
def test_phq_8_raises_by_a_total_of_20_and_asks_no_item_9(seventh: int, rules: set[str]) -> None:
    answers = dict.fromkeys("123456", 3) | {"7": seventh, "8": 0}
    assert raised("phq-8", answers) == rules


@pytest.mark.parametrize("item", ["ces-bladder", "ces-saddle", "ces-legs", "ces-bowel"])
def test_any_sign_of_cauda_equina_is_one(item: str) -> None:
    assert raised("red-flag-screen", SCREEN | {item: 1}) == {"CES-1"}
    assert raised("red-flag-screen", {item: 1}) == {"CES-1"}


def test_sexual_dysfunction_alone_sends_nobody_to_an_emergency_department() -> None:
    assert raised("red-flag-screen", SCREEN | {"ces-sexual": 1}) == set()
    assert raised("red-flag-screen", SCREEN | {"ces-sexual": 1, "ces-saddle": 1}) == {"CES-1"}


@pytest.mark.parametrize(
    ("yes", "rules"),
    [
        (["trauma"], {"RF-1"}),
        (["fever"], {"RF-1"}),
        (["immunosuppression"], {"RF-1"}),
        (["weight-loss"], {"RF-1"}),
        (["weakness"], {"RF-1"}),
        (["cancer"], set()),
        (["night-pain"], set()),
        (["cancer", "night-pain"], {"RF-1"}),
        (["fragile-bones"], set()),
        (["minor-trauma"], set()),
        (["fragile-bones", "minor-trauma"], {"RF-1"}),
        (["cancer", "minor-trauma"], set()),
    ],
)
def test_red_flags_of_one_item_and_of_two_together(yes: list[str], rules: set[str]) -> None:
    assert raised("red-flag-screen", SCREEN | dict.fromkeys(yes, 1)) == rules


def test_the_phone_knows_without_a_network_when_to_show_which_text() -> None:
    assert shown_when("crisis") == [{"rule": "SUI-1", "instrument": "phq-9", "any": ["9"], "at_least": 1}]
    (emergency,) = shown_when("emergency")
    assert "ces-sexual" not in emergency["any"]
    assert shown_when("adverse-event") == [
        {"rule": "AE-1", "adverse_event": ["syncope", "seizure", "chest-pain", "burn"]}
    ]
    assert shown_when("support") == [{"rule": "SUI-2", "instrument": "phq-9", "unanswered": ["9"]}]
    assert shown_when("flare-plan") == []  # that needs the days before


@pytest.mark.django_db
class TestWriting:
    @pytest.fixture
    def patient(self) -> Patient:
        return a_patient()

    def positive(self, **fields: Any) -> dict[str, Any]:
        return a_response(instrument="phq-9", answers={"9": 1}) | fields

    def test_an_answer_whose_alert_can_not_be_written_is_not_stored(self, patient: Patient) -> None:
        with connection.cursor() as cursor:
            cursor.execute("ALTER TABLE outcomes_alert ADD CHECK (rule <> 'SUI-1')")
        with pytest.raises(Error), transaction.atomic():
            send(patient, self.positive())
        assert not Response.objects.filter(patient=patient).exists()
        assert not Quarantine.objects.filter(patient=patient).exists()

    @pytest.mark.parametrize(("older", "late"), [(timedelta(0), False), (timedelta(seconds=1), True)])
    def test_what_comes_after_48_hours_is_raised_all_the_same_and_labelled(
        self, patient: Patient, older: timedelta, late: bool
    ) -> None:
        authored_at = NOW - LATE_AFTER - older
        send(patient, self.positive(authored_at=authored_at.isoformat()))
        alert = Alert.objects.get(patient=patient)
        assert (alert.late, alert.state) == (late, "open")
        assert (alert.authored_at, alert.received_at) == (authored_at, NOW)
        assert alert.tell_at == NOW

    def test_a_repeat_adds_to_the_alert_that_stands(self, patient: Patient) -> None:
        send(patient, self.positive(), self.positive())
        send(patient, self.positive())
        alert = Alert.objects.get(patient=patient)
        events = AlertEvent.objects.filter(alert=alert).order_by("id").values_list("kind", flat=True)
        assert list(events) == ["raised", "repeated"]

    def test_a_repeat_after_somebody_took_it_on_opens_it_again_and_starts_its_clock_anew(
        self, patient: Patient
    ) -> None:
        send(patient, self.positive())
        before = datetime(2026, 11, 20, tzinfo=UTC)
        Alert.objects.filter(patient=patient).update(state="acknowledged", tell_at=None, due_at=before, position=2)
        again = self.positive(id=str(uuid7()))
        send(patient, again)
        alert = Alert.objects.get(patient=patient)
        assert (alert.state, str(alert.source), alert.position) == ("open", again["id"], 0)
        assert (alert.tell_at, alert.due_at) == (NOW, NOW + timedelta(hours=1))
