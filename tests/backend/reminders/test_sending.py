"""What the caller of channels does: ways in their order, back-off, dead addresses, limits of providers."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from itertools import pairwise
from uuid import uuid4

import pytest
from django.core.cache import cache
from django.db import connection
from pytest_django import Settings

from backend.people.models import Device, Origin, Patient, User
from backend.reminders import sending, throttling
from backend.reminders.channels import webpush
from backend.reminders.colleague_models import RefusedMail
from backend.reminders.models import Address, Message, ReminderSettings
from backend.reminders.routes import routes
from backend.reminders.sending import LEASE, MOST_ATTEMPTS, Sender, claim, send_due
from backend.reminders.ticking import tick
from tests import factories
from tests.backend.reminders.given import a_diarist, at
from tests.backend.reminders.providers import HTTPProvider, SMTPProvider, http_provider, smtp_provider

pytestmark = pytest.mark.django_db

NOON = at("2026-03-02T12:00:00+01:00")
SIX = at("2026-03-02T18:00:00+01:00")
SEVEN = at("2026-03-02T19:00:00+01:00")
BROWSER = {
    "p256dh": "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4",
    "auth": "BTBZMqHH6r4Tts7J_aSIgg",
}


@pytest.fixture(autouse=True)
def _forget() -> None:
    cache.clear()


@pytest.fixture
def service(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[HTTPProvider]:
    settings.VAPID_PRIVATE_KEY = "yfWPiYE-n46HLnH0KqZOF1fJJU3MYrct3AELtAQ-oRw"
    monkeypatch.setattr(webpush, "SERVICES", ("127.0.0.1",))
    monkeypatch.setattr(webpush, "SCHEMES", ("http",))
    with http_provider(lambda *_: (201, {}, b"")) as provider:
        yield provider


@pytest.fixture
def smtp(settings: Settings) -> Iterator[SMTPProvider]:
    with smtp_provider() as provider:
        options = {"host": "127.0.0.1", "port": provider.port, "timeout": 2}
        settings.MAILERS = {"default": {"BACKEND": "django.core.mail.backends.smtp.EmailBackend", "OPTIONS": options}}
        yield provider


def a_reminded_patient() -> Patient:
    patient = a_diarist(NOON, origin=Origin.CLINIC, user=factories.a_user())
    tick(SIX, 100)
    tick(SEVEN, 100)
    return patient


def a_phone(patient: Patient, url: str) -> Address:
    device = Device.objects.create(id=uuid4(), clinic=patient.clinic, patient=patient, session_key=uuid4().hex)
    return Address.objects.create(
        device=device,
        clinic=patient.clinic,
        patient=patient,
        channel="webpush",
        target=json.dumps({"endpoint": url, "keys": BROWSER}),
        updated_at=NOON,
    )


def test_a_dead_phone_is_disabled_and_the_mail_goes_instead(service: HTTPProvider, smtp: SMTPProvider) -> None:
    address = a_phone(a_reminded_patient(), service.url)
    service.script.append((410, {}, b""))
    assert send_due(SEVEN, 10)["sent"] == 1
    address.refresh_from_db()
    assert (address.disabled_at, address.disabled_why) == (SEVEN, "the push service answers 410")
    assert len(smtp.taken) == 1
    assert Message.objects.get().channel == "email"


def test_trouble_waits_longer_each_time_and_then_is_dead(service: HTTPProvider) -> None:
    a_phone(a_reminded_patient(), service.url)
    service.script.extend([(500, {}, b"")] * MOST_ATTEMPTS)
    now, waits = SEVEN, []
    for _ in range(MOST_ATTEMPTS - 1):
        assert send_due(now, 10)["pending"] == 1
        message = Message.objects.get()
        waits.append(message.due_at - now)
        assert send_due(message.due_at - timedelta(seconds=1), 10) == {}
        now = message.due_at
    assert all(b / 4 <= a <= b for a, b in pairwise(waits))
    assert send_due(now, 10)["dead"] == 1
    message = Message.objects.get()
    assert (message.state, message.attempts, message.error) == ("dead", MOST_ATTEMPTS, "the provider answers 500")


def test_a_line_cut_after_accepting_is_sent_again_with_the_same_id(smtp: SMTPProvider) -> None:
    a_reminded_patient()
    smtp.data.append("cut")
    send_due(SEVEN, 10)
    send_due(SEVEN + LEASE, 10)
    assert len(smtp.taken) == 2
    message = Message.objects.get()
    assert message.state == "sent"
    assert all(str(message.id) in mail for mail in smtp.taken)


def test_a_429_holds_the_whole_channel_and_counts_as_nobodys_failure(service: HTTPProvider) -> None:
    for _ in range(3):
        a_phone(a_reminded_patient(), service.url)
    service.script.append((429, {"Retry-After": "600"}, b""))
    assert send_due(SEVEN, 1)["pending"] == 1
    assert send_due(SEVEN, 10)["pending"] == 2
    assert len(service.taken) == 1
    assert sorted(Message.objects.values_list("attempts", flat=True)) == [0, 0, 1]
    assert all(due_at >= SEVEN + timedelta(seconds=590) for due_at in Message.objects.values_list("due_at", flat=True))


def test_a_channels_share_of_a_second_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    clock, naps = [1000.25], []

    def nap(seconds: float) -> None:
        naps.append(seconds)
        clock[0] += seconds

    monkeypatch.setattr("backend.reminders.throttling.time.time", lambda: clock[0])
    monkeypatch.setattr("backend.reminders.throttling.time.sleep", nap)
    for _ in range(5):
        throttling.wait_for_turn("email", 2)
    assert naps == [0.75, 1.0]


def test_who_cannot_be_reached_is_dead_not_lost() -> None:
    a_diarist(NOON, origin=Origin.CLINIC)
    tick(SIX, 100)
    tick(SEVEN, 100)
    assert send_due(SEVEN, 10)["dead"] == 1
    assert Message.objects.get().error == "no way to this patient"


def test_an_address_that_can_not_be_written_to_holds_no_other_up(smtp: SMTPProvider) -> None:
    dotless, _ = a_reminded_patient(), a_reminded_patient()
    User.objects.filter(patient=dotless).update(email="ı@example.org")
    assert send_due(SEVEN, 10) == {"sent": 1, "dead": 1}
    assert len(smtp.taken) == 1
    assert Message.objects.get(patient=dotless).error == "the address can't be written to"
    assert RefusedMail.objects.get(patient=dotless).address == "ı@example.org"


def test_a_sender_that_can_not_be_written_is_no_patients_fault(smtp: SMTPProvider, settings: Settings) -> None:
    a_reminded_patient()
    settings.DEFAULT_FROM_EMAIL = "two@example.org, senders@example.org"
    assert send_due(SEVEN, 10) == {"pending": 1}
    assert not RefusedMail.objects.exists()


def test_what_waited_past_its_time_is_skipped_and_counted(smtp: SMTPProvider) -> None:
    a_reminded_patient()
    assert send_due(at("2026-03-02T21:00:00+01:00"), 10)["skipped"] == 1
    assert smtp.taken == []


def test_ways_follow_the_patients_wish(service: HTTPProvider) -> None:
    patient = a_diarist(NOON, origin=Origin.CLINIC, user=factories.a_user())
    a_phone(patient, service.url)
    lost = a_phone(patient, service.url)
    Device.objects.filter(pk=lost.device_id).update(revoked_at=NOON)

    def channels() -> list[str]:
        return [route.channel for route in routes([patient.pk], NOON)[patient.pk]]

    assert channels() == ["webpush", "email"]
    settings = ReminderSettings.objects.create(
        patient=patient, clinic=patient.clinic, rev=0, changed_at=NOON, channel="push"
    )
    assert channels() == ["webpush"]
    for wish, ways in (("email", ["email"]), ("none", [])):
        settings.channel = wish
        settings.save()
        assert channels() == ways


def test_a_simulated_patient_is_reached_on_the_console_alone() -> None:
    patient = a_diarist(NOON, origin=Origin.SIMULATED, user=factories.a_user())
    assert [route.channel for route in routes([patient.pk], NOON)[patient.pk]] == ["console"]


def test_nothing_is_begun_late_in_the_lease(smtp: SMTPProvider, monkeypatch: pytest.MonkeyPatch) -> None:
    a_reminded_patient()
    monkeypatch.setattr(sending, "BEGIN_WITHIN", timedelta(seconds=-1))
    assert send_due(SEVEN, 10)["pending"] == 1
    assert smtp.taken == []
    assert Message.objects.get().attempts == 0


def test_a_claim_reads_the_slots_of_its_messages_however_many_have_opened_since_the_planner_looked() -> None:
    def slots_read() -> int:
        with connection.cursor() as cursor:
            cursor.execute(
                """
                SELECT seq_tup_read + coalesce(idx_tup_fetch, 0) FROM pg_stat_xact_user_tables
                WHERE relname = 'reminders_slot'
                """
            )
            return int(cursor.fetchone()[0])

    patients = [a_diarist(NOON, origin=Origin.CLINIC) for _ in range(12)]
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE reminders_slot, reminders_mention, reminders_message")  # none is open, none is said
        cursor.execute("SET LOCAL enable_seqscan = off")  # as where there are millions
    for now in (SIX, SEVEN):
        tick(now, 100)
    before = slots_read()
    _, claimed = claim(SEVEN, 100, uuid4())
    assert len(claimed) == len(patients)
    assert slots_read() - before <= 2 * len(patients)


def test_while_messages_are_on_their_way_the_caller_sees_to_something_else(smtp: SMTPProvider) -> None:
    a_reminded_patient()
    with Sender() as sender:
        assert (sender.step(SEVEN, 10), sender.is_busy) == ({}, True)
        assert Message.objects.get().state == "claimed"
        assert (sender.step(SEVEN, 10), sender.is_busy) == ({"sent": 1}, False)
    assert Message.objects.get().state == "sent"


def test_what_is_on_its_way_is_kept_even_where_the_caller_fails(smtp: SMTPProvider) -> None:
    a_reminded_patient()

    def fail() -> None:
        with Sender() as sender:
            sender.step(SEVEN, 10)
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    assert (len(smtp.taken), Message.objects.get().state) == (1, "sent")
