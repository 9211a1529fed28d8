"""What phones say about reminders, late, twice and out of order."""

from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from uuid import UUID, uuid4

import msgspec
import pytest
from django.db import transaction
from pytest_django import DjangoAssertNumQueries

from backend.people.models import Device, Patient
from backend.people.writes import Door, next_revisions
from backend.reminders import intake
from backend.reminders.agenda import absence_changes, settings_changes
from backend.reminders.intake import AbsenceItem, NotTodayItem, ReceiptItem, SettingsItem, SnoozeItem
from backend.reminders.models import Absence, Address, Message, ReminderSettings, SlotState
from backend.reminders.sending import send_due
from backend.reminders.slots import SlotKey
from backend.reminders.ticking import tick
from backend.rest.verdicts import Verdict
from backend.sync.pull import decode_cursor, pull
from tests.backend.reminders.given import a_diarist, at, slot_of
from tests.pulling import changes_of

pytestmark = pytest.mark.django_db

NOON = at("2026-03-02T12:00:00+01:00")
SIX = at("2026-03-02T18:00:00+01:00")
SEVEN = at("2026-03-02T19:00:00+01:00")


def key(patient: Patient, day: str = "2026-03-02") -> str:
    slot = slot_of(patient, day)
    return str(SlotKey(slot.schedule_id, slot.local_date, slot.n))


def store(patient: Patient, *items: intake.Item, now: datetime = SEVEN, device: UUID | None = None) -> list[Verdict]:
    door = Door("phone", now, device_id=device)
    kinds: dict[type, list[Any]] = {}
    for item in items:
        kinds.setdefault(type(item), []).append(item)
    with transaction.atomic():
        revisions = next_revisions([patient.pk])
        return [
            *intake.store_receipts(kinds.get(ReceiptItem, []), patient.pk),
            *intake.store_slot_items(
                [*kinds.get(SnoozeItem, []), *kinds.get(NotTodayItem, [])], patient.pk, door, revisions
            ),
            *intake.store_absences(kinds.get(AbsenceItem, []), patient.pk, patient.clinic_id, door, revisions),
            *intake.store_settings(kinds.get(SettingsItem, []), patient.pk, patient.clinic_id, door, revisions),
        ]


def statuses(verdicts: list[Verdict]) -> list[str]:
    return [verdict.errors[0].code if verdict.errors else verdict.status for verdict in verdicts]


class TestReceipts:
    def test_the_first_delivery_and_the_first_opening_are_kept(self) -> None:
        patient = a_diarist(NOON)
        tick(SIX, 10)
        tick(SEVEN, 10)
        send_due(SEVEN, 10)
        message = Message.objects.get()
        delivered = ReceiptItem(uuid4(), message.id, delivered_at=at("2026-03-02T19:00:05+01:00"))
        opened = ReceiptItem(uuid4(), message.id, opened_at=at("2026-03-02T19:03:00+01:00"))
        assert statuses(store(patient, delivered, opened, delivered)) == ["stored", "stored", "duplicate"]
        message.refresh_from_db()
        assert (message.delivered_at, message.opened_at) == (delivered.delivered_at, opened.opened_at)
        assert statuses(store(patient, delivered)) == ["duplicate"]

    def test_anothers_message_is_unknown(self) -> None:
        a_diarist(NOON)
        tick(SIX, 10)
        tick(SEVEN, 10)
        stranger = a_diarist(NOON)
        receipt = ReceiptItem(uuid4(), Message.objects.get().id, opened_at=SEVEN)
        assert statuses(store(stranger, receipt)) == ["unknown_message"]


