"""The work list: nothing vanishes without a trace."""

import html
import re
from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from backend.dashboard import wording, worklist
from backend.dashboard.views import alerts
from backend.people.models import Audit, Patient, Role, User
from outcomes import alert_handling, alert_rules
from outcomes.alert_handling import Step, take
from outcomes.models import Alert, AlertEvent
from tests.backend.dashboard import builders

pytestmark = pytest.mark.django_db


@pytest.fixture
def patient() -> Patient:
    return builders.patient(builders.team(builders.clinic()))


@pytest.fixture
def colleague(patient: Patient, client: Client) -> User:
    user = builders.colleague(patient.clinic, patient.care_team)
    builders.sign_in(client, user)
    return user


def press(client: Client, alert: Alert, step: str, note: str = "") -> str:
    address = f"/clinics/{alert.clinic_id}/alerts/{alert.pk}/step"
    response = client.post(address, {"step": step, "note": note}, secure=True, follow=True)
    alert.refresh_from_db()
    return str(response.content.decode())


def test_from_raised_to_resolved(client: Client, patient: Patient, colleague: User) -> None:
    alert = builders.alert(patient)
    assert "Noted: acknowledged." in press(client, alert, "acknowledged")
    assert "contacted" in press(client, alert, "contacted")
    press(client, alert, "resolved", "safe, seen tomorrow")
    assert alert.state == "resolved"
    assert alert.events.filter(user=colleague).count() == 3
    assert Audit.objects.filter(patient=patient, user=colleague, action="alert resolved").exists()
    closed = client.get(f"/clinics/{patient.clinic_id}/alerts/?list=closed", secure=True).content.decode()
    assert "safe, seen tomorrow" in closed


@pytest.mark.parametrize(
    ("step", "told"),
    [
        ("resolved", "only after somebody was reached"),
        ("escalated", "Say in the note"),
        ("raised", "not possible now"),
    ],
)
def test_a_step_that_cannot_be_taken_says_why_and_changes_nothing(
    client: Client, patient: Patient, colleague: User, step: str, told: str
) -> None:
    alert = builders.alert(patient)
    assert told in press(client, alert, step)
    assert alert.state == "open"
    assert alert.events.count() == 1


def test_words_that_went_with_a_refused_step_are_handed_back_once(
    client: Client, patient: Patient, colleague: User
) -> None:
    alert = builders.alert(patient)
    take(Alert.objects.all(), alert.pk, Step.ACKNOWLEDGED, by=colleague, at=timezone.now(), note="")
    step = f"/clinics/{patient.clinic_id}/alerts/{alert.pk}/step"
    words = "Spoke with the daughter; a bed is free."
    text = client.post(step, {"step": "acknowledged", "note": words}, secure=True, follow=True).content.decode()
    assert "not possible now" in text
    assert words in text
    assert words not in client.get(f"/clinics/{patient.clinic_id}/alerts/", secure=True).content.decode()


def test_the_one_that_is_due_first_stands_first_and_says_how_long_there_is(
    client: Client, patient: Patient, colleague: User
) -> None:
    other = builders.patient(patient.care_team)
    now = timezone.now()
    builders.alert(other, "PAIN-1", severity=Alert.Severity.MEDIUM, due_at=now - timedelta(hours=3))
    builders.alert(patient, due_at=now + timedelta(minutes=40, seconds=20))
    text = client.get(f"/clinics/{patient.clinic_id}/alerts/", secure=True).content.decode()
    assert text.index("due in 40 min") < text.index("was due 3 h ago")


@pytest.mark.parametrize("which", ["open", "closed"])
def test_a_long_list_is_read_page_by_page_and_each_alert_stands_on_one(
    client: Client, patient: Patient, colleague: User, which: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(alerts, "PAGE", 3)
    now = timezone.now()
    for n in range(8):  # some due at the same moment, some without a clock, some taken on
        state = "resolved" if which == "closed" else ("open", "acknowledged")[n % 2]
        due = None if n == 3 else now + timedelta(hours=n // 3)
        builders.alert(patient, f"RF-{n}", state=state, due_at=due, opened_at=now - timedelta(minutes=n // 2))
    address = f"/clinics/{patient.clinic_id}/alerts/"
    seen: list[int] = []
    query: str | None = f"?list={which}"
    while query:
        text = client.get(address + query, secure=True).content.decode()
        seen += [int(number) for number in re.findall(r'id="alert-(\d+)"', text)]
        following = re.search(r'rel="next" href="([^"]+)"', text)
        query = following and html.unescape(following[1])
    assert len(seen) == len(set(seen)) == 8
    whole = worklist.by_urgency if which == "open" else worklist.newest
    assert seen == [alert.pk for alert in whole(Alert.objects.all())]
    assert client.get(f"{address}?list={which}&after=nonsense", secure=True).status_code == 200


def test_a_clock_is_there_for_eyes_to_tick_and_for_ears_once(client: Client, patient: Patient, colleague: User) -> None:
    due = timezone.now() + timedelta(minutes=40, seconds=20)
    builders.alert(patient, due_at=due)
    for address in (f"/clinics/{patient.clinic_id}/alerts/", f"/clinics/{patient.clinic_id}/"):
        text = client.get(address, secure=True).content.decode()
        assert f'<span aria-hidden="true" data-due="{due.isoformat()}"' in text
        assert '<span class="visually-hidden">due in 40 min</span>' in text


def test_every_page_counts_what_nobody_has_taken_on(client: Client, patient: Patient, colleague: User) -> None:
    builders.alert(patient)
    builders.alert(patient, "RF-1", state="acknowledged")
    elsewhere = builders.patient(builders.team(patient.clinic))
    builders.alert(elsewhere)
    assert 'data-waiting="1"' in client.get(f"/patients/{patient.pk}/", secure=True).content.decode()


def test_the_number_of_statements_does_not_grow_with_the_alerts(
    client: Client, patient: Patient, colleague: User
) -> None:
    def statements() -> int:
        with CaptureQueriesContext(connection) as captured:
            client.get(f"/clinics/{patient.clinic_id}/alerts/", secure=True)
        return len(captured)

    builders.alert(patient)
    statements()  # the first visit notes in the session when somebody was last here
    few = statements()
    for _ in range(20):
        builders.alert(builders.patient(patient.care_team))
    assert statements() == few


def test_every_rule_state_and_step_has_its_words() -> None:
    assert {rule.code for rule in alert_rules.RULES} == set(wording.ALERTS)
    assert set(wording.STATES) == set(Alert.State.values) | set(AlertEvent.Kind.values)
    assert set(wording.STEPS) == {str(kind) for kind in alert_handling.STATE_AFTER}
    assert set(wording.SEVERITIES) == set(Alert.Severity.values)


def test_no_word_says_that_a_risk_is_low() -> None:
    for words in (wording.ALERTS, wording.STATES, wording.STEPS, wording.SEVERITIES, wording.LABELS):
        assert not any("low risk" in str(word).lower() for word in words.values())


def test_an_admin_works_on_every_alert_of_the_clinic(client: Client, patient: Patient) -> None:
    builders.sign_in(client, builders.colleague(patient.clinic, role=Role.ADMIN))
    alert = builders.alert(patient)
    press(client, alert, "acknowledged")
    assert alert.state == "acknowledged"
