"""The page of one patient: where they stand, what they answered, their phone, who looked."""

import json
import re
from datetime import UTC, date, datetime, timedelta

import numpy as np
import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from backend.dashboard import charts
from backend.dashboard.answers import PAGE, entries
from backend.dashboard.chart_marks import marks, seconds
from backend.dashboard.facts import facts
from backend.dashboard.notes import write
from backend.dashboard.patient import Line
from backend.dashboard.sentences import Standing, sentences
from backend.people.enrolment import hash_of
from backend.people.models import Invitation, Patient, User
from backend.sync.models import Quarantine
from exercises.plan import Phase
from outcomes.levels import ewma, running
from outcomes.loading import measure
from outcomes.models import Baseline, Measure, Response
from tests.backend.dashboard import builders
from tests.backend.dashboard.builders import NOW, TODAY
from tests.exercises.programmes import a_course, a_programme
from tests.factories import a_patient
from tests.signin import a_device

pytestmark = pytest.mark.django_db


@pytest.fixture
def patient() -> Patient:
    return builders.patient(builders.team(builders.clinic()), date_of_birth=TODAY - timedelta(days=40 * 366))


@pytest.fixture
def colleague(patient: Patient, client: Client) -> User:
    user = builders.colleague(patient.clinic, patient.care_team)
    builders.sign_in(client, user)
    return user


def test_the_two_sentences_say_what_changed_with_numbers_and_dates() -> None:
    standings = [
        Standing("pain", "worsened", 6.6, 4.1, TODAY - timedelta(days=60)),
        Standing("fear of movement", "unknown", 4.0),
        Standing("depression", "improved", 9.0, 15.0, TODAY - timedelta(days=60), decimals=0),
        Standing("adherence", "no-clear-change", 68.0, 65.0, decimals=0),
    ]
    first, second = sentences(standings, TODAY - timedelta(days=2), TODAY)
    assert first == (
        "Pain has worsened from 4.1 (16 April 2026) to 6.6; depression has improved from 15 (16 April 2026) to 9."
    )
    assert second == (
        "No clear change in adherence (68); not enough data to tell about fear of movement (4.0); "
        "last entry 2 days ago, 13 June 2026."
    )


def test_what_has_no_threshold_or_no_baseline_is_told_as_what_it_is() -> None:
    fear = Standing("fear of movement", "unknown", 4.8, 4.0, TODAY - timedelta(days=60))
    adherence = Standing("adherence", "unknown", 68.0, decimals=0, share=True, last_day=TODAY - timedelta(days=3))
    _first, second = sentences([fear, adherence], TODAY, TODAY)
    assert second == (
        "Fear of movement went from 4.0 to 4.8, with no threshold known; "
        "adherence is at 68 % of what was prescribed; last entry today, 15 June 2026."
    )
    stopped = Standing("adherence", "unknown", 68.0, decimals=0, share=True, last_day=TODAY - timedelta(days=40))
    _first, second = sentences([stopped], TODAY, TODAY)
    assert second.startswith("Adherence was at 68 % of what was prescribed, until 6 May 2026;")


@pytest.mark.usefixtures("colleague")
def test_of_adherence_nothing_is_said_before_anything_was_due(client: Client, patient: Patient) -> None:
    page = f"/patients/{patient.pk}/"
    builders.trend(patient, "daily-diary.pain-average", baseline=4.0, change=0.2, change_label="no-clear-change")
    assert "adherence" not in client.get(page).context["sentences"][1]
    builders.trend(patient, "adherence.day", level=71.0, last_day=timezone.localdate(), enough_data=True)
    shown = client.get(page)
    assert "adherence is at 71 % of what was prescribed" in shown.context["sentences"][1]
    assert [line.verdict for line in shown.context["lines"]] == ["no clear change", "no baseline"]