class TestLater:
    def test_later_is_when_the_patient_said(self, capsys: pytest.CaptureFixture[str]) -> None:
        patient = a_diarist(NOON)
        tick(SIX, 10)
        later = SnoozeItem(uuid4(), key(patient), SIX, 90)
        assert statuses(store(patient, later, later, now=SIX)) == ["stored", "duplicate"]
        tick(SEVEN, 10)
        send_due(SEVEN, 10)
        assert capsys.readouterr().out == ""
        tick(at("2026-03-02T19:30:00+01:00"), 10)
        send_due(at("2026-03-02T19:30:00+01:00"), 10)
        assert "reminder" in capsys.readouterr().out

    def test_later_keeps_back_what_waits_in_the_outbox(self, capsys: pytest.CaptureFixture[str]) -> None:
        patient = a_diarist(NOON)
        tick(SIX, 10)
        tick(SEVEN, 10)
        store(patient, SnoozeItem(uuid4(), key(patient), SEVEN, 30))
        send_due(SEVEN, 10)
        assert capsys.readouterr().out == ""

    def test_a_later_that_arrives_again_after_the_reminder_reminds_no_second_time(self) -> None:
        patient = a_diarist(NOON)
        tick(SIX, 10)
        later = SnoozeItem(uuid4(), key(patient), SIX, 30)
        store(patient, later, now=SIX)
        tick(at("2026-03-02T18:30:00+01:00"), 10)
        said = slot_of(patient, "2026-03-02").remind_at
        assert statuses(store(patient, later)) == ["duplicate"]
        assert slot_of(patient, "2026-03-02").remind_at == said


class TestNotToday:
    def test_one_tap_and_the_slot_asks_no_more(self) -> None:
        patient = a_diarist(NOON)
        tick(SIX, 10)
        item = NotTodayItem(uuid4(), key(patient), SIX, "too tired")
        assert statuses(store(patient, item, item)) == ["stored", "duplicate"]
        slot = slot_of(patient, "2026-03-02")
        assert (slot.state, slot.reason) == (SlotState.DECLINED, "too tired")
        assert tick(SEVEN, 10)["pending"] == 0

    def test_what_names_no_slot_of_the_patient_is_refused(self) -> None:
        patient, stranger = a_diarist(NOON), a_diarist(NOON)
        items = [NotTodayItem(uuid4(), text, SIX) for text in (key(stranger), "nonsense", "a:b:c", "")]
        assert statuses(store(patient, *items)) == ["unknown_slot"] * 4
        assert slot_of(stranger, "2026-03-02").state == SlotState.UPCOMING

    def test_one_or_many_take_the_same_statements(self, django_assert_num_queries: DjangoAssertNumQueries) -> None:
        patient = a_diarist(NOON)
        items = [NotTodayItem(uuid4(), key(patient, f"2026-03-{day:02}"), SIX) for day in range(2, 12)]
        revisions = next_revisions([patient.pk])
        for some in (items[:1], items[1:]):
            with django_assert_num_queries(2):
                intake.store_slot_items(some, patient.pk, Door("phone", SEVEN), revisions)


class TestAbsence:
    def test_days_away_are_paused_until_they_are_cancelled(self) -> None:
        patient = a_diarist(NOON)
        away = AbsenceItem(uuid4(), NOON, date(2026, 3, 4), date(2026, 3, 6))
        assert statuses(store(patient, away, away)) == ["stored", "duplicate"]
        assert slot_of(patient, "2026-03-05").state == SlotState.PAUSED
        back = msgspec.structs.replace(away, cancelled=True)
        assert statuses(store(patient, back, away)) == ["stored", "duplicate"]
        assert slot_of(patient, "2026-03-05").state == SlotState.UPCOMING
        ((_, place, change),) = absence_changes(patient.pk)
        assert place == f"absence:{away.id}"
        assert change["data"] == {"first_day": "2026-03-04", "last_day": "2026-03-06", "cancelled": True}

    def test_wrong_days_are_refused_and_other_days_conflict(self) -> None:
        patient = a_diarist(NOON)
        away = AbsenceItem(uuid4(), NOON, date(2026, 3, 4), date(2026, 3, 6))
        wrong = AbsenceItem(uuid4(), NOON, date(2026, 3, 4), date(2026, 3, 3))
        other = msgspec.structs.replace(away, last_day=date(2026, 3, 7))
        assert statuses(store(patient, away, wrong, other)) == ["stored", "out_of_range", "conflict"]
        assert Absence.objects.get().last_day == date(2026, 3, 6)

    def test_two_patients_whose_phones_send_the_same_id_do_not_meet(self) -> None:
        away = AbsenceItem(uuid4(), NOON, date(2026, 3, 4), date(2026, 3, 6))
        assert statuses([*store(a_diarist(NOON), away), *store(a_diarist(NOON), away)]) == ["stored", "stored"]


