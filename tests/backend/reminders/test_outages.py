"""Days on which the clock itself misbehaves, or nobody looked at it: what is said, against what anybody would count."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

import pytest

from backend.people.models import Patient, ZoneHistory
from backend.reminders.calling import LEASE as CALL_LEASE
from backend.reminders.calling import claim as claim_calls
from backend.reminders.calling import send_calls
from backend.reminders.dispatching import dispatch
from backend.reminders.escalation import watch
from backend.reminders.models import Call, Mention, Message
from backend.reminders.planning import plan
from backend.reminders.sending import LEASE, Result, _keep, claim, send_due
from backend.reminders.slots import Remind, Rule, Window
from backend.reminders.ticking import tick
from tests.backend.reminders.given import a_diarist
from tests.backend.reminders.test_escalation import an_alert, patient

__all__ = ["patient"]  # a fixture

pytestmark = pytest.mark.django_db

DAY, LOOK = timedelta(days=1), timedelta(minutes=30)
MORNING = Rule((Window(time(8), time(12)),), remind=Remind(nudges=0))
# The days on which the clocks change: forward, and back.
CHANGES = {
    "Europe/Zurich": ("2026-03-29", "2026-10-25"),
    "America/New_York": ("2026-03-08", "2026-11-01"),
    "Australia/Lord_Howe": ("2026-10-04", "2026-04-05"),
}


def local(day: date, clock: time, zone: str) -> datetime:
    return datetime.combine(day, clock, ZoneInfo(zone)).astimezone(UTC)


def look_from(begin: datetime, end: datetime) -> None:
    while begin < end:
        dispatch(begin, 100)
        begin += LOOK


def said(patient: Patient) -> list[tuple[str, str]]:
    """The local day that each message is about, and what the patient's clock showed when it left."""
    zones = sorted((row.since, row.time_zone) for row in ZoneHistory.objects.filter(patient=patient))
    mentions = Mention.objects.filter(patient=patient, message__state="sent").select_related("message")
    found = []
    for mention in mentions.order_by("message__sent_at"):
        at = mention.message.sent_at
        assert at
        zone = [name for since, name in zones if since <= at][-1]
        found.append((mention.local_date.isoformat(), f"{at.astimezone(ZoneInfo(zone)):%m-%d %H:%M}"))
    return found


@pytest.mark.parametrize(("zone", "day"), [(zone, day) for zone, days in CHANGES.items() for day in days])
def test_around_a_change_of_the_clocks_each_day_is_said_once_at_the_same_hour(zone: str, day: str) -> None:
    """Three days are looked at every half hour, as by a worker; eight o'clock is eight o'clock on each."""
    change = date.fromisoformat(day)
    begin, end = local(change - DAY, time(0), zone), local(change + 2 * DAY, time(0), zone)
    patient = a_diarist(begin - DAY, MORNING, zone=zone, enrolled_at="2026-01-01T10:00:00+00:00")
    look_from(begin, end)
    days = [change + n * DAY for n in (-1, 0, 1)]
    assert said(patient)[-3:] == [(each.isoformat(), f"{each:%m-%d} 08:00") for each in days]


@pytest.mark.parametrize("zone", list(CHANGES))
def test_a_beat_that_stopped_for_a_day_says_today_once_and_counts_what_it_missed(zone: str) -> None:
    """It stops in the evening before the clocks go forward, and comes back in the evening after the day of it."""
    change = date.fromisoformat(CHANGES[zone][0])
    patient = a_diarist(local(change - 3 * DAY, time(0), zone), MORNING, zone=zone, enrolled_at="2026-01-01T10:00:00Z")
    look_from(local(change - 2 * DAY, time(0), zone), local(change - DAY, time(20), zone))
    back = local(change + DAY, time(22), zone)
    dispatch(back, 100)
    assert said(patient)[-1][0] == (change - DAY).isoformat()  # at ten in the evening, of two mornings, nothing
    look_from(back, local(change + 2 * DAY, time(12), zone))
    missed = {(change + n * DAY).isoformat() for n in (0, 1)}
    today = (change + 2 * DAY).isoformat()
    assert not missed & {day for day, _ in said(patient)}
    assert said(patient)[-1] == (today, f"{change + 2 * DAY:%m-%d} 08:00")
    assert [day for day, _ in said(patient)].count(today) == 1


