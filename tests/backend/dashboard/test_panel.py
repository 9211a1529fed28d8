"""Whom to call today."""

from datetime import timedelta
from pathlib import Path

import pytest
from django.conf import settings
from django.db import connection
from django.http import QueryDict
from django.test.utils import CaptureQueriesContext

from backend.dashboard import panel
from backend.dashboard.filters import FLAGS, SHOWABLE, Filters
from backend.dashboard.panel import page, search
from backend.dashboard.rows import Row, rows
from backend.dashboard.sparklines import sparkline
from backend.people.models import Clinic, Patient, Role, User
from outcomes.models import Alert
from tests.backend.dashboard import builders
from tests.backend.dashboard.builders import NOW, TODAY

pytestmark = pytest.mark.django_db


def names(of: panel.Page) -> list[str]:
    return [patient.name for patient in of.patients]


def shown(of: panel.Page) -> list[Row]:
    return rows(of.patients, tuple(SHOWABLE), NOW, TODAY)


@pytest.fixture
def clinic() -> Clinic:
    return builders.clinic()


@pytest.fixture
def admin(clinic: Clinic) -> User:
    return builders.colleague(clinic, role=Role.ADMIN)


def test_a_critical_alert_that_nobody_took_on_comes_first(clinic: Clinic, admin: User) -> None:
    team = builders.team(clinic)
    calm, worse, medium, in_hand, critical = (
        builders.patient(team, name) for name in ("calm", "worse", "medium", "in hand", "critical")
    )
    builders.summary(calm)
    builders.summary(worse, pain_label="worsened")
    builders.alert(medium, "PAIN-1", severity=Alert.Severity.MEDIUM)
    builders.alert(in_hand, state="acknowledged")
    builders.alert(critical)
    expected = ["critical", "medium", "in hand", "worse", "calm"]
    assert names(page(admin, clinic, Filters(), TODAY)) == expected


def test_of_two_equal_alerts_the_one_due_sooner_comes_first(clinic: Clinic, admin: User) -> None:
    team = builders.team(clinic)
    builders.alert(builders.patient(team, "later"), due_at=NOW + timedelta(hours=2))
    builders.alert(builders.patient(team, "sooner"), due_at=NOW + timedelta(hours=1))
    assert names(page(admin, clinic, Filters(), TODAY)) == ["sooner", "later"]


def test_a_clear_worsening_weighs_two_possible_ones_and_silence_decides_between_equals(
    clinic: Clinic, admin: User
) -> None:
    team = builders.team(clinic)
    week_ago = TODAY - timedelta(days=8)
    builders.summary(builders.patient(team, "one possible"), fear_label="possibly-worsened")
    builders.summary(builders.patient(team, "clear"), pain_label="worsened")
    builders.summary(
        builders.patient(team, "two possible, silent"),
        fear_label="possibly-worsened",
        depression_label="possibly-worsened",
        last_entry_day=week_ago,
    )
    builders.summary(
        builders.patient(team, "clear and possible"), pain_label="worsened", adherence_label="possibly-worsened"
    )
    builders.summary(builders.patient(team, "better"), pain_label="improved")
    expected = ["clear and possible", "two possible, silent", "clear", "one possible", "better"]
    assert names(page(admin, clinic, Filters(), TODAY)) == expected


def test_a_closed_alert_weighs_nothing_and_someone_who_never_entered_anything_is_not_lost(
    clinic: Clinic, admin: User
) -> None:
    team = builders.team(clinic)
    builders.summary(builders.patient(team, "worse"), pain_label="possibly-worsened")
    builders.alert(builders.patient(team, "closed"), state="resolved")
    assert names(page(admin, clinic, Filters(), TODAY)) == ["worse", "closed"]


