"""Home programmes written, changed, paused and stopped on the pages, and what the rules propose decided."""

import re
from datetime import timedelta
from typing import Any

import msgspec
import pytest
from django.db import connection
from django.http import QueryDict
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from backend.dashboard.calendars import month_of, months_around
from backend.dashboard.doses import dose_words
from backend.dashboard.drafting import Draft, act, blank, form_data
from backend.dashboard.programmes import differences, programmes_of
from backend.people.models import Audit, Origin, Patient, User
from exercises.dose import Intervals, Minutes, Sets, Steps
from exercises.library import library
from exercises.models import Condition, Pause, Prescription, Proposal
from exercises.plan import Exposure, Phase, Rung
from exercises.prescribing import change, prescribe, today_of
from exercises.templates import templates
from tests.backend.dashboard import builders
from tests.exercises.programmes import BIRD_DOG, CAT_COW, NOW, WALK, a_plan, a_programme, a_proposal, session, store

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def catalogue(db: None) -> None:
    assert library().exercises  # the shared entries are loaded after each migrate


@pytest.fixture
def patient() -> Patient:
    return builders.patient(builders.team(builders.clinic()))


@pytest.fixture
def colleague(patient: Patient, client: Client) -> User:
    user = builders.colleague(patient.clinic, patient.care_team)
    builders.sign_in(client, user)
    return user


def post(client: Client, patient: Patient, path: str, data: Any) -> str:
    sent = {name: data.getlist(name) for name in data} if isinstance(data, QueryDict) else data
    return str(client.post(f"/patients/{patient.pk}/{path}", sent, secure=True, follow=True).content.decode())


def draft_of(patient: Patient, data: QueryDict) -> Draft:
    return Draft(data, patient.clinic_id, "en", None)


@pytest.mark.parametrize("slug", sorted(templates()))
def test_each_template_goes_through_the_form_as_it_is(patient: Patient, slug: str) -> None:
    plan = templates()[slug].plan
    data = form_data(plan, day="2026-11-04")
    for item in plan.items:  # a goal of steps is the patient's own
        if isinstance(item.dose, Steps):
            data[f"{item.exercise}-steps"] = "6000"
    draft = draft_of(patient, data)
    made = draft.plan()
    assert made is not None, [form.errors for form in draft.forms]
    assert [item.exercise for item in made.items] == [item.exercise for item in plan.items]
    assert [type(item.dose) for item in made.items] == [type(item.dose) for item in plan.items]
    assert (made.phases, made.weekdays, made.mode, made.limits) == (plan.phases, plan.weekdays, plan.mode, plan.limits)
    fixed = [item for item in plan.items if not isinstance(item.dose, Steps)]
    assert [item for item in made.items if not isinstance(item.dose, Steps)] == fixed


def test_exercises_are_added_moved_and_taken_out_without_any_script(patient: Patient) -> None:
    data = blank(day="2026-11-04", title="Own")
    for do in ("add:cat-cow", "add:bird-dog", "add:baseline-walk", "add:cat-cow", "add:no-such", "up:bird-dog"):
        data["do"] = do
        data = act(data, patient.clinic_id)
    assert data.getlist("item") == ["bird-dog", "cat-cow", "baseline-walk"]
    assert data["bird-dog-reps"]
    for do in ("down:bird-dog", "remove:cat-cow", "up:bird-dog", "phase", "phase", "unphase:0"):
        data["do"] = do
        data = act(data, patient.clinic_id)
    assert data.getlist("item") == ["bird-dog", "baseline-walk"]
    assert data.getlist("phase") == ["1"]


def test_a_programme_is_prescribed_as_it_was_written(client: Client, patient: Patient, colleague: User) -> None:
    today = today_of(patient, timezone.now())
    plan = a_plan(CAT_COW, BIRD_DOG, phases=(Phase(name="Start", goal="Move again", weeks=2),))
    data = form_data(plan, day=today, do="save")
    data["bird-dog-reps"] = "8"
    assert "The programme is prescribed." in post(client, patient, "programme/new", data)
    row = Prescription.objects.get(patient=patient)
    assert row.plan["items"][1]["dose"]["reps"] == 8
    assert row.plan["phases"] == [{"name": "Start", "goal": "Move again", "weeks": 2}]
    assert row.prescribed_by == colleague
    assert Audit.objects.filter(patient=patient, action="wrote prescription").count() == 1