def test_without_a_change_and_without_an_entry_the_sentences_say_so() -> None:
    first, second = sentences([Standing("pain", "no-clear-change", 3.0)], None, TODAY)
    assert first == "Nothing has clearly changed since the baseline."
    assert second == "No clear change in pain (3.0); no entry so far."


def test_the_time_lines_keep_every_days_median_and_gaps_stay_gaps(patient: Patient) -> None:
    builders.scores(patient, "daily-diary.pain-average", [2, 8, None, 4])
    builders.scores(patient, "daily-diary.pain-average", {TODAY: 6})
    drawn = charts.drawn(patient, TODAY - timedelta(days=4), TODAY)
    (pain,) = drawn["charts"]
    assert pain["lines"][0]["y"] == [None, 2, 8, None, 5]
    assert [band["name"] for band in pain["bands"]] == ["none", "mild", "moderate", "severe"]


def test_levels_slopes_and_thresholds_are_drawn_from_the_same_trend(patient: Patient) -> None:
    builders.scores(patient, "daily-diary.pain-average", [round(7 - n / 14, 1) for n in range(84)])
    first, known = TODAY - timedelta(days=83), Measure.objects.get(code="daily-diary.pain-average")
    builders.trend(patient, known.code, slope_per_week=-0.5, enough_data=True, first_day=first, last_day=TODAY)
    Baseline.objects.create(
        clinic=patient.clinic, patient=patient, measure=known, value=7, from_day=first, to_day=first
    )
    (pain,) = charts.drawn(patient, TODAY - timedelta(days=27), TODAY)["charts"]
    at = {each["title"]: each["at"] for each in pain["thresholds"]}
    assert at == {"MCID": 5, "MDC95": pytest.approx(4.2, abs=0.1)}
    assert pain["slope"]["at_to"] == pytest.approx(7 - 83 / 14, abs=0.1)
    assert pain["slope"]["at_from"] - pain["slope"]["at_to"] == pytest.approx(27 / 14, abs=0.05)
    assert pain["level"][-1] == pytest.approx(pain["lines"][0]["y"][-1], abs=0.4)
    assert all(error > 0 for error in pain["error"])


def test_the_running_level_ends_where_the_trend_has_it() -> None:
    days, values = np.array([0, 1, 2, 9, 10]), np.array([4.0, 6.0, 5.0, 2.0, 3.0])
    level, error = running(days, values, 2.4)
    assert level[-1] == pytest.approx(ewma(days[None], values[None], 2.4)[0])
    assert error[0] == pytest.approx(np.sqrt((np.diff(values) ** 2).mean() / 2))
    assert error[-1] < error[0]


def test_what_the_lines_come_to_is_said_with_numbers(patient: Patient) -> None:
    fields = {"slope_per_week": -0.5, "slope_low": -0.7, "slope_high": -0.3, "change": -2.3, "baseline": 7.0}
    trend = builders.trend(patient, "daily-diary.pain-average", level=4.7, enough_data=True, **fields)
    said = facts(Line(measure("daily-diary.pain-average"), trend, None), [5.0, 4.0, 5.0, 4.0])
    assert said[0].startswith("level 4.7 ± ")
    assert said[1] == "slope −0.50 a week (−0.70 … −0.30)"
    assert said[2] == "change −2.3 since the baseline of 7.0: MCID 2.0 reached; MDC95 2.8 not reached"


def test_treatments_phases_and_notes_stand_beside_the_lines(patient: Patient) -> None:
    user = builders.colleague(patient.clinic, patient.care_team)
    phases = (Phase(name="Start", goal="Move", weeks=1), Phase(name="Build", goal="More", weeks=8))
    day = a_programme(patient, phases=phases).starts_on
    course, last = a_course(patient), day + timedelta(days=20)
    note = write(patient, day, "x" * 200, by=user, now=NOW)
    write(patient, day, "Walks to work.", by=user, now=NOW, replaces=note.note)
    found = marks(patient, day - timedelta(days=5), last)
    assert [band["title"] for band in found["phases"]] == ["Start", "Build"]
    assert found["phases"][0]["to"] == seconds(day + timedelta(days=6))
    band = {"from": seconds(course.starts_on), "to": seconds(last), "title": "Brain stimulation: rTMS"}
    assert found["treatments"] == [band]
    assert found["notes"] == [{"x": seconds(day), "title": "note: Walks to work."}]


