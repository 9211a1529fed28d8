"""A screen that nobody sits at locks itself."""

from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.test import Client

from backend.dashboard.idle import IDLE
from backend.dashboard.models import Note
from backend.people.models import Patient, User
from tests.backend.dashboard import builders

pytestmark = pytest.mark.django_db

START = datetime(2026, 6, 15, 8, tzinfo=UTC)
BY_ITSELF = {"HX-Request": "true", "HX-Source": "div#panel"}


@pytest.fixture
def page(client: Client) -> str:
    clinic = builders.clinic()
    with time_machine.travel(START, tick=False):
        builders.sign_in(client, builders.colleague(clinic, builders.team(clinic)))
        assert client.get(f"/clinics/{clinic.pk}/", secure=True).status_code == 200
    return f"/clinics/{clinic.pk}/"


def test_after_a_while_without_anybody_one_signs_in_again(client: Client, page: str) -> None:
    with time_machine.travel(START + IDLE + timedelta(minutes=1), tick=False):
        locked = client.get(page, secure=True)
        assert locked["Location"].startswith("/accounts/login/?next=")
        assert client.get(page, secure=True)["Location"].startswith("/accounts/login/")


def test_who_goes_on_working_stays_in(client: Client, page: str) -> None:
    for n in range(1, 5):
        with time_machine.travel(START + n * (IDLE - timedelta(minutes=2)), tick=False):
            assert client.get(page, secure=True).status_code == 200


def test_a_page_that_refreshes_itself_is_nobody_and_leaves_as_a_whole(client: Client, page: str) -> None:
    for n in range(1, 20):
        with time_machine.travel(START + timedelta(minutes=n), tick=False):
            assert client.get(page, secure=True, headers=BY_ITSELF).status_code == 200
    with time_machine.travel(START + IDLE + timedelta(minutes=1), tick=False):
        locked = client.get(page, secure=True, headers=BY_ITSELF)
    assert locked["HX-Redirect"].startswith("/accounts/login/?next=")
    assert locked.content == b""


WORDS = "A long note, half written when the telephone rang."
LATER = START + IDLE + timedelta(minutes=1)


@pytest.fixture
def patient() -> Patient:
    return builders.patient(builders.team(builders.clinic()))


@pytest.fixture
def author(client: Client, patient: Patient) -> User:
    user = builders.colleague(patient.clinic, patient.care_team)
    with time_machine.travel(START, tick=False):
        builders.sign_in(client, user)
        assert client.get(f"/patients/{patient.pk}/notes/", secure=True).status_code == 200
    return user


def send(client: Client, path: str, data: dict[str, str], **headers: str) -> str:
    """Where the answer leads."""
    page = "https://testserver" + path.replace("/step", "/")
    answer = client.post(path, data, secure=True, headers={"Referer": page} | headers)
    return str(answer.headers.get("Location") or answer.headers.get("HX-Redirect"))


def back(client: Client, user: User) -> None:
    """Sign in anew in the same browser, whose session knows what it kept."""
    builders.sign_in(client, user)


def test_what_was_written_when_the_lock_came_waits_for_its_author(
    client: Client, patient: Patient, author: User
) -> None:
    notes = f"/patients/{patient.pk}/notes/"
    with time_machine.travel(LATER, tick=False):
        assert send(client, notes, {"day": "2026-06-15", "body": WORDS}) == "/accounts/login/?next=%2Fme%2Funsent%2F"
        assert not Note.objects.exists()
        assert WORDS not in str(dict(client.session))  # a copy of the database can't read it
        back(client, author)
        page = client.get("/me/unsent/", secure=True).content.decode()
        assert page.count(WORDS) == 2  # to be read, and to be sent
        answer = client.post("/me/unsent/send", {"day": "2026-06-15", "body": WORDS}, secure=True, follow=True)
        assert answer.redirect_chain[0] == (notes, 307)
        assert Note.objects.get().body == WORDS
        assert client.get("/me/unsent/", secure=True)["Location"] == "/"


