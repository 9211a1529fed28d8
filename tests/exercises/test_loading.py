"""The shared exercises in the database are those of the files."""

import msgspec
import pytest
from django.core.management import call_command
from django.db import IntegrityError, connection

from backend.people.models import Clinic
from exercises.library import library
from exercises.loading import load_exercises, row_of
from exercises.models import Exercise

pytestmark = pytest.mark.django_db

CAT_COW = library().exercises["cat-cow"]


def test_after_migrating_the_catalogue_is_there() -> None:
    assert Exercise.objects.filter(clinic=None, retired=False).count() == len(library().exercises)


def test_loading_again_changes_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    call_command("load_exercises")
    assert capsys.readouterr().out == "0 added, 0 changed, 0 retired\n"


def test_a_row_that_differs_from_its_file_is_put_right() -> None:
    Exercise.objects.filter(slug="cat-cow").update(digest="old", content={}, level=3)
    assert load_exercises()["changed"] == 1
    row = Exercise.objects.get(slug="cat-cow")
    assert row.level == CAT_COW.level
    assert row.content["words"]["en"]["name"] == "Cat-cow"


def test_what_it_is_found_by_is_put_right_too() -> None:
    Exercise.objects.filter(slug="cat-cow").update(search="")
    assert load_exercises()["changed"] == 1
    assert "Yoga" in Exercise.objects.get(slug="cat-cow").search


def test_what_the_files_no_longer_have_is_retired_and_kept() -> None:
    row_of(msgspec.structs.replace(CAT_COW, slug="gone")).save()
    assert load_exercises()["retired"] == 1
    assert Exercise.objects.get(slug="gone").retired


def test_a_clinics_own_exercise_of_the_same_slug_is_left_alone() -> None:
    clinic = Clinic.objects.create(name="Clinic", time_zone="Europe/Zurich")
    own = row_of(msgspec.structs.replace(CAT_COW, level=2), clinic.pk)
    own.save()
    assert load_exercises() == {"added": 0, "changed": 0, "retired": 0}
    own.refresh_from_db()
    assert own.level == 2


def test_a_shared_slug_stands_once() -> None:
    with pytest.raises(IntegrityError):
        row_of(CAT_COW).save()


def test_a_followup_belongs_to_a_session_of_the_same_patient() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conname = 'session_followup_session'")
        (definition,) = cursor.fetchone()
    assert definition.startswith("FOREIGN KEY (patient_id, session) REFERENCES exercises_session(patient_id, id)")