@pytest.mark.parametrize(
    ("span", "said"), [("", "Pain week by week"), ("1y", "Pain month by month"), ("x", "Pain week")]
)
def test_the_tables_follow_the_span(client: Client, patient: Patient, colleague: User, span: str, said: str) -> None:
    builders.scores(patient, "daily-diary.pain-average", [4] * 300, last=timezone.now().date())
    assert said in client.get(f"/patients/{patient.pk}/?span={span}", secure=True).content.decode()


def test_five_years_are_drawn_from_at_most_a_thousand_points_a_line(patient: Patient) -> None:
    days = {TODAY - timedelta(days=n): float(n % 11) for n in range(1826)}
    for code in ("daily-diary.pain-average", "daily-diary.pain-worst"):
        builders.scores(patient, code, days)
    drawn = charts.drawn(patient, TODAY - timedelta(days=1825), TODAY)
    assert 200 < len(drawn["charts"][0]["x"]) <= charts.MOST_POINTS


def test_the_page_costs_the_same_number_of_statements_for_a_day_and_for_years(
    client: Client, patient: Patient, colleague: User
) -> None:
    def statements(path: str) -> int:
        with CaptureQueriesContext(connection) as captured:
            assert client.get(path, secure=True).status_code == 200
        return len(captured)

    pages = [
        f"/patients/{patient.pk}/{rest}"
        for rest in ("", "?span=all", "series?span=all", "answers/", "record/", "reminders/")
    ]
    today = timezone.now().date()
    builders.scores(patient, "daily-diary.pain-average", [4], last=today)
    builders.trend(patient, "daily-diary.pain-average")
    builders.response(patient, "phq-9", {"1": 1})
    measures_are_known = [statements(page) for page in pages]
    few = [statements(page) for page in pages]
    assert few <= measures_are_known
    builders.scores(patient, "phq-9.total", [5] * 400, last=today)
    builders.scores(patient, "daily-diary.sleep", [5] * 400, last=today)
    builders.trend(patient, "phq-9.total")
    for n in range(40):
        builders.response(patient, "phq-9", {"1": 1}, NOW - timedelta(days=n + 1))
    assert [statements(page) for page in pages] == few


def test_every_item_is_shown_and_an_unanswered_one_is_no_zero(patient: Patient) -> None:
    builders.response(patient, "phq-9", {str(n): 0 for n in range(1, 9)})
    ((entry,), after) = entries(patient, "en", None)
    assert after is None
    last = entry.answers[8]
    assert (last.item, last.value, last.words) == ("9", None, "")
    assert (entry.answers[0].value, entry.answers[0].words) == (0, "Not at all")


def test_corrections_clocks_and_withdrawals_are_told(client: Client, patient: Patient, colleague: User) -> None:
    first = builders.response(patient, "phq-9", {"1": 3}, NOW - timedelta(hours=2))
    second = builders.response(patient, "phq-9", {"1": 1}, replaces=first.id, clock_skew=1200)
    first.live, first.replaced_by = False, second.id
    first.save()
    gone = builders.response(patient, "daily-diary", {"pain-now": 4}, NOW - timedelta(days=1))
    gone.live, gone.withdrawn_at, gone.withdrawn_by, gone.withdrawn_reason = False, NOW, colleague, "twice"
    gone.save()
    text = client.get(f"/patients/{patient.pk}/answers/", secure=True).content.decode()
    assert "Corrected by a later answer." in text
    assert "Corrects an earlier answer." in text
    assert "out by 20 min" in text
    assert f"{colleague.name}: twice" in text
    assert "answered 15 Jun 2026, 12:00 (Europe/Zurich)" in text