def test_a_second_click_prescribes_no_second_programme(client: Client, patient: Patient, colleague: User) -> None:
    page = client.get(f"/patients/{patient.pk}/programme/new").content.decode()
    named = re.search(r'name="programme" value="([0-9a-f-]{36})"', page)
    assert named
    data = form_data(a_plan(CAT_COW), day=today_of(patient, timezone.now()), do="save", programme=named[1])
    for _ in range(2):
        assert "The programme is prescribed." in post(client, patient, "programme/new", data)
    assert str(Prescription.objects.get(patient=patient).programme) == named[1]


def test_each_error_stands_beside_its_field_and_nothing_is_lost(
    client: Client, patient: Patient, colleague: User
) -> None:
    data = form_data(a_plan(CAT_COW, WALK), day="2020-01-01", do="save")
    data.update({"cat-cow-sets": "90", "baseline-walk-minutes": "", "title": "", "baseline-walk-note": "slowly"})
    text = post(client, patient, "programme/new", data)
    assert "Ensure this value is less than or equal to 20." in text
    assert 'id="id_cat-cow-sets_error"' in text
    assert 'id="id_baseline-walk-minutes_error"' in text
    assert 'value="slowly"' in text
    data.update({"cat-cow-sets": "2", "baseline-walk-minutes": "5", "title": "Walk"})
    text = post(client, patient, "programme/new", data)
    assert "start on a day that is over" in text
    data.update({"day": str(today_of(patient, timezone.now())), "opens": "21:00", "closes": "08:00"})
    assert "The window closes after it opens." in post(client, patient, "programme/new", data)
    data.update({"opens": "08:00", "closes": "21:00", "cat-cow-reps": "4"})
    assert "either reps, seconds or breaths" in post(client, patient, "programme/new", data)
    data.setlist("item", [])
    assert "has at least one exercise" in post(client, patient, "programme/new", data)
    assert not Prescription.objects.exists()


def test_an_unfinished_form_is_not_scolded(client: Client, patient: Patient, colleague: User) -> None:
    text = post(client, patient, "programme/new", blank(do="add:cat-cow"))
    assert "This field is required." not in text
    assert "Cat-cow" in text


def test_the_gate_is_overridden_only_with_a_written_reason(client: Client, patient: Patient, colleague: User) -> None:
    against = next(each for each in library().exercises.values() if "osteoporosis" in each.contraindications)
    Condition.objects.create(clinic=patient.clinic, patient=patient, code="osteoporosis")
    data = blank(day=today_of(patient, timezone.now()), title="Own", do=f"add:{against.slug}")
    text = post(client, patient, "programme/new", data)
    assert f"{against.words['en'].name} is not for: Osteoporosis" in text
    data = act(data, patient.clinic_id)
    data["do"] = "save"
    key = f"override-contraindication:{against.slug}:osteoporosis"
    data[key] = "  "
    assert "or write why it is right for this patient" in post(client, patient, "programme/new", data)
    assert not Prescription.objects.exists()
    data[key] = "DXA of last month is normal"
    assert "The programme is prescribed." in post(client, patient, "programme/new", data)
    row = Prescription.objects.get()
    assert row.overrides[0]["reason"] == "DXA of last month is normal"
    page = client.get(f"/patients/{patient.pk}/programme/", secure=True).content.decode()
    assert "is not for: Osteoporosis or a past fragility fracture: <q>DXA of last month is normal</q>" in page
    # It is kept, and the next version starts out with it.
    assert (
        "DXA of last month is normal"
        in client.get(f"/patients/{patient.pk}/programme/{row.pk}/change", secure=True).content.decode()
    )


