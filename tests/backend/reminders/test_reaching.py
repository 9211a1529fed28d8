"""A colleague is told by the channels that they have; whom nothing reaches is passed over, and the clinic sees it."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from datetime import datetime, timedelta
from email import message_from_string
from uuid import uuid4

import pytest
from django.db import connection
from django.db.models import Q
from django.test.utils import CaptureQueriesContext
from pytest_django import Settings

from backend.people.enrolment import make_account
from backend.people.erasing import erase
from backend.people.models import OnCall, Patient, User
from backend.reminders import refusals
from backend.reminders.calling import LEASE, MOST_ATTEMPTS, claim, send_calls
from backend.reminders.channels import http, webpush
from backend.reminders.colleague_models import Browser, CallSettings, RefusedMail
from backend.reminders.escalation import watch
from backend.reminders.models import Call
from backend.reminders.refusals import Refusal
from backend.reminders.reporting import Unsaid, unsaid
from backend.reminders.routes import disable, routes
from outcomes.models import Alert, AlertEvent
from tests.backend.reminders.given import a_browser
from tests.backend.reminders.providers import HTTPProvider, SMTPProvider, http_provider, smtp_provider
from tests.backend.reminders.test_channels import b64
from tests.backend.reminders.test_escalation import NOW, an_alert, patient, run
from tests.factories import a_patient

__all__ = ["patient"]  # a fixture

CRITICAL, HIGH = ("SUI-1", 4), ("DEP-1", 3)


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http, "TIMEOUT", (1, 0.3))


@pytest.fixture
def service(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[HTTPProvider]:
    """A push service on the loopback address."""
    settings.VAPID_PRIVATE_KEY = b64(b"generated key of 32 bytes length")
    monkeypatch.setattr(webpush, "SERVICES", ("127.0.0.1",))
    monkeypatch.setattr(webpush, "SCHEMES", ("http",))
    with http_provider(lambda *_: (201, {"Location": "/receipt/1"}, b"")) as provider:
        yield provider


@pytest.fixture
def smtp(settings: Settings) -> Iterator[SMTPProvider]:
    with smtp_provider() as provider:
        options = {"host": "127.0.0.1", "port": provider.port, "timeout": 1}
        settings.MAILERS = {"default": {"BACKEND": "django.core.mail.backends.smtp.EmailBackend", "OPTIONS": options}}
        yield provider


def place(patient: Patient, position: int) -> User:
    return OnCall.objects.get(clinic=patient.clinic, position=position).membership.user


def work(now: datetime = NOW) -> None:
    """All that is due, as the worker does it."""
    while watch(now, limit=100) + send_calls(now, limit=100):
        pass


def mailed(smtp: SMTPProvider) -> list[str]:
    return [str(message_from_string(taken)["To"]) for taken in smtp.taken]


def calls(alert: Alert) -> list[tuple[int, str, str]]:
    return list(Call.objects.filter(alert=alert).order_by("n", "channel").values_list("n", "channel", "state"))


def test_what_is_critical_goes_to_every_channel_whatever_is_preferred(
    patient: Patient, service: HTTPProvider, smtp: SMTPProvider
) -> None:
    first = place(patient, 1)
    CallSettings.objects.create(user=first, channel="email")
    for name in ("phone", "desk"):
        a_browser(first, f"{service.url}/{name}")
    work_on = an_alert(patient, *CRITICAL)
    work()
    assert mailed(smtp) == [first.email]
    assert sorted(path for path, *_ in service.taken) == ["/desk", "/phone"]
    assert calls(work_on) == [(1, "email", "sent"), (1, "webpush", "sent")]


@pytest.mark.parametrize(
    ("wish", "by_browser", "by_mail"), [(None, 1, 0), ("auto", 1, 0), ("email", 0, 1), ("both", 1, 1)]
)
def test_the_rest_goes_as_they_wish(
    patient: Patient, service: HTTPProvider, smtp: SMTPProvider, wish: str | None, by_browser: int, by_mail: int
) -> None:
    first = place(patient, 1)
    if wish:
        CallSettings.objects.create(user=first, channel=wish)
    a_browser(first, service.url)
    an_alert(patient, *HIGH)
    work()
    assert (len(service.taken), len(smtp.taken)) == (by_browser, by_mail)


def test_a_push_says_neither_whose_alert_nor_which_and_may_wake_the_phone(
    patient: Patient, service: HTTPProvider
) -> None:
    browser = a_browser(place(patient, 1), service.url)
    an_alert(patient, *HIGH)
    work()
    ((_, headers, body),) = service.taken
    call = Call.objects.get()
    assert (headers["Topic"], headers["Urgency"]) == (call.id.hex, "high")
    assert len(headers["Topic"]) <= 32  # RFC 8030, 5.4
    said = json.loads(browser.read(body))
    assert said == {
        "title": "Steadyback",
        "body": "Something in your work list waits for you. Please sign in and look.",
        "message": str(call.id),
        "tag": call.id.hex,
    }


@pytest.mark.parametrize("gone", [404, 410])
def test_where_the_browser_is_gone_the_mail_takes_its_place_at_once(
    patient: Patient, service: HTTPProvider, smtp: SMTPProvider, gone: int
) -> None:
    browser = a_browser(place(patient, 1), service.url)
    service.script.append((gone, {}, b""))
    alert = an_alert(patient, *HIGH)
    work()
    assert mailed(smtp) == [place(patient, 1).email]
    assert calls(alert) == [(1, "email", "sent")]
    row = Browser.objects.get(pk=browser.pk)
    assert (row.disabled_at, row.disabled_why) == (NOW, f"the push service answers {gone}")


def test_a_push_service_in_trouble_is_tried_again_under_the_same_id_and_then_the_mail_is(
    patient: Patient, service: HTTPProvider, smtp: SMTPProvider
) -> None:
    a_browser(place(patient, 1), service.url)
    service.script.extend([(500, {}, b""), "cut", 1.0, (503, {}, b""), (500, {}, b"")])
    an_alert(patient, *HIGH)
    watch(NOW, limit=10)
    now = NOW
    for _ in range(MOST_ATTEMPTS):
        assert smtp.taken == []
        send_calls(now, limit=10)
        now = Call.objects.get().due_at
    send_calls(now, limit=10)
    assert len({headers["Topic"] for _, headers, _ in service.taken}) == 1
    assert len(service.taken) == MOST_ATTEMPTS
    assert mailed(smtp) == [place(patient, 1).email]
    assert now - NOW < timedelta(minutes=15)


def test_a_worker_that_died_while_pushing_leaves_the_call_to_the_next_under_the_same_id(
    patient: Patient, service: HTTPProvider
) -> None:
    a_browser(place(patient, 1), service.url)
    an_alert(patient, *HIGH)
    watch(NOW, limit=10)
    claim(NOW, 10, uuid4())
    assert send_calls(NOW, limit=10) == {}
    assert send_calls(NOW + LEASE, limit=10) == {"sent": 1}
    assert Call.objects.count() == 1


def test_while_one_channel_of_two_works_the_next_is_not_told(
    patient: Patient, service: HTTPProvider, smtp: SMTPProvider
) -> None:
    a_browser(place(patient, 1), service.url)
    smtp.recipients.append("550 5.1.1 no such user")
    alert = an_alert(patient, *CRITICAL)
    work()
    assert calls(alert) == [(1, "email", "dead"), (1, "webpush", "sent")]


def test_an_address_that_is_refused_for_good_is_disabled_and_its_owner_passed_over_until_it_is_put_right(
    patient: Patient, smtp: SMTPProvider
) -> None:
    first, second = place(patient, 1), place(patient, 2)
    smtp.recipients.append("550 5.1.1 no such user")
    work_on = an_alert(patient, *CRITICAL)
    work()
    assert mailed(smtp) == [second.email]
    assert calls(work_on) == [(1, "email", "dead"), (2, "email", "sent")]
    refused = RefusedMail.objects.get()
    assert (refused.user, refused.address, refused.why) == (first, first.email, "the address is refused with 550")
    again = an_alert(patient, "CES-1")
    work()
    assert calls(again) == [(1, "email", "sent")]
    note = AlertEvent.objects.get(alert=again, kind="told").note
    assert note == "place 2 in the chain; nothing reaches place 1"
    refusals.confirm(Q(user=first))
    third = an_alert(patient, "RF-1")
    work()
    assert AlertEvent.objects.get(alert=third, kind="told").note == "place 1 in the chain"


def test_calls_that_reached_nobody_are_in_the_operators_daily_report(patient: Patient, smtp: SMTPProvider) -> None:
    smtp.recipients.append("550 5.1.1 no such user")
    an_alert(patient, *CRITICAL)
    work()
    assert unsaid(NOW + timedelta(hours=1)) == [Unsaid("calls", "dead", "email", "the address is refused with 550", 1)]


def test_another_address_is_told_again(patient: Patient, smtp: SMTPProvider) -> None:
    first = place(patient, 1)
    refusals.refuse([Refusal(first.email, "refused", user_id=first.pk)], NOW)
    first.email = "another@example.org"
    first.save()
    an_alert(patient, *CRITICAL)
    work()
    assert mailed(smtp) == ["another@example.org"]


@pytest.mark.parametrize(
    "answer",
    [
        "550 5.7.1 relaying denied",
        "554 5.7.1 rejected by policy",
        "550 relay not permitted",
        "552 5.2.2 full",
        "550 5.1.8 bad sender",
    ],
    ids=("relay", "policy", "relay-plain", "full", "sender"),
)
def test_a_refusal_that_is_not_the_addresss_own_disables_nobody(
    patient: Patient, smtp: SMTPProvider, answer: str
) -> None:
    smtp.recipients.append(answer)
    an_alert(patient, *CRITICAL)
    work()
    assert not RefusedMail.objects.exists()
    assert Call.objects.get().state == "pending"


def test_with_nobody_to_reach_the_operator_is_alarmed_and_not_every_fifteen_seconds(
    patient: Patient, smtp: SMTPProvider, caplog: pytest.LogCaptureFixture
) -> None:
    smtp.recipients.extend(["550 5.1.1 no such user"] * 3)
    an_alert(patient, *CRITICAL)
    work()
    assert {row.clinic_id or row.user_id for row in RefusedMail.objects.all()} == {
        place(patient, 1).pk,
        place(patient, 2).pk,
        patient.clinic_id,
    }
    run(NOW, hours=0.4)
    assert [record.levelname for record in caplog.records] == ["ERROR"] * 2
    assert smtp.taken == []
    refusals.confirm(Q(user=place(patient, 2)))
    work(NOW + timedelta(minutes=30))
    assert mailed(smtp) == [place(patient, 2).email]


def test_the_number_of_statements_does_not_grow_with_the_calls(
    patient: Patient, service: HTTPProvider, smtp: SMTPProvider
) -> None:
    a_browser(place(patient, 1), service.url)

    def statements(count: int) -> int:
        for _ in range(count):
            an_alert(a_patient(patient.care_team), *CRITICAL)
        watch(NOW, limit=100)
        with CaptureQueriesContext(connection) as queries:
            send_calls(NOW, limit=100)
        return len(queries)

    assert statements(1) == statements(8)


@pytest.mark.django_db(transaction=True)
def test_two_channels_that_fail_in_the_same_moment_still_hand_on_to_the_next(
    patient: Patient, service: HTTPProvider, smtp: SMTPProvider
) -> None:
    """Each worker has one call of the same telling; neither may think that the other's will get through."""
    a_browser(place(patient, 1), service.url)
    service.script.append((410, {}, b""))
    smtp.recipients.append("550 5.1.1 no such user")
    alert = an_alert(patient, *CRITICAL)
    watch(NOW, limit=10)
    barrier = threading.Barrier(2)

    def one() -> None:
        barrier.wait()
        send_calls(NOW, limit=1)
        connection.close()

    workers = [threading.Thread(target=one) for _ in range(2)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(30)
    work()
    assert (2, "email", "sent") in calls(alert)


def test_a_patients_refused_address_is_not_tried_again_and_an_erased_patient_keeps_none(patient: Patient) -> None:
    other = a_patient()
    ways = routes([patient.pk, other.pk], NOW)
    erase(other.pk, None)
    disable([(way, "the address is refused with 550") for found in ways.values() for way in found], NOW)
    assert RefusedMail.objects.get().patient == patient
    assert routes([patient.pk], NOW) == {patient.pk: []}
    assert patient.user
    patient.user.email = "another@example.org"
    patient.user.save()
    assert [way.target for way in routes([patient.pk], NOW)[patient.pk]] == ["another@example.org"]


def test_who_gave_no_address_is_sent_no_mail(db: None) -> None:
    nobody = a_patient(user=make_account("", "en"))
    assert routes([nobody.pk], NOW) == {nobody.pk: []}
