"""The page of the panel: its filters, columns and saved views, its table, and what it leaves on record."""

import csv
from datetime import timedelta
from io import StringIO

import pytest
from django.db import connection
from django.http import QueryDict
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from uuid_utils.compat import uuid7

from backend.dashboard.filters import SHOWABLE, Filters
from backend.dashboard.models import SavedView
from backend.dashboard.panel import page
from backend.dashboard.rows import rows
from backend.people.models import Audit, Clinic, Patient, Role, User
from backend.reminders.models import Schedule, Slot
from backend.rest.flat import harmless
from exercises.plan import Phase
from tests.backend.dashboard import builders
from tests.backend.dashboard.builders import NOW
from tests.exercises.programmes import WALK, a_programme

pytestmark = pytest.mark.django_db

BY_ITSELF = {"HX-Request": "true", "HX-Source": "div#panel"}


@pytest.fixture
def clinic() -> Clinic:
    return builders.clinic()


@pytest.fixture
def admin(clinic: Clinic, client: Client) -> User:
    user = builders.colleague(clinic, role=Role.ADMIN)
    builders.sign_in(client, user)
    return user


@pytest.fixture
def patient(clinic: Clinic) -> Patient:
    return builders.patient(builders.team(clinic), "Example Person")


def slot(of: Patient, asks: str, code: str, opens: timedelta) -> None:
    schedule = Schedule.objects.create(
        id=uuid7(), clinic=of.clinic, patient=of, asks=asks, code=code, rule={}, planned_until=NOW.date()
    )
    Slot.objects.create(
        patient=of,
        schedule=schedule,
        rev=1,
        opens_at=NOW + opens,
        closes_at=NOW + opens + timedelta(hours=2),
        missed_at=NOW + opens + timedelta(days=2),
        clinic=of.clinic,
        local_date=(NOW + opens).date(),
        n=0,
        state="open" if opens < timedelta(0) else "upcoming",
    )


def read_table(client: Client, clinic: Clinic, query: str = "") -> list[dict[str, str]]:
    answer = client.get(f"/clinics/{clinic.pk}/patients.csv?{query}", secure=True)
    assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
    return list(csv.DictReader(StringIO(answer.content.decode("utf-8-sig"))))


def test_what_is_due_next_and_where_the_programme_is(patient: Patient) -> None:
    slot(patient, "instrument", "phq-9", timedelta(days=3))
    slot(patient, "session", "", timedelta(hours=-1))
    phases = tuple(Phase(name=name, goal="to try", weeks=2) for name in ("Learn", "Load"))
    a_programme(patient, WALK, now=NOW - timedelta(days=15), phases=phases)
    (row,) = rows([patient_again(patient)], tuple(SHOWABLE), NOW, NOW.date())
    assert row.due is not None
    assert (row.due.what, row.due.opens_at) == ("exercise", NOW - timedelta(hours=1))
    assert row.programme is not None
    assert (row.programme.title, row.programme.week, row.programme.phase) == ("Test programme", 3, "Load")
    (row,) = rows([patient_again(patient)], tuple(SHOWABLE), NOW + timedelta(days=1), NOW.date() + timedelta(days=30))
    assert row.due is not None
    assert row.due.what == "PHQ-9"
    assert row.programme is not None
    assert (row.programme.week, row.programme.phase) == (7, "")


def patient_again(patient: Patient) -> Patient:
    return Patient.objects.select_related("summary", "care_team").get(pk=patient.pk)


def test_by_modality_one_finds_whose_programme_holds_it_now(clinic: Clinic, admin: User, patient: Patient) -> None:
    a_programme(patient, WALK, now=NOW)
    builders.patient(patient.care_team, "without a programme")
    found = page(admin, clinic, Filters.read(QueryDict("modality=aerobic")), NOW.date()).patients
    assert found == [patient]
    assert page(admin, clinic, Filters.read(QueryDict("modality=yoga")), NOW.date()).patients == []
    assert page(admin, clinic, Filters(modality="aerobic"), NOW.date() - timedelta(days=9)).patients == []
    assert Filters.read(QueryDict("modality=juggling")) == Filters()


