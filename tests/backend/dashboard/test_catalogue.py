"""The exercise catalogue on the pages: looked through, own exercises written, pictures and clips hung and withdrawn."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec
import pytest
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import SimpleUploadedFile
from django.http import QueryDict
from django.test import Client
from pytest_django.fixtures import Settings

from backend.dashboard.own_entries import OwnEntry
from backend.dashboard.struct_forms import posted
from backend.people.models import Clinic
from exercises.entry import Change, Exercise
from exercises.library import library
from exercises.models import Exercise as Row
from exercises.models import ExerciseMedia
from exercises.uploads import MOST
from tests.backend.dashboard import builders
from tests.exercises.programmes import a_picture, an_own_exercise
from tests.exercises.test_media import SAID, clip, picture

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def storage(settings: Settings, tmp_path: Path) -> None:
    default = {"BACKEND": "django.core.files.storage.FileSystemStorage", "OPTIONS": {"location": str(tmp_path)}}
    settings.STORAGES = settings.STORAGES | {"default": default}


@pytest.fixture
def clinic() -> Clinic:
    return builders.clinic(languages=["en", "de"])


@pytest.fixture
def here(client: Client, clinic: Clinic) -> str:
    """The address of the catalogue, for somebody who works there."""
    builders.sign_in(client, builders.colleague(clinic, builders.team(clinic)))
    return f"/clinics/{clinic.pk}/clinic/exercises/"


def read(client: Client, address: str) -> str:
    return str(client.get(address, secure=True).content.decode())


def send(client: Client, address: str, data: Any) -> str:
    sent = {name: data.getlist(name) for name in data} if isinstance(data, QueryDict) else data
    return str(client.post(address, sent, secure=True, follow=True).content.decode())


def names(page: str) -> list[str]:
    """Of the exercises in the list."""
    return re.findall(r'<th scope="row"><a href="[^"]*">([^<]+)</a>', page)


def as_sent(entry: Exercise, **more: str) -> QueryDict:
    """The form that makes this very entry."""
    data = QueryDict(mutable=True)
    data.update({"slug": entry.slug, "kind": str(entry.dose.__struct_config__.tag), "do": "keep"})
    for name in ("modality", "level", "position", "licence", "author"):
        data[name] = str(getattr(entry, name))
    for name in ("equipment", "targets", "contraindications", "precautions"):
        data.setlist(name, list(getattr(entry, name)))
    data.update({"rpe_0": str(entry.rpe[0]), "rpe_1": str(entry.rpe[1]), "met": str(entry.met or "")})
    if entry.clearance:
        data["clearance"] = "on"
    evidence = entry.evidence
    data.update({"grade": evidence.grade, "summary": evidence.summary, "sources": "\n".join(evidence.sources)})
    posted(entry.dose, "dose", data)
    for prefix, change in (("regression", entry.regression), ("progression", entry.progression)):
        posted(change, prefix, data)
    for language, words in entry.words.items():
        for name, text in msgspec.structs.asdict(words).items():
            data[f"words-{language}-{name}"] = text if isinstance(text, str) else "\n".join(text)
    data.update(more)
    return data


class TestLooking:
    def test_everything_that_can_be_prescribed_is_there(self, client: Client, clinic: Clinic, here: str) -> None:
        an_own_exercise(clinic)
        an_own_exercise(builders.clinic())
        found = names(read(client, here))
        assert len(found) == len(library().exercises) + 1

    @pytest.mark.parametrize(
        ("query", "holds", "lacks"),
        [
            ("q=brigde", "Bridge", "Cat-cow"),
            ("modality=yoga&level=1", "Cat-cow", "Low cobra"),
            ("position=hands-and-knees", "Cat-cow", "Wall-squat lowering"),
            ("target=ageing&modality=qigong", "Two hands hold up the heavens", "Cat-cow"),
            ("equipment=chair&modality=eccentric", "Slow sit-down", "Heel lowering"),
        ],
    )
    def test_it_is_searched_and_filtered(self, client: Client, here: str, query: str, holds: str, lacks: str) -> None:
        found = names(read(client, f"{here}?{query}"))
        assert any(holds in name for name in found), found
        assert not any(lacks in name for name in found)

    def test_a_code_that_is_none_is_named_beside_its_field(self, client: Client, here: str) -> None:
        assert 'id="id_modality_error"' in read(client, f"{here}?modality=boxing")
        assert "Nothing like that" in read(client, f"{here}?q=zzzzqqq")

    @pytest.mark.parametrize("slug", ["cat-cow", "daily-step-goal", "cycle-intervals-1-1"])
    def test_an_exercise_is_shown_as_the_phone_shows_it(self, client: Client, here: str, slug: str) -> None:
        entry = library().exercises.get(slug) or next(
            each for each in library().exercises.values() if each.modality == "hiit"
        )
        page = read(client, f"{here}{entry.slug}/").replace("&#x27;", "'")
        words = entry.words_in("en")
        for text in (words.name, words.purpose, words.start, *words.steps, words.breathing, words.feel, words.stop):
            assert text in page
        assert "Hypothesis" in page
        assert entry.evidence.summary in page

    def test_every_exercise_has_its_page(self, client: Client, here: str) -> None:
        for slug in library().exercises:
            assert client.get(f"{here}{slug}/", secure=True).status_code == 200

    def test_statements_are_as_many_for_one_as_for_all(
        self, client: Client, clinic: Clinic, here: str, django_assert_num_queries: Any
    ) -> None:
        for _ in range(3):
            a_picture(clinic)
        client.get(here, secure=True)  # the first page of a session notes that it began
        # The session, who asks, their clinics, what waits; the exercises, and those retired.
        with django_assert_num_queries(6):
            client.get(f"{here}?q=bridge", secure=True)
        with django_assert_num_queries(6):
            client.get(here, secure=True)
        # The exercise, what hangs on it as the phone sees it and as the clinic does, what it leads to.
        with django_assert_num_queries(8):
            client.get(f"{here}cat-cow/", secure=True)


class TestMedia:
    def upload(self, client: Client, here: str, content: bytes, **said: str) -> str:
        file = SimpleUploadedFile("holiday.exe", content, content_type="text/html")
        return send(client, f"{here}cat-cow/media", SAID | {"file": file} | said)

    def test_a_picture_is_hung_seen_and_withdrawn(
        self, client: Client, here: str, django_capture_on_commit_callbacks: Any
    ) -> None:
        page = self.upload(client, here, picture())
        row = ExerciseMedia.objects.get()
        shown = f'<img src="/api/v1/exercise-media/{row.file}" alt="Somebody on hands and knees."'
        assert page.count(shown) == 2  # as the phone shows it, and in the clinic's list
        assert "CC-BY-4.0" in page
        sent = client.get(f"/api/v1/exercise-media/{row.file}", secure=True)
        assert sent.getvalue()[8:12] == b"WEBP"
        with django_capture_on_commit_callbacks(execute=True):
            page = send(client, f"{here}cat-cow/media/{row.pk}/withdraw", {})
        assert "It is withdrawn" in page
        assert row.file not in page
        row.refresh_from_db()
        assert (row.removed_by, default_storage.exists(row.path)) == (row.uploaded_by, False)
        assert "It is withdrawn" not in send(client, f"{here}cat-cow/media/{row.pk}/withdraw", {})

    def test_a_clip_plays_and_says_what_is_to_be_seen(self, client: Client, here: str) -> None:
        page = self.upload(client, here, clip())
        row = ExerciseMedia.objects.get()
        assert f'src="/api/v1/exercise-media/{row.file}" aria-label="Somebody on hands and knees."' in page

    @pytest.mark.parametrize(
        ("change", "field", "words"),
        [
            ({"licence": ""}, "licence", "required"),
            ({"licence": "found-on-the-web"}, "licence", "not one of the available choices"),
            ({"author": " "}, "author", "required"),
            ({"alternative_text": ""}, "alternative_text", "required"),
            ({"alternative_text": "x" * 501}, "alternative_text", "at most 500"),
        ],
    )
    def test_what_is_missing_is_said_beside_its_field(
        self, client: Client, here: str, change: dict[str, str], field: str, words: str
    ) -> None:
        page = self.upload(client, here, picture(), **change)
        assert re.search(rf'id="id_{field}_error"[^>]*><li>[^<]*{words}', page), page
        assert not ExerciseMedia.objects.exists()

    @pytest.mark.parametrize(
        ("content", "words"),
        [
            (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "Send a JPEG, PNG or WebP picture"),
            (picture()[:200], "This picture is damaged."),
            (b"", "The submitted file is empty."),
        ],
    )
    def test_a_file_that_is_not_taken_says_why(self, client: Client, here: str, content: bytes, words: str) -> None:
        page = self.upload(client, here, content)
        assert re.search(rf'id="id_file_error"[^>]*><li>[^<]*{words}', page)
        assert ">Somebody on hands and knees.</textarea>" in re.sub(r"\s*\n\s*", "", page)  # nothing else is lost

    def test_what_is_far_too_large_is_refused_before_it_has_come_in(self, client: Client, here: str) -> None:
        kind = "multipart/form-data; boundary=x"
        for path, most in (("cat-cow/media", 52), ("cat-cow/retire", 1)):
            length = str(most * 1_048_576 + 1)
            answer = client.post(f"{here}{path}", b"", content_type=kind, CONTENT_LENGTH=length, secure=True)
            assert answer.status_code == 413
            assert f"larger than {most} MB" in answer.content.decode()

    def test_there_is_a_limit_to_how_many(self, client: Client, clinic: Clinic, here: str) -> None:
        for _ in range(MOST):
            a_picture(clinic)
        assert f"at most {MOST}" in read(client, f"{here}cat-cow/")
        self.upload(client, here, picture())
        assert ExerciseMedia.objects.count() == MOST

    def test_another_clinics_picture_is_neither_seen_nor_withdrawn(self, client: Client, here: str) -> None:
        row = a_picture(builders.clinic())
        assert row.file not in read(client, f"{here}cat-cow/")
        send(client, f"{here}cat-cow/media/{row.pk}/withdraw", {})
        row.refresh_from_db()
        assert row.removed_at is None
        assert client.post(f"{here}somersault/media", SAID, secure=True).status_code == 404


class TestWriting:
    @pytest.mark.parametrize("slug", sorted(library().exercises))
    def test_each_shared_exercise_goes_through_the_form_as_it_is(self, slug: str) -> None:
        entry = library().exercises[slug]
        form = self.form(as_sent(entry))
        assert form.made() == entry, [each.errors for each in form.forms]

    def form(self, data: QueryDict, known: Mapping[str, Exercise] = library().exercises) -> OwnEntry:
        return OwnEntry(data, language="en", spoken=["en", "de"], known=known, entry=None)

    def test_an_own_exercise_is_written_changed_retired_and_brought_back(
        self, client: Client, clinic: Clinic, here: str
    ) -> None:
        page = read(client, f"{here}new?like=cat-cow")
        assert 'value="Cat-cow"' in page
        entry = library().exercises["cat-cow"]
        data = as_sent(entry, slug="", **{"words-en-name": "Towel slide"})
        assert "It stands in the catalogue." in send(client, f"{here}new", data)
        assert names(read(client, f"{here}?q=towel"))[0] == "Towel slide"
        data["author"] = "The clinic"
        assert "It is changed." in send(client, f"{here}towel-slide/edit", data)
        assert Row.objects.get(clinic=clinic).content["author"] == "The clinic"
        assert "It is prescribed no more." in send(client, f"{here}towel-slide/retire", {})
        assert client.get(f"{here}towel-slide/", secure=True).status_code == 404
        assert f'href="{here}towel-slide/edit">Towel slide' in read(client, here)
        assert "brings it back" in read(client, f"{here}towel-slide/edit")
        assert "already, perhaps a retired one" in send(client, f"{here}new", data)
        assert "It is changed." in send(client, f"{here}towel-slide/edit", data)
        assert not Row.objects.get(clinic=clinic).retired

    def test_one_that_another_leads_to_stays_and_the_page_says_which(
        self, client: Client, clinic: Clinic, here: str
    ) -> None:
        own = an_own_exercise(clinic)
        easier = msgspec.structs.replace(library().exercises["cat-cow"], slug="", regression=Change(to=own.slug))
        data = as_sent(easier, **{"words-en-name": "Towel slide"})
        assert "It stands in the catalogue." in send(client, f"{here}new", data)
        assert "Towel slide leads here" in send(client, f"{here}{own.slug}/retire", {})
        own.refresh_from_db()
        assert not own.retired

    def test_it_may_take_the_place_of_a_shared_one_in_this_clinic(self, client: Client, here: str) -> None:
        entry = msgspec.structs.replace(library().exercises["cat-cow"], level=2, progression=Change(variable="range"))
        assert "It stands in the catalogue." in send(client, f"{here}new", as_sent(entry))
        assert len(names(read(client, here))) == len(library().exercises)

    def test_another_language_is_added_and_taken_away(self, client: Client, clinic: Clinic, here: str) -> None:
        own = an_own_exercise(clinic)
        entry = library().exercises["cat-cow"]
        german = msgspec.structs.replace(entry.words["en"], name="Katze und Kuh")
        both = msgspec.structs.replace(entry, words=entry.words | {"de": german})
        send(client, f"{here}{own.slug}/edit", as_sent(both))
        own.refresh_from_db()
        assert own.content["words"]["de"]["name"] == "Katze und Kuh"
        assert '<div class="screen told" lang="de"' in read(client, f"{here}{own.slug}/?language=de")
        half = as_sent(entry, **{"words-de-name": "Katze und Kuh"})
        assert 'id="id_words-de-purpose_error"' in send(client, f"{here}{own.slug}/edit", half)
        send(client, f"{here}{own.slug}/edit", as_sent(entry))
        own.refresh_from_db()
        assert sorted(own.content["words"]) == ["en"]

    @pytest.mark.parametrize(
        ("change", "beside"),
        [
            ({"level": "7"}, 'id="id_level_error"'),
            ({"author": ""}, 'id="id_author_error"'),
            ({"slug": "Cat Cow"}, 'id="id_slug_error"'),
            ({"rpe_0": "4", "rpe_1": "2"}, 'id="id_rpe_error"'),
            ({"rpe_0": "", "rpe_1": "2"}, 'id="id_rpe_error"'),
            ({"words-en-steps": "Only one."}, 'id="id_words-en-steps_error"'),
            ({"words-en-stop": ""}, 'id="id_words-en-stop_error"'),
            ({"dose-sets": "99"}, 'id="id_dose-sets_error"'),
            ({"dose-breaths": "8", "dose-reps": "8"}, "either reps, seconds or breaths"),
            ({"kind": "minutes"}, 'id="id_dose-minutes_error"'),
            ({"regression-to": "somersault"}, 'id="id_regression-to_error"'),
            ({"regression-to": "sphinx", "regression-variable": ""}, "easier leads from level 1 to 2"),
            ({"regression-to": "", "regression-variable": ""}, "needs either another entry or one variable"),
            ({"progression-to": "", "progression-variable": "minutes"}, "which the dose has not"),
        ],
    )
    def test_what_is_wrong_is_said_beside_its_field(
        self, client: Client, here: str, change: dict[str, str], beside: str
    ) -> None:
        page = send(client, f"{here}new", as_sent(library().exercises["cat-cow"], **change))
        assert beside in page
        assert not Row.objects.exclude(clinic=None).exists()

    def test_a_name_that_makes_no_address_asks_for_one(self, client: Client, here: str) -> None:
        data = as_sent(library().exercises["cat-cow"], slug="", **{"words-en-name": "太極"})
        assert 'id="id_slug_error"' in send(client, f"{here}new", data)

    def test_another_kind_of_dose_shows_its_fields_and_scolds_nobody(self, client: Client, here: str) -> None:
        page = send(client, f"{here}new", {"kind": "intervals", "do": "kind", "author": "The clinic"})
        assert 'name="dose-work_seconds"' in page
        assert "This field is required." not in page
        assert 'value="The clinic"' in page

    def test_a_shared_exercise_is_left_alone(self, client: Client, here: str) -> None:
        for path in ("cat-cow/edit", "cat-cow/retire"):
            assert client.post(f"{here}{path}", {}, secure=True).status_code == 404
