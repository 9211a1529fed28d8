"""Notes are kept as they were written, version after version."""

from datetime import timedelta

import pytest
from django.db import IntegrityError, connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext

from backend.dashboard.models import Note
from backend.dashboard.notes import notes_of, write
from backend.people.models import Audit, Patient, User
from tests.backend.dashboard import builders
from tests.backend.dashboard.builders import NOW, TODAY

pytestmark = pytest.mark.django_db


@pytest.fixture
def patient() -> Patient:
    return builders.patient(builders.team(builders.clinic()))


@pytest.fixture
def colleague(patient: Patient, client: Client) -> User:
    user = builders.colleague(patient.clinic, patient.care_team)
    builders.sign_in(client, user)
    return user


def page(client: Client, patient: Patient, **data: str) -> str:
    address = f"/patients/{patient.pk}/notes/"
    answer = client.post(address, data, secure=True, follow=True) if data else client.get(address, secure=True)
    return str(answer.content.decode())


def test_an_edit_is_the_next_version_and_the_old_words_stay(client: Client, patient: Patient, colleague: User) -> None:
    page(client, patient, day="2026-06-15", body="Walks again.")
    (first,) = notes_of(patient)
    text = page(client, patient, day="2026-06-14", body="Walks again, ten minutes.", note=str(first.now.note))
    (note,) = notes_of(patient)
    assert (note.now.version, note.now.body, note.now.day) == (2, "Walks again, ten minutes.", TODAY - timedelta(1))
    assert [old.body for old in note.before] == ["Walks again."]
    assert "1 earlier version" in text
    assert colleague.name in text
    assert Audit.objects.filter(patient=patient, action="wrote note", user=colleague).count() == 2


def test_who_edits_an_overtaken_note_is_told_and_keeps_their_words(
    client: Client, patient: Patient, colleague: User
) -> None:
    first = write(patient, TODAY, "Walks again.", by=colleague, now=NOW)
    write(patient, TODAY, "Walks with a stick.", 1, by=colleague, now=NOW, replaces=first.note)
    mine = {"day": "2026-06-15", "body": "Walks ten minutes.", "note": str(first.note)}
    text = page(client, patient, **mine, seen="1")
    assert "A colleague has changed this note meanwhile." in text
    assert text.count("Walks ten minutes.") == 1
    assert 'name="seen" value="2"' in text.partition("The next version of a note")[2].partition("</form>")[0]
    (note,) = notes_of(patient)
    assert note.now.body == "Walks with a stick."
    page(client, patient, **mine, seen="2")
    (note,) = notes_of(patient)
    assert (note.now.version, note.now.body) == (3, "Walks ten minutes.")


def test_an_empty_note_says_what_is_missing_and_keeps_the_day(
    client: Client, patient: Patient, colleague: User
) -> None:
    text = page(client, patient, day="2026-06-01", body=" ")
    assert "This field is required." in text
    assert 'value="2026-06-01"' in text
    assert not Note.objects.exists()


def test_a_note_of_somebody_else_is_not_found(client: Client, patient: Patient, colleague: User) -> None:
    other = builders.patient(patient.care_team)
    theirs = write(other, TODAY, "theirs", by=colleague, now=NOW)
    for note in (str(theirs.note), "not-a-number"):
        data = {"day": "2026-06-15", "body": "mine", "note": note}
        assert client.post(f"/patients/{patient.pk}/notes/", data, secure=True).status_code == 404
    assert Note.objects.count() == 1


@pytest.mark.parametrize("statement", ["UPDATE dashboard_note SET body = 'other'", "DELETE FROM dashboard_note"])
def test_the_database_lets_nobody_change_a_note(patient: Patient, colleague: User, statement: str) -> None:
    write(patient, TODAY, "as it was", by=colleague, now=NOW)
    with pytest.raises(IntegrityError, match="append-only"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)


def test_the_page_costs_the_same_for_one_note_and_for_many(client: Client, patient: Patient, colleague: User) -> None:
    def statements() -> int:
        with CaptureQueriesContext(connection) as captured:
            page(client, patient)
        return len(captured)

    write(patient, TODAY, "one", by=colleague, now=NOW)
    statements()
    few = statements()
    for n in range(20):
        write(patient, TODAY - timedelta(days=n), "more", by=colleague, now=NOW)
    assert statements() == few