def test_columns_are_chosen_and_the_address_remembers_them(
    client: Client, clinic: Clinic, admin: User, patient: Patient
) -> None:
    text = client.get(f"/clinics/{clinic.pk}/?column=due&column=pain", secure=True).content.decode()
    shown = [name for name, title in SHOWABLE.items() if f'data-title="{title}"' in text]
    assert shown == ["pain", "due"]
    chosen = Filters.read(QueryDict("column=due&column=pain&column=nonsense"))
    assert chosen.columns == ("pain", "due")
    assert Filters.read(QueryDict(chosen.query())) == chosen


def test_a_view_is_saved_renamed_by_saving_again_and_deleted(client: Client, clinic: Clinic, admin: User) -> None:
    def save(name: str, query: str) -> str:
        data = {"name": name, "query": query}
        return client.post(f"/clinics/{clinic.pk}/views", data, secure=True, follow=True).content.decode()

    assert "Saved as “The silent”." in save("The  silent ", "silent=1&team=oops&column=pain")
    assert [(view.name, view.query) for view in SavedView.objects.all()] == [("The silent", "silent=1&column=pain")]
    assert f'href="/clinics/{clinic.pk}/?mine=1"' in save("The silent", "mine=1")
    assert SavedView.objects.get().query == "mine=1"
    assert "Give the view a name." in save("  ", "mine=1")
    view = SavedView.objects.get()
    builders.sign_in(client, colleague := builders.colleague(clinic, role=Role.ADMIN))
    assert client.post(f"/clinics/{clinic.pk}/views/{view.pk}/delete", secure=True).status_code == 404
    builders.sign_in(client, admin)
    client.post(f"/clinics/{clinic.pk}/views/{view.pk}/delete", secure=True)
    assert not SavedView.objects.filter(user__in=[admin, colleague]).exists()


def test_one_cannot_save_views_without_end(client: Client, clinic: Clinic, admin: User) -> None:
    for n in range(20):
        builders.saved_view(admin, clinic, name=f"View {n}")
    data = {"name": "One more", "query": ""}
    told = client.post(f"/clinics/{clinic.pk}/views", data, secure=True, follow=True).content.decode()
    assert "There are 20 views already" in told
    assert SavedView.objects.count() == 20


@pytest.mark.usefixtures("admin")
def test_adherence_that_has_no_baseline_is_a_share_of_the_dose_due(client: Client, clinic: Clinic) -> None:
    builders.summary(builders.patient(builders.team(clinic, "Team")), adherence=71.0)
    builders.summary(builders.patient(builders.team(clinic, "Other")))
    assert client.get(f"/clinics/{clinic.pk}/").content.decode().count("% of the dose due") == 1
    labels = [row["Adherence: label"] for row in read_table(client, clinic, "column=adherence")]
    assert sorted(labels) == ["% of the dose due", "not enough data"]


def test_the_table_holds_all_pages_in_the_order_and_columns_chosen(client: Client, clinic: Clinic, admin: User) -> None:
    team = builders.team(clinic, "Team")
    for n in range(30):
        builders.summary(builders.patient(team, f"calm {n:02}"), pain=3.0, pain_change=-2.0)
    builders.alert(builders.patient(team, "first"))
    table = read_table(client, clinic, "column=alerts&column=pain")
    assert [row["Name"] for row in table] == ["first", *(f"calm {n:02}" for n in range(30))]
    assert list(table[1]) == ["Name", "Identifier", "Care team", "Alerts", "Pain", "Pain: change", "Pain: label"]
    assert (table[1]["Pain"], table[1]["Pain: change"], table[1]["Pain: label"]) == (
        "3.0",
        "-2.0",
        "no threshold known",
    )
    assert table[0]["Alerts"] == "Item 9 answered above zero (critical)"
    assert [row["Name"] for row in read_table(client, clinic, "alert=1")] == ["first"]
    assert Audit.objects.filter(action="export panel", user=admin).count() == 31 + 1