def test_nobody_else_is_shown_what_waits(client: Client, patient: Patient, author: User) -> None:
    with time_machine.travel(LATER, tick=False):
        send(client, f"/patients/{patient.pk}/notes/", {"day": "2026-06-15", "body": WORDS})
        back(client, builders.colleague(patient.clinic, patient.care_team))
        assert client.get("/me/unsent/", secure=True)["Location"] == "/"
        back(client, author)
        assert client.get("/me/unsent/", secure=True)["Location"] == "/"


def test_what_waits_outlasts_a_second_lock(client: Client, patient: Patient, author: User) -> None:
    with time_machine.travel(LATER, tick=False):
        send(client, f"/patients/{patient.pk}/notes/", {"day": "2026-06-15", "body": WORDS})
        back(client, author)
        client.get("/me/unsent/", secure=True)
    with time_machine.travel(LATER + IDLE + timedelta(minutes=1), tick=False):
        assert send(client, "/me/unsent/send", {"body": WORDS}) == "/accounts/login/?next=%2Fme%2Funsent%2F"
        back(client, author)
        assert WORDS in client.get("/me/unsent/", secure=True).content.decode()


def test_a_password_is_never_kept(client: Client, author: User) -> None:
    with time_machine.travel(LATER, tick=False):
        send(client, "/accounts/password/change/", {"oldpassword": "one two three"})
        assert "dashboard_unsent" not in client.session


def test_a_forged_form_is_not_kept(patient: Patient) -> None:
    client = Client(enforce_csrf_checks=True)
    with time_machine.travel(START, tick=False):
        builders.sign_in(client, builders.colleague(patient.clinic, patient.care_team))
        client.get("/", secure=True)
    with time_machine.travel(LATER, tick=False):
        send(client, f"/patients/{patient.pk}/notes/", {"body": WORDS})
        assert "dashboard_unsent" not in client.session


def test_one_comes_back_to_the_page_and_not_to_where_its_form_is_sent(
    client: Client, patient: Patient, author: User
) -> None:
    step = f"/clinics/{patient.clinic_id}/alerts/1/step"
    with time_machine.travel(LATER, tick=False):
        assert send(client, step, {}) == f"/accounts/login/?next=%2Fclinics%2F{patient.clinic_id}%2Falerts%2F1%2F"


def test_a_page_that_stands_open_is_nobody_and_typing_is_somebody(
    client: Client, patient: Patient, author: User
) -> None:
    headers = {"HX-Request": "true"}
    for n in range(1, 30):
        with time_machine.travel(START + timedelta(minutes=n), tick=False):
            answer = client.post("/me/idle", {"idle.typed": "1"}, secure=True, headers=headers)
            assert answer.status_code == 204
    notes = f"/patients/{patient.pk}/notes/"
    with time_machine.travel(START + timedelta(minutes=27) + IDLE, tick=False):
        assert client.post("/me/idle", secure=True, headers=headers).status_code == 204
    with time_machine.travel(START + timedelta(minutes=31) + IDLE, tick=False):
        written = {"body": WORDS, "idle.to": notes, "idle.ready": "1"}
        assert send(client, "/me/idle", written, **headers) == "/accounts/login/?next=%2Fme%2Funsent%2F"
        back(client, author)
        page = client.get("/me/unsent/", secure=True).content.decode()
        assert WORDS in page
        assert "idle.to" not in page
        assert client.post("/me/unsent/send", secure=True)["Location"] == notes


def test_words_whose_button_was_not_pressed_are_there_to_be_copied(
    client: Client, patient: Patient, author: User
) -> None:
    step = f"/clinics/{patient.clinic_id}/alerts/1/step"
    with time_machine.travel(LATER, tick=False):
        send(client, "/me/idle", {"note": WORDS, "idle.to": step}, **{"HX-Request": "true"})
        back(client, author)
        page = client.get("/me/unsent/", secure=True).content.decode()
    assert WORDS in page
    assert "Send it now" not in page
