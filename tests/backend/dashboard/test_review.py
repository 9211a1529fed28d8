"""The review list: what was imported, is old, and would have raised an alert."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from backend.people.models import Audit, Patient
from outcomes.models import Alert, AlertEvent
from tests.backend.dashboard import builders
from tests.factories import a_clinic, a_clinician, a_patient, a_team, an_admin
from tests.signin import browser

pytestmark = pytest.mark.django_db


def waiting(patient: Patient, rule: str = "SUI-1", **fields: Any) -> Alert:
    then = timezone.now() - timedelta(days=200)
    return builders.alert(
        patient, rule, state="review", origin="import", authored_at=then, due_at=None, tell_at=None, **fields
    )


def decide(client: Client, clinic: int, *alerts: Alert, do: str = "reviewed", note: str = "Seen in March.") -> str:
    sent = {"alert": [alert.pk for alert in alerts], "do": do, "note": note}
    answer = client.post(f"/clinics/{clinic}/clinic/review/decide", sent, follow=True)
    assert answer.status_code == 200
    return answer.content.decode()


@pytest.fixture
def patient() -> Patient:
    return a_patient(name="Example Person")


@pytest.fixture
def client(patient: Patient) -> Client:
    return browser(a_clinician(patient.care_team))


def test_several_are_reviewed_with_one_word_and_it_stays_who_said_it(client: Client, patient: Patient) -> None:
    alerts = [waiting(patient), waiting(patient, "DEP-1")]
    assert "2 are reviewed." in decide(client, patient.clinic_id, *alerts)
    for alert in alerts:
        alert.refresh_from_db()
        event = alert.events.last()
        assert event is not None
        assert (alert.state, event.kind, event.note) == ("resolved", "resolved", "Seen in March.")
        assert event.user is not None
    assert Audit.objects.filter(patient=patient, action="review answer").count() == 2
    assert "Nothing waits for review." in client.get(f"/clinics/{patient.clinic_id}/clinic/review/").content.decode()


def test_one_becomes_an_alert_with_a_clock_that_starts_now_and_calls_nobody(client: Client, patient: Patient) -> None:
    alert = waiting(patient)
    before = timezone.now()
    assert "1 is an alert now." in decide(client, patient.clinic_id, alert, do="open", note="Never followed up.")
    alert.refresh_from_db()
    assert alert.state == "open"
    assert alert.due_at is not None
    assert before <= alert.opened_at
    assert alert.due_at - alert.opened_at == timedelta(hours=1)
    assert alert.tell_at is None
    last = AlertEvent.objects.filter(alert=alert).last()
    assert last is not None
    assert (last.kind, last.note, last.user is None) == ("raised", "Never followed up.", False)
    assert "Example Person" in client.get(f"/clinics/{patient.clinic_id}/alerts/").content.decode()


def test_beside_an_open_alert_of_its_kind_none_is_opened_and_the_others_still_are(
    client: Client, patient: Patient
) -> None:
    builders.alert(patient, "SUI-1")
    twice, other = waiting(patient, "SUI-1"), waiting(patient, "DEP-1")
    said = decide(client, patient.clinic_id, twice, other, do="open")
    assert "1 is an alert now." in said
    assert "has an open alert of the same kind already" in said
    twice.refresh_from_db()
    assert twice.state == "review"


@pytest.mark.parametrize(("note", "says"), [("", "Say in a word what you found."), (" \n", "Say in a word")])
def test_without_a_word_nothing_is_decided(client: Client, patient: Patient, note: str, says: str) -> None:
    alert = waiting(patient)
    assert says in decide(client, patient.clinic_id, alert, note=note)
    unticked = decide(client, patient.clinic_id, note="Read all of them.")
    assert "Tick at least one." in unticked
    assert "Read all of them." in unticked
    alert.refresh_from_db()
    assert alert.state == "review"


def test_nobody_decides_what_is_not_theirs_or_not_on_the_list(client: Client, patient: Patient) -> None:
    anothers = waiting(a_patient(a_team(patient.clinic)))
    foreign = waiting(a_patient())
    live = builders.alert(patient)
    said = decide(client, patient.clinic_id, anothers, foreign, live)
    assert "no longer on the list" in said
    for alert, state in ((anothers, "review"), (foreign, "review"), (live, "open")):
        alert.refresh_from_db()
        assert alert.state == state


def test_the_page_costs_the_same_for_one_and_for_many(django_assert_num_queries: Any) -> None:
    clinic = a_clinic()
    team = a_team(clinic)
    client = browser(an_admin(clinic))
    client.get(f"/clinics/{clinic.pk}/clinic/review/")
    for number in (1, 30):
        for _ in range(number):
            waiting(a_patient(team))
        # session, user, memberships; list; audit; alerts waiting
        with django_assert_num_queries(6):
            client.get(f"/clinics/{clinic.pk}/clinic/review/")