def test_page_after_page_shows_everybody_once(clinic: Clinic, admin: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(panel, "PAGE", 3)
    team = builders.team(clinic)
    for n in range(11):
        one = builders.patient(team)
        if n % 3:
            builders.summary(
                one, last_entry_day=TODAY - timedelta(days=n % 2), pain_label=["worsened", "improved"][n % 2]
            )
        if n % 4 == 0:
            builders.alert(one, due_at=NOW)
            builders.alert(one, "RF-1", severity=Alert.Severity.HIGH)
    whole: list[str] = []
    after = None
    for _ in range(4):
        part = page(admin, clinic, Filters(), TODAY, after=after)
        whole += names(part)
        after = part.after
    assert after is None
    assert len(whole) == len(set(whole)) == 11
    monkeypatch.setattr(panel, "PAGE", 50)
    assert names(page(admin, clinic, Filters(), TODAY)) == whole


def test_when_the_last_one_seen_has_left_the_list_it_begins_anew(clinic: Clinic, admin: User) -> None:
    here = builders.patient(builders.team(clinic), "here")
    assert names(page(admin, clinic, Filters(), TODAY, after=here.pk + 1000)) == ["here"]


def test_each_filter_shows_only_whom_it_names(clinic: Clinic, admin: User) -> None:
    ours, theirs = builders.team(clinic), builders.team(clinic)
    admin.membership_set.get().teams.add(ours)
    builders.summary(builders.patient(theirs, "calm"), adherence=90)
    builders.alert(builders.patient(theirs, "alert"))
    builders.summary(builders.patient(theirs, "worsening"), fear_label="possibly-worsened")
    builders.summary(builders.patient(theirs, "silent"), last_entry_day=TODAY - timedelta(days=7))
    builders.summary(builders.patient(theirs, "slack"), adherence=49.9)
    builders.summary(builders.patient(ours, "mine"))
    builders.patient(theirs, "gone", status=Patient.Status.DISCHARGED)
    who = {
        name: set(names(page(admin, clinic, Filters.read(QueryDict(f"{name}=1")), TODAY))) for name in FLAGS
    }  # fmt: skip
    assert who == {
        "mine": {"mine"},
        "alert": {"alert"},
        "worsening": {"worsening"},
        "silent": {"silent", "alert"},  # without any entry
        "low_adherence": {"slack"},
    }
    assert names(page(admin, clinic, Filters(team=ours.pk), TODAY)) == ["mine"]
    assert names(page(admin, clinic, Filters(status="discharged"), TODAY)) == ["gone"]


def test_a_clinician_sees_their_care_teams_and_nobody_sees_another_clinic(clinic: Clinic, admin: User) -> None:
    ours, theirs = builders.team(clinic), builders.team(clinic)
    clinician = builders.colleague(clinic, ours)
    elsewhere = builders.team(builders.clinic())
    builders.patient(ours, "ours")
    builders.patient(theirs, "theirs")
    builders.patient(elsewhere, "elsewhere")
    assert names(page(clinician, clinic, Filters(), TODAY)) == ["ours"]
    assert set(names(page(admin, clinic, Filters(), TODAY))) == {"ours", "theirs"}
    assert names(page(admin, elsewhere.clinic, Filters(), TODAY)) == []
    assert names(search(clinician, clinic, "theirs")) == []


def test_a_name_is_found_with_typing_errors_and_by_identifier(clinic: Clinic, admin: User) -> None:
    team = builders.team(clinic)
    builders.patient(team, "Example Montgomery", identifier="LB-77120")
    builders.patient(team, "Sample Other", identifier="LB-10003")
    assert names(search(admin, clinic, "montgomry")) == ["Example Montgomery"]
    assert names(search(admin, clinic, "77120"))[0] == "Example Montgomery"
    assert names(search(admin, clinic, "qqqqqq")) == []


def test_four_weeks_of_a_measure_are_drawn_with_their_gaps(clinic: Clinic, admin: User) -> None:
    one = builders.patient(builders.team(clinic))
    builders.summary(one, pain=4.0, pain_change=-2.0, pain_label="possibly-improved")
    builders.scores(one, "daily-diary.pain-average", [6, 5, None, None, 4, 4], last=TODAY)
    builders.trend(one, "daily-diary.pain-average")
    (row,) = shown(page(admin, clinic, Filters(), TODAY))
    pain = row.cells[0]
    assert (pain.value, pain.change, pain.label) == (4.0, -2.0, "possibly-improved")
    assert len(pain.line.paths) == 2
    assert row.cells[1].line.paths == []


def test_fear_is_drawn_from_the_series_that_the_summary_read(clinic: Clinic, admin: User) -> None:
    one = builders.patient(builders.team(clinic))
    builders.summary(one)
    builders.scores(one, "daily-diary.fear", [10.0, 10.0])
    builders.scores(one, "tsk-11.total", {TODAY: 11.0})
    builders.trend(one, "daily-diary.fear")
    builders.trend(one, "tsk-11.total", last_day=TODAY - timedelta(days=3))
    (row,) = shown(page(admin, clinic, Filters(), TODAY))
    lowest = sparkline([None] * 27 + [0.0], 0, 1).last
    assert row.cells[1].line.last == lowest


def test_the_number_of_statements_does_not_grow_with_the_patients(clinic: Clinic, admin: User) -> None:
    team = builders.team(clinic)

    def fill(n: int) -> None:
        for _ in range(n):
            one = builders.patient(team)
            builders.summary(one)
            builders.scores(one, "daily-diary.pain-average", [3, 4, 5])
        builders.alert(one)

    def statements() -> int:
        with CaptureQueriesContext(connection) as captured:
            shown(page(admin, clinic, Filters(), TODAY))
        return len(captured)

    fill(2)
    few = statements()
    fill(30)
    assert statements() == few == 7


def test_the_page_and_the_docs_tell_the_rule_as_it_is() -> None:
    docs = " ".join((Path(settings.BASE_DIR) / "docs" / "dashboard.md").read_text().split())
    for sentence in panel.RULE:
        assert str(sentence) in docs


def test_an_address_that_says_nonsense_shows_the_whole_list() -> None:
    assert Filters.read(QueryDict("mine=yes&team=x&status=dead&after=")) == Filters()
    assert Filters.read(QueryDict("mine=1&team=7&status=invited")) == Filters(mine=True, team=7, status="invited")
    assert Filters(mine=True, team=7).query() == "mine=1&team=7"