def test_a_phone_that_sends_utc_is_read_by_the_patients_own_clock(
    client: Client, patient: Patient, colleague: User
) -> None:
    builders.response(patient, "phq-9", {"1": 3}, utc_offset=0)
    text = client.get(f"/patients/{patient.pk}/answers/", secure=True).content.decode()
    assert "answered 15 Jun 2026, 12:00 (Europe/Zurich)" in text


def test_page_after_page_shows_every_response_once(patient: Patient) -> None:
    made = {builders.response(patient, "phq-9", {}, NOW - timedelta(days=n // 2)).id for n in range(2 * PAGE + 3)}
    seen, after = [], None
    for _ in range(3):
        shown, after = entries(patient, "en", after)
        seen += [entry.response.id for entry in shown]
    assert after is None
    assert len(seen) == len(made)
    assert set(seen) == made


def test_a_code_is_shown_once_with_its_qr_code_and_kills_the_one_before(
    client: Client, patient: Patient, colleague: User
) -> None:
    address = f"/patients/{patient.pk}/phone/"
    for _ in range(2):
        sheet = client.post(address + "code", secure=True).content.decode()
    assert "data:image/svg+xml;base64," in sheet
    assert patient.name not in sheet.split("<main")[1]
    alive = Invitation.objects.filter(patient=patient, redeemed_at=None, expires_at__gt=timezone.now())
    printed = re.search(r'<p class="code">([^<]+)</p>', sheet)
    assert printed
    assert bytes(alive.get().code_hash) == hash_of(printed[1])
    assert "holds until" in client.get(address, secure=True).content.decode()


def test_a_lost_phone_is_locked_out(client: Client, patient: Patient, colleague: User) -> None:
    enrolled = a_patient(patient.care_team)
    device, _token = a_device(enrolled)
    client.post(f"/patients/{enrolled.pk}/phone/lost", secure=True)
    device.refresh_from_db()
    assert device.revoked_at is not None


def diary(**fields: object) -> bytes:
    answers = {"pain-now": 4, "pain-average": 5, "pain-worst": 6}
    item = {"type": "response", "id": "0198f0a0-0000-7000-8000-000000000001", "instrument": "daily-diary"}
    rest = {"version": "1", "authored_at": datetime(2026, 6, 14, 19, tzinfo=UTC).isoformat()}
    return json.dumps(item | rest | {"time_zone": "Europe/Zurich", "answers": answers} | fields).encode()


AHEAD = {"field": "authored_at", "code": "in_the_future", "detail": "This is more than a day ahead."}


def handle(client: Client, item: Quarantine, **data: str) -> str:
    address = f"/clinics/{item.clinic_id}/quarantine/{item.patient_id}/{item.id}"
    text = client.post(address, data, secure=True, follow=True).content.decode()
    item.refresh_from_db()
    return str(text)


def test_what_was_refused_is_stored_when_its_reason_is_gone(client: Client, patient: Patient, colleague: User) -> None:
    item = builders.refused(patient, diary())
    assert "It is stored now." in handle(client, item, do="again")
    assert item.closed_by == colleague
    assert Response.objects.filter(patient=patient).count() == 1


def test_what_is_refused_again_stays_open_and_once(client: Client, patient: Patient, colleague: User) -> None:
    item = builders.refused(patient, diary(instrument="nope"))
    assert "refused again" in handle(client, item, do="again")
    assert item.closed_at is None
    assert Quarantine.objects.filter(patient=patient).count() == 1


def test_what_came_with_a_wrong_clock_is_stored_with_the_time_that_the_patient_says(
    client: Client, patient: Patient, colleague: User
) -> None:
    sent = diary(authored_at="2099-01-01T00:00:00Z")
    item = builders.refused(patient, sent, errors=[AHEAD])
    assert "Say when it was" in handle(client, item, do="time", at="", words="asked by phone")
    assert "Say when it was" in handle(client, item, do="time", at="2026-06-14T21:30", words="")
    assert "refused again" in handle(client, item, do="time", at="2098-06-14T21:30", words="asked by phone")
    assert item.closed_at is None
    assert Quarantine.objects.get() == item
    assert "It is stored now." in handle(client, item, do="time", at="2026-06-14T21:30", words="asked by phone")
    stored = Response.objects.get(patient=patient)
    assert stored.authored_at == datetime(2026, 6, 14, 19, 30, tzinfo=UTC)  # by the clock in Zurich
    assert stored.local_day == date(2026, 6, 14)
    assert bytes(item.content) == sent
    assert item.closed_as == "stored with the time 2026-06-14 21:30: asked by phone"


def test_an_answer_says_who_gave_its_time_and_what_the_phone_had_said(
    client: Client, patient: Patient, colleague: User
) -> None:
    sent = diary(authored_at="2099-01-01T00:10:00+01:00")
    item = builders.refused(patient, sent, errors=[AHEAD], client_id=json.loads(sent)["id"])
    builders.response(patient, "phq-9", {"1": 1})
    assert not any(entry.retimed for entry in entries(patient, "en", None)[0])
    handle(client, item, do="time", at="2026-06-14T21:30", words="asked by phone")
    text = client.get(f"/patients/{patient.pk}/answers/", secure=True).content.decode()
    assert text.count("The time is as") == 1
    assert f"The time is as {colleague.name} gave it on " in text
    assert "The phone, its clock wrong, had said 1 Jan 2099, 00:10." in text
    assert "<q>stored with the time 2026-06-14 21:30: asked by phone</q>" in text


def test_a_time_that_the_phone_itself_sent_again_is_nobodys_correction(
    client: Client, patient: Patient, colleague: User
) -> None:
    sent = diary(authored_at="2099-01-01T00:00:00Z")
    item = builders.refused(patient, sent, errors=[AHEAD], client_id=json.loads(sent)["id"])
    builders.response(patient, "daily-diary", {"pain-now": 4}, id=item.client_id)
    handle(client, item, do="close", words="it came again")
    assert not any(entry.retimed for entry in entries(patient, "en", None)[0])


def test_only_a_wrong_time_is_put_right_by_a_time(client: Client, patient: Patient, colleague: User) -> None:
    both = [{"field": "authored_at", "code": "in_the_future"}, {"field": "answers.fear", "code": "out_of_range"}]
    item = builders.refused(patient, diary(authored_at="2099-01-01T00:00:00Z"), errors=both)
    page = client.get(f"/clinics/{patient.clinic_id}/quarantine/", secure=True).content.decode()
    assert "Store it with this time" not in page
    assert "refused again" in handle(client, item, do="time", at="2026-06-14T21:30", words="asked by phone")


def test_closing_wants_a_word_and_keeps_the_item(client: Client, patient: Patient, colleague: User) -> None:
    item = builders.refused(patient, b"\xff not even text")
    assert "Say in a word" in handle(client, item, do="close")
    assert item.closed_at is None
    handle(client, item, do="close", words="rang the patient, entered by hand")
    assert item.closed_as == "rang the patient, entered by hand"
    closed = client.get(f"/clinics/{patient.clinic_id}/quarantine/?list=closed", secure=True).content.decode()
    assert "not even text" in closed


def test_an_alert_after_midnight_is_marked_on_the_clinics_day(patient: Patient) -> None:
    at = datetime(2026, 6, 14, 22, 30, tzinfo=UTC)  # half past midnight in Zurich
    builders.alert(patient, opened_at=at)
    with timezone.override("Europe/Zurich"):
        (mark,) = marks(patient, builders.TODAY, builders.TODAY)["alerts"]
    assert mark["x"] == seconds(builders.TODAY)