def test_a_change_is_the_next_version_and_overtakes_what_a_rule_proposed(
    client: Client, patient: Patient, colleague: User
) -> None:
    proposal = a_proposal(patient)
    old = proposal.prescription
    address = f"programme/{old.pk}/change?proposal={proposal.pk}"
    text = client.get(f"/patients/{patient.pk}/{address}", secure=True).content.decode()
    assert 'name="bird-dog-reps" value="7"' in text
    data = form_data(a_plan(BIRD_DOG), day=today_of(patient, timezone.now()), do="save")
    data["bird-dog-reps"] = "9"
    assert "This field is required." in post(client, patient, address, data)
    data["reason"] = "two more, not one"
    assert "It is changed." in post(client, patient, address, data)
    proposal.refresh_from_db()
    assert (proposal.state, proposal.decided_by, proposal.reason) == ("overtaken", colleague, "two more, not one")
    (programme,) = programmes_of(patient, today_of(patient, timezone.now()), "en")
    assert programme.latest.changes == ["Bird dog: 3 × 6 each side, hold 5 s → 3 × 9 each side, hold 5 s"]
    # Somebody who has the old one open still is told so.
    assert "changed this programme meanwhile" in post(client, patient, address, data)


LADDER = Exposure(ladder=(Rung(task="Sit an hour", fear=45), Rung(task="Lift a box", fear=70)), at=1)


def test_a_change_leaves_the_ladder_of_fear_where_it_stands(client: Client, patient: Patient, colleague: User) -> None:
    old = prescribe(patient, a_plan(exposure=LADDER), by=colleague, now=timezone.now())
    page = client.get(f"/patients/{patient.pk}/programme/{old.pk}/change", secure=True).content.decode()
    assert re.search(r'name="at" value="1" checked', page)
    data = form_data(a_plan(title="Changed", exposure=LADDER), day=str(old.starts_on), reason="went well", do="save")
    post(client, patient, f"programme/{old.pk}/change", data)
    new = Prescription.objects.get(patient=patient, ends_on=None)
    assert (new.plan["title"], new.plan["exposure"]["at"]) == ("Changed", 1)


def test_a_ladder_of_fear_is_written_and_orders_itself(client: Client, patient: Patient, colleague: User) -> None:
    data = form_data(a_plan(CAT_COW), day=today_of(patient, timezone.now()))
    for task, fear in (("Lift a box", "70"), ("Sit an hour", "45"), ("Dance", "90")):
        data["do"] = "rung"
        data = act(data, patient.clinic_id)
        data[f"rung-{data.getlist('rung')[-1]}-task"] = task
        data[f"rung-{data.getlist('rung')[-1]}-fear"] = fear
    data["do"] = "unrung:2"
    data = act(data, patient.clinic_id)
    assert data.getlist("rung") == ["1", "0"]
    data["do"] = "save"
    page = post(client, patient, "programme/new", data)
    row = Prescription.objects.get(patient=patient)
    tasks = [{"task": "Sit an hour", "fear": 45}, {"task": "Lift a box", "fear": 70}]
    assert row.plan["exposure"] == {"ladder": tasks, "at": 0}  # nobody said where: the one nearest to 45
    assert re.search(r'aria-current="step">Sit an hour <small>45</small>', page)
    data.update({"at": "0", "reason": "went well", "day": str(row.starts_on)})
    post(client, patient, f"programme/{row.pk}/change", data)
    (programme,) = programmes_of(patient, today_of(patient, timezone.now()), "en")
    assert programme.latest.changes == ["now practises “Lift a box”"]


@pytest.mark.parametrize(
    ("change", "beside"),
    [
        ({"rung-0-fear": "101"}, 'id="id_rung-0-fear_error"'),
        ({"rung-0-fear": ""}, 'id="id_rung-0-fear_error"'),
        ({"rung-0-task": " "}, 'id="id_rung-0-task_error"'),
        ({"rung-0-task": "Lift a box"}, "Each task stands on the ladder once."),
    ],
)
def test_what_is_wrong_on_the_ladder_is_said_beside_it(
    client: Client, patient: Patient, colleague: User, change: dict[str, str], beside: str
) -> None:
    data = form_data(a_plan(CAT_COW, exposure=LADDER), day=today_of(patient, timezone.now()), do="save")
    data.update(change)
    assert beside in post(client, patient, "programme/new", data)
    assert not Prescription.objects.exists()


