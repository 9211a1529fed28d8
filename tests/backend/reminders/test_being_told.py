"""Colleagues see and change how they are told; a refused address is shown, and put right."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries, Settings

from backend.people.models import Audit, User
from backend.reminders import refusals
from backend.reminders.being_told import MOST_BROWSERS
from backend.reminders.colleague_models import Browser, CallSettings, RefusedMail
from backend.reminders.refusals import Refusal
from tests.backend.reminders.given import a_browser, a_subscription
from tests.backend.reminders.test_channels import b64
from tests.factories import a_clinician, a_patient, a_team
from tests.signin import a_consent, browser, phone

pytestmark = pytest.mark.django_db

URL = "/api/v1/call-settings"
ENDPOINT = "https://updates.push.services.mozilla.com/wpush/v2/generated"


@pytest.fixture(autouse=True)
def pushing(settings: Settings) -> None:
    settings.VAPID_PRIVATE_KEY = b64(b"generated key of 32 bytes length")


@pytest.fixture
def me() -> User:
    return a_clinician(a_team())


def send(client: Client, method: str, address: str, body: Any) -> tuple[int, Any]:
    answer = client.generic(method, address, json.dumps(body), "application/json")
    return answer.status_code, answer.json() if answer.content else None


def test_unless_said_otherwise_the_browser_is_first_and_nobody_is_refused(
    me: User, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    client = browser(me)
    client.get(URL)
    with django_assert_num_queries(6):  # three of them are the session, the user and where they work
        shown = client.get(URL).json()
    assert (shown["channel"], shown["email"], shown["browsers"]) == ("auto", me.email, [])
    assert shown["email_refused_at"] is None
    assert len(shown["push_key"]) == 87  # an uncompressed point of P-256 in base64url


def test_a_browser_is_added_once_and_removed(me: User) -> None:
    client, new = browser(me), {"name": "phone", "subscription": a_subscription(ENDPOINT)}
    status, added = send(client, "POST", f"{URL}/browsers", new)
    assert (status, added["name"]) == (201, "phone")
    assert send(client, "POST", f"{URL}/browsers", new)[1]["id"] == added["id"]
    assert [each["id"] for each in client.get(URL).json()["browsers"]] == [added["id"]]
    assert browser(a_clinician(a_team())).delete(f"{URL}/browsers/{added['id']}").status_code == 404
    assert client.delete(f"{URL}/browsers/{added['id']}").status_code == 204
    assert not Browser.objects.exists()


def test_a_shared_browser_tells_whoever_subscribed_last(me: User) -> None:
    a_browser(a_clinician(a_team()), ENDPOINT)
    send(browser(me), "POST", f"{URL}/browsers", {"subscription": a_subscription(ENDPOINT)})
    assert Browser.objects.get().user == me


@pytest.mark.parametrize(
    ("endpoint", "key", "field"),
    [
        ("https://127.0.0.1/", None, "subscription.endpoint"),
        ("http://fcm.googleapis.com/", None, "subscription.endpoint"),
        (ENDPOINT, "AAAA", "subscription.keys"),
        (ENDPOINT, "no base64!", "subscription.keys"),
        (1, None, "subscription.endpoint"),
    ],
)
def test_what_can_not_be_pushed_to_is_refused_by_name_of_the_field(
    me: User, endpoint: Any, key: str | None, field: str
) -> None:
    subscription = a_subscription(endpoint)
    if key:
        subscription["keys"]["p256dh"] = key
    status, problem = send(browser(me), "POST", f"{URL}/browsers", {"subscription": subscription})
    assert (status, problem["errors"][0]["field"]) == (400, field)


def test_a_server_without_a_key_says_so(me: User, settings: Settings) -> None:
    settings.VAPID_PRIVATE_KEY = ""
    client = browser(me)
    assert client.get(URL).json()["push_key"] == ""
    assert send(client, "POST", f"{URL}/browsers", {"subscription": a_subscription(ENDPOINT)})[0] == 409


def test_there_is_an_end_to_browsers_and_dead_ones_make_room(me: User) -> None:
    for n in range(MOST_BROWSERS):
        a_browser(me, f"{ENDPOINT}/{n}")
    client, new = browser(me), {"subscription": a_subscription(ENDPOINT)}
    assert send(client, "POST", f"{URL}/browsers", new)[0] == 409
    Browser.objects.filter(endpoint=f"{ENDPOINT}/3").update(disabled_at=timezone.now())
    assert send(client, "POST", f"{URL}/browsers", new)[0] == 201


def test_the_choice_is_kept_and_a_channel_that_is_none_is_refused(me: User) -> None:
    client = browser(me)
    assert send(client, "PATCH", URL, {"channel": "both"})[1]["channel"] == "both"
    assert send(client, "PATCH", URL, {})[1]["channel"] == "both"
    status, problem = send(client, "PATCH", URL, {"channel": "none"})
    assert (status, problem["errors"][0]["field"]) == (400, "channel")
    assert CallSettings.objects.get().channel == "both"


def test_a_refused_address_is_shown_and_tried_again_once_it_is_confirmed(me: User) -> None:
    refusals.refuse([Refusal(me.email.upper(), "the address is refused with 550", user_id=me.pk)], timezone.now())
    client = browser(me)
    assert client.get(URL).json()["email_refused_why"] == "the address is refused with 550"
    assert send(client, "PATCH", URL, {"email_confirmed": True})[1]["email_refused_at"] is None
    assert not RefusedMail.objects.exists()


class TestPatients:
    def test_staff_and_patient_see_it_and_either_puts_it_right(self) -> None:
        patient = a_patient()
        a_consent(patient)
        clinician = browser(a_clinician(patient.care_team))
        address = f"/api/v1/patients/{patient.pk}/reminder-settings"
        for client, path in ((phone(patient), "/api/v1/reminder-settings"), (clinician, address)):
            assert patient.user
            refusals.refuse([Refusal(patient.user.email, "refused", patient_id=patient.pk)], timezone.now())
            assert client.get(path).json()["email_refused_why"] == "refused"
            status, shown = send(client, "PUT", f"{path}/email", {"email": patient.user.email})
            assert (status, shown["email_refused_at"]) == (200, None)
        status, shown = send(clinician, "PUT", f"{address}/email", {"email": "Another@example.org"})
        assert (status, shown["email"]) == (200, "another@example.org")
        assert Audit.objects.filter(patient=patient, action="changed e-mail").count() == 3

    @pytest.mark.parametrize(("email", "code"), [("nobody", "invalid"), ("taken@example.org", "taken")])
    def test_an_address_that_can_not_be_is_refused(self, email: str, code: str) -> None:
        other = a_patient()
        assert other.user
        other.user.email = "taken@example.org"
        other.user.save()
        patient = a_patient()
        client = browser(a_clinician(patient.care_team))
        address = f"/api/v1/patients/{patient.pk}/reminder-settings/email"
        status, problem = send(client, "PUT", address, {"email": email})
        assert (status, problem["errors"][0]["field"], problem["errors"][0]["code"]) == (400, "email", code)

    def test_who_has_not_enrolled_has_no_address_yet(self) -> None:
        patient = a_patient(user=None)
        client = browser(a_clinician(patient.care_team))
        address = f"/api/v1/patients/{patient.pk}/reminder-settings/email"
        assert send(client, "PUT", address, {"email": "a@example.org"})[0] == 409