def test_the_table_claims_no_more_digits_than_the_panel(
    client: Client, clinic: Clinic, admin: User, patient: Patient
) -> None:
    builders.summary(patient, pain=4.0, pain_change=-0.44115421875564564, adherence=50.955, adherence_change=-0.2)
    (row,) = read_table(client, clinic)
    said = (row["Pain: change"], row["Adherence"], row["Adherence: change"])
    assert said == ("-0.4", "51", "0")


def test_the_table_of_a_search_holds_what_was_found(
    client: Client, clinic: Clinic, admin: User, patient: Patient
) -> None:
    builders.patient(patient.care_team, "Somebody Else")
    answer = client.post(f"/clinics/{clinic.pk}/patients.csv", {"q": "exampel person"}, secure=True)
    assert [row["Name"] for row in csv.DictReader(StringIO(answer.content.decode("utf-8-sig")))] == ["Example Person"]


@pytest.mark.parametrize("name", ["=1+1", "+41 79", "-2", "@SUM(A1)", "\t=1", "\r=1"])
def test_no_name_becomes_a_formula(client: Client, clinic: Clinic, admin: User, patient: Patient, name: str) -> None:
    Patient.objects.filter(pk=patient.pk).update(name=name)
    assert read_table(client, clinic)[0]["Name"] == f"'{name}"
    assert harmless(-2.0) == -2.0


def test_an_alert_without_a_clock_says_no_more_than_that_it_is_late(
    client: Client, clinic: Clinic, admin: User, patient: Patient
) -> None:
    builders.alert(patient, "FLARE", severity=0, due_at=None, late=True)
    builders.alert(patient, "SUI-1", late=True)
    text = client.get(f"/clinics/{clinic.pk}/", secure=True).content.decode()
    assert "<small>late</small>" in text
    assert "</span> · late</small>" in text


def test_a_refresh_is_noted_once_in_a_while_and_never_hides_a_first_look(
    client: Client, clinic: Clinic, admin: User, patient: Patient
) -> None:
    address = f"/clinics/{clinic.pk}/"
    for _ in range(3):
        client.get(address, secure=True, headers=BY_ITSELF)
    looks = Audit.objects.filter(patient=patient, user=admin, action="read panel")
    assert looks.count() == 1
    client.get(address, secure=True)
    client.get(address, secure=True)
    assert looks.count() == 3
    newcomer = builders.patient(patient.care_team)
    client.get(address, secure=True, headers=BY_ITSELF)
    assert looks.count() == 3
    assert Audit.objects.filter(patient=newcomer, action="read panel").count() == 1
    builders.sign_in(client, builders.colleague(clinic, role=Role.ADMIN))
    client.get(address, secure=True, headers=BY_ITSELF)
    assert Audit.objects.filter(patient=patient, action="read panel").count() == 4


def test_the_page_costs_the_same_statements_whatever_it_shows(client: Client, clinic: Clinic, admin: User) -> None:
    team, today = builders.team(clinic), timezone.now().date()

    def statements() -> int:
        with CaptureQueriesContext(connection) as captured:
            assert client.get(f"/clinics/{clinic.pk}/", secure=True).status_code == 200
        return len(captured)

    builders.alert(builders.patient(team))
    builders.summary(builders.patient(team))
    statements()  # the first page notes that somebody is here
    few = statements()
    for n in range(40):
        one = builders.patient(team)
        builders.summary(one, pain_label="worsened")
        builders.scores(one, "daily-diary.pain-average", [3, 4, 5], last=today)
        builders.trend(one, "daily-diary.pain-average", last_day=today)
        a_programme(one, WALK, now=timezone.now())
        if n % 2:
            builders.alert(one)
    assert statements() == few == 14
