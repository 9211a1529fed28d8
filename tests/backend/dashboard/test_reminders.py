"""What a patient is asked, what was said of it, and why not; and the baseline that a change is counted from."""

from datetime import UTC, datetime, time, timedelta

import pytest
from django.test import Client
from django.utils import timezone
from uuid_utils.compat import uuid7

from backend.dashboard.asked import rule_words, window_words
from backend.dashboard.templatetags.dashboard import to
from backend.people.models import Audit, Patient, User
from backend.reminders.models import Absence, Mention, Message, Schedule, Slot
from backend.reminders.slots import Points, Rule, Weeks, read_rule
from outcomes.models import Baseline
from tests.backend.dashboard import builders

pytestmark = pytest.mark.django_db

DAILY = {"windows": [{"opens": "18:00:00", "closes": "23:00:00"}]}


@pytest.fixture
def patient() -> Patient:
    return builders.patient(builders.team(builders.clinic()))


@pytest.fixture
def colleague(patient: Patient, client: Client) -> User:
    user = builders.colleague(patient.clinic, patient.care_team)
    builders.sign_in(client, user)
    return user


def post(client: Client, patient: Patient, path: str, **data: str) -> str:
    return str(client.post(f"/patients/{patient.pk}/{path}", data, secure=True, follow=True).content.decode())


def asked(patient: Patient) -> Schedule:
    return Schedule.objects.create(
        id=uuid7(), clinic=patient.clinic, patient=patient, asks="instrument", code="daily-diary", rule=DAILY
    )


def test_what_was_sent_and_why_not_is_told(client: Client, patient: Patient, colleague: User) -> None:
    now = timezone.now()
    schedule = asked(patient)
    said = [
        ("sent", "", {"sent_at": now, "opened_at": now}),
        ("skipped", "quiet hours", {}),
        ("dead", "no address", {}),
    ]
    for n, (state, error, more) in enumerate(said, 1):
        at = now - timedelta(days=n)
        slot = Slot.objects.create(
            patient=patient, clinic=patient.clinic, schedule=schedule, rev=1, local_date=at.date(), n=0, state="missed",
            opens_at=at, closes_at=at + timedelta(hours=1), missed_at=at + timedelta(hours=2),
        )  # fmt: skip
        message = Message.objects.create(
            id=uuid7(), clinic=patient.clinic, patient=patient, state=state, error=error, channel="email",
            planned_at=at, due_at=at, expires_at=at, **more,
        )  # fmt: skip
        Mention.objects.create(
            patient=patient, clinic=patient.clinic, schedule=schedule, message=message, nudge=0, n=0,
            local_date=slot.local_date,
        )  # fmt: skip
    text = client.get(f"/patients/{patient.pk}/reminders/", secure=True).content.decode()
    for words in ("every day, 18:00–23:00", "opened (email)", "not sent (email): quiet hours", "no address"):
        assert words in text
    assert Audit.objects.filter(patient=patient, action="read slots").count() == 1


def test_a_schedule_is_ended_and_a_plan_says_what_it_leaves_out(
    client: Client, patient: Patient, colleague: User
) -> None:
    schedule = asked(patient)
    assert "It is asked no more." in post(client, patient, f"reminders/schedules/{schedule.pk}/end")
    schedule.refresh_from_db()
    assert not schedule.active
    text = post(client, patient, "reminders/", do="plan", plan="default")
    assert "Asked by the plan." in text
    assert "Name them, or use phq-8" in text  # nobody is on call here
    assert Schedule.objects.filter(patient=patient, active=True, created_by=colleague).exists()
    assert "Say from which day" in post(client, patient, "reminders/", do="plan", plan="ichom-surgery")


WEEKLY = {
    "code": "red-flag-screen",
    "rhythm": "weeks",
    "every": "2",
    "on": "3",
    "anchor": "enrolment",
    "nudges": "1",
    "opens_0": "09:00",
    "closes_0": "20:00",
    "later_0": "1",
}


def test_one_more_instrument_is_asked_for_and_its_rule_changed(
    client: Client, patient: Patient, colleague: User
) -> None:
    assert "It is asked from now on." in post(client, patient, "reminders/schedules/new", **WEEKLY)
    made = Schedule.objects.get(patient=patient)
    assert (made.code, made.created_by) == ("red-flag-screen", colleague)
    assert rule_words(read_rule(made.rule)) == "every 2 weeks (Wed), 09:00–20:00 next day"

    address = f"reminders/schedules/{made.pk}/change"
    page = client.get(f"/patients/{patient.pk}/{address}", secure=True).content.decode()
    assert 'value="2"' in page
    assert "Until now: every 2 weeks (Wed), 09:00–20:00 next day." in page
    points = WEEKLY | {"rhythm": "points", "days": "0, 14", "months": "6", "anchor": "date", "anchor_on": "2026-12-01"}
    assert "It is asked so from now on." in post(client, patient, address, **points)
    made.refresh_from_db()
    assert rule_words(read_rule(made.rule)) == "day 0, day 14, month 6, 09:00–20:00 next day"
    assert made.version == 2
    actions = Audit.objects.filter(patient=patient).values_list("action", flat=True)
    assert {"wrote schedule", "changed schedule"} <= set(actions)