class TestSettings:
    def test_the_latest_word_holds_in_whatever_order_it_arrives(self) -> None:
        patient = a_diarist(NOON)
        first = SettingsItem(uuid4(), NOON, quiet_from=time(20), weekly_cap=3)
        second = SettingsItem(uuid4(), SIX, weekly_cap=9)
        assert statuses(store(patient, second, first)) == ["stored", "stored"]
        assert statuses(store(patient, first)) == ["duplicate"]
        settings = ReminderSettings.objects.get()
        assert (settings.quiet_from, settings.weekly_cap, settings.channel) == (time(20), 9, "auto")
        ((_, _, change),) = settings_changes(patient.pk)
        assert change["data"]["weekly_cap"] == 9

    def test_a_pull_brings_settings_and_absences_to_every_phone(self) -> None:
        patient = a_diarist(NOON)
        seen = pull(None, patient.pk, patient.clinic_id, "en").cursor
        away = AbsenceItem(uuid4(), NOON, date(2026, 6, 4), date(2026, 6, 6))
        store(patient, SettingsItem(uuid4(), NOON, weekly_cap=3), away)
        changes = changes_of(pull(decode_cursor(seen), patient.pk, patient.clinic_id, "en"))
        assert {change["type"] for change in changes} == {"settings", "absence"}

    def test_who_chose_no_reminders_is_not_reminded(self) -> None:
        patient = a_diarist(NOON)
        store(patient, SettingsItem(uuid4(), NOON, channel="none"), now=NOON)
        tick(SIX, 10)
        assert slot_of(patient, "2026-03-02").remind_at is None

    def test_a_phone_says_where_it_can_be_pushed_to_and_takes_it_back(self) -> None:
        patient = a_diarist(NOON)
        device = Device.objects.create(id=uuid4(), clinic=patient.clinic, patient=patient, session_key="generated")
        push = intake.PushAddress("fcm", "generated-token")
        store(patient, SettingsItem(uuid4(), NOON, push=push), device=device.id)
        assert Address.objects.get().target == "generated-token"
        store(patient, SettingsItem(uuid4(), SIX, weekly_cap=4), device=device.id)
        assert Address.objects.count() == 1
        store(patient, SettingsItem(uuid4(), SEVEN, push=None), device=device.id)
        assert Address.objects.count() == 0

    def test_a_subscription_that_leads_into_our_own_net_is_refused_and_changes_nothing(self) -> None:
        patient = a_diarist(NOON)
        device = Device.objects.create(id=uuid4(), clinic=patient.clinic, patient=patient, session_key="generated")
        target = '{"endpoint": "https://10.0.0.1/push", "keys": {"p256dh": "x", "auth": "x"}}'
        inward = SettingsItem(uuid4(), NOON, weekly_cap=2, push=intake.PushAddress("webpush", target))
        assert statuses(store(patient, inward, device=device.id)) == ["unknown_push_service"]
        assert not Address.objects.exists()
        assert not ReminderSettings.objects.exists()

    def test_a_clock_that_is_ahead_does_not_lock_the_settings(self) -> None:
        patient = a_diarist(NOON)
        years = timedelta(days=4000)
        first = SettingsItem(uuid4(), NOON + years, weekly_cap=2)
        store(patient, first, SettingsItem(uuid4(), SIX + years, weekly_cap=4))
        assert ReminderSettings.objects.get().weekly_cap == 4
        a_day = timedelta(days=1)
        store(patient, SettingsItem(uuid4(), NOON + a_day, weekly_cap=5), now=SEVEN + a_day)
        assert ReminderSettings.objects.get().weekly_cap == 5


@pytest.mark.parametrize(
    ("raw", "named"),
    [
        ({"type": "snooze", "slot": "x", "minutes": 1}, "$.minutes"),
        ({"type": "not-today", "slot": "x", "reason": "x" * 201}, "$.reason"),
        ({"type": "settings", "quiet_from": "25:00:00"}, "$.quiet_from"),
        ({"type": "settings", "channel": "pigeon"}, "$.channel"),
        ({"type": "settings", "push": {"channel": "fcm", "target": ""}}, "$.push.target"),
        ({"type": "absence", "first_day": "2026-02-30", "last_day": "2026-03-01"}, "$.first_day"),
    ],
)
def test_what_is_wrong_is_named(raw: dict[str, Any], named: str) -> None:
    whole = {"id": str(uuid4()), "authored_at": datetime(2026, 3, 2, tzinfo=UTC).isoformat()} | raw
    with pytest.raises(msgspec.ValidationError) as refused:
        msgspec.json.decode(msgspec.json.encode(whole), type=intake.Item)
    assert named in str(refused.value)