def test_a_step_up_the_ladder_is_what_its_change_starts_from(client: Client, patient: Patient, colleague: User) -> None:
    about = prescribe(
        patient,
        a_plan(CAT_COW, exposure=msgspec.structs.replace(LADDER, at=0)),
        by=colleague,
        now=timezone.now(),
    )
    step = {"exercise": "Sit an hour", "variable": "ladder", "before": 0, "after": 1, "to": "Lift a box", "dose": None}
    proposal = a_proposal(patient)
    Proposal.objects.filter(pk=proposal.pk).update(
        prescription=about, programme=about.programme, rule="exposure", steps=[step]
    )
    address = f"/patients/{patient.pk}/programme/{about.pk}/change?proposal={proposal.pk}"
    page = client.get(address, secure=True).content.decode()
    assert re.search(r'name="at" value="1" checked', page)


def test_a_proposal_is_accepted_or_declined_with_a_word_why(client: Client, patient: Patient, colleague: User) -> None:
    proposal = a_proposal(patient)
    address = f"proposals/{proposal.pk}/decide"
    assert "This field is required." in post(client, patient, address, {"do": "decline"})
    assert "Declined." in post(client, patient, address, {"do": "decline", "reason": "too early"})
    proposal.refresh_from_db()
    assert (proposal.state, proposal.reason) == ("declined", "too early")
    assert "waits no more" in post(client, patient, address, {"do": "accept"})
    other = a_proposal(patient)
    assert "the programme is changed" in post(client, patient, f"proposals/{other.pk}/decide", {"do": "accept"})
    assert Prescription.objects.filter(programme=other.programme).count() == 2


def test_a_programme_is_paused_resumed_and_stopped(client: Client, patient: Patient, colleague: User) -> None:
    row = a_programme(patient)
    today = today_of(patient, timezone.now())
    address = f"programme/{row.pk}/"
    wrong = {"reason": "holiday", "from_day": str(today), "to_day": str(today - timedelta(days=3))}
    assert "ends before it begins" in post(client, patient, address + "pause", wrong)
    text = post(client, patient, address + "pause", {"reason": "holiday", "from_day": str(today)})
    assert "paused: holiday" in text
    assert Pause.objects.get().entered_by == colleague
    assert "The programme goes on." in post(client, patient, address + "resume", {})
    assert "is not paused" in post(client, patient, address + "resume", {})
    assert "This field is required." in post(client, patient, address + "stop", {"reason": ""})
    assert "stopped: goal reached" in post(client, patient, address + "stop", {"reason": "goal reached"})
    late = post(client, patient, address + "stop", {"reason": "moved house"})  # a colleague was quicker
    assert "has been stopped" in late
    assert "moved house" in late


def test_what_is_planned_for_later_stands_below_what_holds_today(
    client: Client, patient: Patient, colleague: User
) -> None:
    row = a_programme(patient, CAT_COW)
    now = timezone.now()
    later = today_of(patient, now) + timedelta(days=5)
    change(row, a_plan(CAT_COW, WALK), by=colleague, now=now, reason="walk more", from_day=later)
    page = client.get(f"/patients/{patient.pk}/programme/", secure=True).content.decode()
    (prescribed,) = re.findall(r'<ul class="prescribed">(.*?)</ul>', page, re.DOTALL)
    assert "Walking" not in prescribed
    assert "version 1 since" in page
    assert re.search(r"From \d+ \w+ \d{4} on, version 2: .*Walking.*added", page)


def test_what_was_planned_and_stopped_before_it_began_never_held(
    client: Client, patient: Patient, colleague: User
) -> None:
    row = a_programme(patient, CAT_COW)
    now = timezone.now()
    later = today_of(patient, now) + timedelta(days=5)
    change(row, a_plan(CAT_COW, WALK), by=colleague, now=now, reason="walk more", from_day=later)
    text = post(client, patient, f"programme/{row.pk}/stop", {"reason": "surgery"})
    assert "on, version 2" not in text
    assert "<td>never began</td>" in text
    (programme,) = programmes_of(patient, later + timedelta(days=1), "en")
    assert programme.now.row == row