def test_what_the_form_does_not_ask_for_stays(client: Client, patient: Patient, colleague: User) -> None:
    schedule = asked(patient)
    schedule.rule = DAILY | {"burst": {"days": 7, "months": 3}, "remind": {"after": 30, "nudges": 0, "every": 60}}
    schedule.save()
    daily = {"rhythm": "days", "every": "1", "anchor": "enrolment", "nudges": "2"}
    window = {"opens_0": "07:00", "closes_0": "09:00"}
    post(client, patient, f"reminders/schedules/{schedule.pk}/change", **daily, **window)
    schedule.refresh_from_db()
    rule = read_rule(schedule.rule)
    assert rule_words(rule) == "every day, 07:00–09:00, for 7 days every 3 months"
    assert (rule.remind.after, rule.remind.nudges) == (30, 2)


@pytest.mark.parametrize(
    ("wrong", "said", "field"),
    [
        ({"code": ""}, "This field is required.", "code"),
        ({"code": "nope"}, "not one of the available choices", "code"),
        ({"every": ""}, "Say how many.", "every"),
        ({"rhythm": "points"}, "Name at least one point", "days"),
        ({"rhythm": "points", "days": "soon"}, "Whole numbers, with commas", "days"),
        ({"rhythm": "points", "days": "9999"}, "Expected `int` &lt;= 3660", "days"),
        ({"anchor": "surgery"}, "Say which day.", "anchor_on"),
        ({"anchor_on": "2026-12-01"}, "Leave it empty", "anchor_on"),
        ({"anchor": "date", "anchor_on": "1926-12-01"}, "more than thirty years away", "anchor_on"),
        ({"closes_0": "08:00", "later_0": "0"}, "It closes before it opens.", "closes_0"),
        ({"opens_1": "10:00"}, "A window has a beginning and an end.", "closes_1"),
        ({"opens_1": "10:00", "closes_1": "11:00"}, "Windows stand in order", "opens_0"),
    ],
)
def test_what_is_wrong_with_a_rule_stands_next_to_the_field(
    client: Client, patient: Patient, colleague: User, wrong: dict[str, str], said: str, field: str
) -> None:
    page = post(client, patient, "reminders/schedules/new", **WEEKLY | wrong)
    beside = page.partition(f'for="id_{field}"')[2].partition('<div class="field')[0]
    assert said in beside
    assert not Schedule.objects.exists()


def test_what_is_asked_already_is_not_asked_twice(client: Client, patient: Patient, colleague: User) -> None:
    post(client, patient, "reminders/schedules/new", **WEEKLY)
    assert "asked for already" in post(client, patient, "reminders/schedules/new", **WEEKLY)
    page = client.get(f"/patients/{patient.pk}/reminders/schedules/new", secure=True).content.decode()
    assert "Somebody must read the answer to item 9 of phq-9" in page  # and why what is not offered is not


def test_a_programme_says_itself_when_its_sessions_are_asked_for(
    client: Client, patient: Patient, colleague: User
) -> None:
    schedule = asked(patient)
    schedule.asks, schedule.rule = "session", {"anchor": "prescription"}
    schedule.save()
    address = f"/patients/{patient.pk}/reminders/schedules/{schedule.pk}/change"
    assert client.get(address, secure=True).status_code == 404


def test_days_away_are_entered_and_taken_back(client: Client, patient: Patient, colleague: User) -> None:
    first = timezone.now().date() + timedelta(days=3)
    wrong = {"do": "away", "first_day": str(first), "last_day": str(first - timedelta(days=1))}
    assert "errorlist" in post(client, patient, "reminders/", **wrong)
    assert "Nothing is asked on these days." in post(client, patient, "reminders/", **wrong | {"last_day": str(first)})
    row = Absence.objects.get(patient=patient)
    assert "after all" in post(client, patient, f"reminders/away/{row.id}/back")
    row.refresh_from_db()
    assert row.cancelled


def test_rules_are_said_plainly() -> None:
    assert rule_words(read_rule({"anchor": "prescription"})) == "as the programme says"
    window = read_rule(DAILY).windows
    assert rule_words(Rule(window, Weeks(every=2, on=(1, 5)))) == "every 2 weeks (Mon, Fri), 18:00–23:00"
    assert rule_words(Rule(window, Points(days=(14,), months=(6,)))) == "day 14, month 6, 18:00–23:00"
    assert window_words(time(9), time(9), 1) == "09:00–09:00 next day"
    assert window_words(time(9), time(20), 3) == "09:00–20:00, 3 days later"


def test_a_window_that_ends_on_another_day_says_so_by_the_clock_of_the_page() -> None:
    opens = datetime(2026, 6, 15, 21, 30, tzinfo=UTC)  # half past eleven at night in Zurich
    with timezone.override("Europe/Zurich"):
        assert to(timezone.localtime(opens), opens + timedelta(minutes=20)) == "23:30–23:50"
        assert to(timezone.localtime(opens), opens + timedelta(hours=1)) == "23:30–00:30 next day"


def test_a_new_baseline_wants_a_reason(client: Client, patient: Patient, colleague: User) -> None:
    today = timezone.now().date()
    builders.scores(patient, "daily-diary.pain-average", [5.0] * 10, last=today)
    builders.trend(patient, "daily-diary.pain-average", last_day=today)
    address = "baseline/daily-diary.pain-average"
    days = {"from_day": str(today - timedelta(days=6)), "to_day": str(today)}
    assert "This field is required." in post(client, patient, address, **days)
    far = {"from_day": "2020-01-01", "to_day": "2020-02-01", "reason": "why"}
    assert "at least 3 days with an entry" in post(client, patient, address, **far)
    assert "version 1 now" in post(client, patient, address, **days, reason="new start")
    assert Baseline.objects.get().set_by == colleague
    assert client.get(f"/patients/{patient.pk}/baseline/nonsense", secure=True).status_code == 404