@pytest.mark.parametrize(
    ("before", "after"), [("Pacific/Kiritimati", "Pacific/Pago_Pago"), ("Pacific/Pago_Pago", "Pacific/Kiritimati")]
)
def test_who_crosses_the_date_line_hears_of_each_day_once_and_never_at_night(before: str, after: str) -> None:
    flight = datetime(2026, 5, 10, 3, tzinfo=UTC)
    patient = a_diarist(flight - 3 * DAY, MORNING, zone=before, enrolled_at="2026-01-01T10:00:00Z")
    look_from(flight - 2 * DAY, flight)
    ZoneHistory.objects.create(clinic=patient.clinic, patient=patient, since=flight, time_zone=after)
    Patient.objects.filter(pk=patient.pk).update(time_zone=after)
    plan([patient.pk], flight)
    look_from(flight, flight + 3 * DAY)
    days = [day for day, _ in said(patient)]
    assert len(days) == len(set(days))
    assert all("07:00" <= shown[-5:] < "21:00" for _, shown in said(patient))
    first, last = date.fromisoformat(days[0]), date.fromisoformat(days[-1])
    without = {(first + n * DAY).isoformat() for n in range((last - first).days)} - set(days)
    assert len(without) <= 1  # eastward to westward a whole morning may be flown over: it can't be answered


def test_a_worker_whose_clock_is_ahead_may_send_again_under_the_same_id_and_what_it_noted_stands() -> None:
    """Its lease is over by the other's clock. The one whose lease it was does not undo what the other has noted."""
    now = local(date(2026, 3, 3), time(8), "Europe/Zurich")
    a_diarist(now - timedelta(hours=10), MORNING)
    tick(now, 100)
    lease = uuid4()
    _, (mine,) = claim(now, 100, lease)
    assert send_due(now + LEASE, 100) == {"sent": 1}
    _keep([Result(mine.id, Message.State.PENDING, now, error="late")], lease, now)
    assert Message.objects.values_list("id", "state").get() == (mine.id, "sent")


def test_a_worker_whose_clock_is_behind_sees_nothing_due_that_others_have_sent() -> None:
    now = local(date(2026, 3, 3), time(8), "Europe/Zurich")
    a_diarist(now - timedelta(hours=10), MORNING)
    for skew in (0, -3, 2, -1, 4):  # minutes
        dispatch(now + timedelta(minutes=skew), 100)
    assert Message.objects.values_list("state", flat=True).get() == "sent"


def test_of_two_watchers_with_different_clocks_each_telling_is_one_call(patient: Patient) -> None:
    now = datetime(2026, 11, 23, 10, tzinfo=UTC)
    an_alert(patient, at=now)
    for skew in (0, 120, -120, 60):  # seconds
        watch(now + timedelta(seconds=skew), limit=10)
    call = Call.objects.get()
    claim_calls(now, 10, UUID(int=1))
    assert send_calls(now + CALL_LEASE - timedelta(seconds=1), limit=10) == {}
    assert send_calls(now + CALL_LEASE, limit=10) == {"sent": 1}
    assert Call.objects.get().pk == call.pk


def test_after_a_day_without_a_watcher_an_alert_is_told_once_and_not_for_each_hour_missed(patient: Patient) -> None:
    now = datetime(2026, 11, 23, 10, tzinfo=UTC)
    an_alert(patient, at=now)
    for _ in range(3):
        watch(now + DAY, limit=10)
    assert Call.objects.count() == 1