def test_a_programme_that_will_end_is_not_called_stopped_before_it_does(
    client: Client, patient: Patient, colleague: User
) -> None:
    row = a_programme(patient)
    today = today_of(patient, timezone.now())
    text = post(client, patient, f"programme/{row.pk}/stop", {"reason": "surgery", "last_day": str(today)})
    assert '<span class="tag">stopped</span>' not in text
    assert '<span class="tag">ends ' in text


def test_each_label_of_several_programmes_belongs_to_one_field(
    client: Client, patient: Patient, colleague: User
) -> None:
    a_programme(patient)
    a_programme(patient, BIRD_DOG)
    page = client.get(f"/patients/{patient.pk}/programme/", secure=True).content.decode()
    ids = re.findall(r' id="([^"]+)"', page)
    assert len(ids) == len(set(ids))
    assert set(re.findall(r'<label for="([^"]+)"', page)) <= set(ids)


def test_a_month_says_what_became_of_each_due_day(patient: Patient) -> None:
    row = prescribe(
        patient, a_plan(), by=None, now=NOW, origin=Origin.SIMULATED, starts_on=NOW.date() - timedelta(days=9)
    )
    store(patient, session(row))
    month = months_around(patient, NOW.date().replace(day=1), NOW.date())
    days = {cell.day.day: cell for week in month.weeks for cell in week if cell.within}
    assert days[2].states == ["missed"]
    assert days[4].states == ["done"]
    assert days[4].minutes == 10
    assert days[6].states == ["not-started"]
    assert (month.due, month.done) == (2, 1)
    assert month.states == ["done", "missed", "not-started"]
    assert all(len(week) == 7 for week in month.weeks)


@pytest.mark.parametrize("text", ["", "nonsense", "2026-13", "1999-12", "2999-01"])
def test_a_month_that_is_none_is_this_one(text: str) -> None:
    assert month_of(text, NOW.date()).isoformat() == "2026-11-01"


def test_doses_and_changes_are_said_plainly() -> None:
    assert dose_words(Sets(sets=3, reps=6, each_side=True, hold_seconds=5, rest_seconds=30, sessions_per_week=3)) == (
        "3 × 6 each side, hold 5 s, rest 30 s"
    )
    assert dose_words(Sets(sets=2, breaths=8, sessions_per_week=3)) == "2 × 8 breaths"
    assert dose_words(Minutes(minutes=10, bouts=2, sessions_per_week=3)) == "2 × 10 min"
    assert dose_words(Steps(steps=6500, over_baseline=1000, sessions_per_week=7)) == "6500 steps a day"
    hard = Intervals(work_seconds=60, rest_seconds=60, rounds=10, work_rpe=(7, 8), rest_rpe=(2, 3), sessions_per_week=3)
    assert dose_words(hard) == "10 × (60 s hard at effort 7–8, 60 s easy)"
    exercises = library().exercises
    found = differences(a_plan(CAT_COW, WALK), a_plan(WALK, BIRD_DOG, weekdays=(1, 2)), exercises, "en")
    assert found == ["Cat-cow: taken out", "Bird dog: added, 3 × 6 each side, hold 5 s", "other weekdays"]


def test_the_pages_cost_the_same_number_of_statements_for_little_and_for_much(
    client: Client, patient: Patient, colleague: User
) -> None:
    row = a_programme(patient, CAT_COW)
    store(patient, session(row))

    def statements(path: str) -> int:
        with CaptureQueriesContext(connection) as captured:
            assert client.get(f"/patients/{patient.pk}/programme/{path}", secure=True).status_code == 200
        return len(captured)

    paths = ["", "start", "new?template=yoga"]
    for path in paths:
        statements(path)
    few = [statements(path) for path in paths]
    for n in range(3):
        other = a_programme(patient, BIRD_DOG, WALK)
        Pause.objects.create(
            id=other.pk, clinic=patient.clinic, patient=patient, rev=1, programme=other.programme,
            from_day=NOW.date(), to_day=NOW.date() + timedelta(days=n), reason="holiday",
        )  # fmt: skip
        store(patient, session(other, started_at=f"2026-11-0{n + 1}T08:00:00+01:00"))
        a_proposal(patient)
    Proposal.objects.update(state="declined")
    assert [statements(path) for path in paths] == few
