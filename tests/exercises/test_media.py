"""Pictures and clips: known by their content, rid of what a camera put in, shown only to who may see them."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any, cast
from uuid import UUID
from zlib import crc32

import av
import numpy as np
import pytest
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client, RequestFactory
from PIL import Image
from pytest_django.fixtures import Settings

from backend.people.models import CareTeam, Patient
from backend.rest.ranges import asked_of
from exercises import library
from exercises.media import LARGEST_PICTURE, UnfitError, prepare
from exercises.models import ExerciseMedia, Prescription
from exercises.prescribing import find_exercises
from exercises.uploads import MOST
from tests.exercises.programmes import CAT_COW, a_picture, a_programme
from tests.factories import a_clinic, a_clinician, a_patient, a_team
from tests.pulling import changes_of
from tests.signin import browser, phone

SAID = {"licence": "CC-BY-4.0", "author": "The clinic", "alternative_text": "Somebody on hands and knees."}
GPS = 0x8825  # the block of the place in Exif


def picture(kind: str = "JPEG", size: tuple[int, int] = (60, 40), **options: Any) -> bytes:
    written = io.BytesIO()
    Image.new("RGB", size, "teal").save(written, kind, **options)
    return written.getvalue()


def a_photograph() -> bytes:
    """As a phone takes it: lying on its side, with the place where it was taken."""
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned by a quarter
    exif[0x010F] = "Phone maker"
    exif.get_ifd(GPS)[2] = (47.0, 22.0, 30.0)
    return picture(exif=exif)


def clip(container: str = "mp4", codec: str = "libx264", **metadata: str) -> bytes:
    written = io.BytesIO()
    options = {"movflags": "use_metadata_tags"} if container == "mp4" else {}
    with av.open(written, "w", format=container, options=options) as made:
        made.metadata.update(metadata)
        stream = cast(av.VideoStream, made.add_stream(codec, rate=10))
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        for shade in range(8):
            frame = av.VideoFrame.from_ndarray(np.full((48, 64, 3), shade * 30, np.uint8), format="rgb24")
            made.mux(stream.encode(frame))
        made.mux(stream.encode())
    return written.getvalue()


def taken(content: bytes) -> Any:
    return prepare(io.BytesIO(content), len(content))


class TestByItsContent:
    @pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
    def test_a_picture_is_written_anew(self, kind: str) -> None:
        prepared = taken(picture(kind))
        assert (prepared.extension, prepared.width, prepared.height) == ("webp", 60, 40)
        with Image.open(io.BytesIO(prepared.content)) as image:
            assert image.format == "WEBP"

    def test_what_a_camera_put_in_is_gone_and_the_picture_stands_upright(self) -> None:
        photograph = a_photograph()
        assert b"Phone maker" in photograph
        prepared = taken(photograph)
        assert (prepared.width, prepared.height) == (40, 60)
        with Image.open(io.BytesIO(prepared.content)) as image:
            assert not dict(image.getexif())
        assert b"Phone maker" not in prepared.content

    def test_a_large_picture_becomes_as_large_as_a_phone_shows(self) -> None:
        assert taken(picture(size=(4000, 1000))).width == 1600

    @pytest.mark.parametrize(("container", "codec"), [("mp4", "libx264"), ("webm", "libvpx-vp9")])
    def test_a_clip_is_copied_into_a_bare_container(self, container: str, codec: str) -> None:
        filmed = clip(container, codec, location="+47.3769+008.5417/", comment="my living room")
        assert b"my living room" in filmed
        prepared = taken(filmed)
        assert (prepared.extension, prepared.width, prepared.height) == (container, 64, 48)
        assert b"my living room" not in prepared.content
        assert b"47.3769" not in prepared.content
        with av.open(io.BytesIO(prepared.content), "r") as again:
            assert len(list(again.decode(video=0))) == 8

    @pytest.mark.parametrize(
        ("content", "code"),
        [
            (b"", "unknown_type"),
            (b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>", "unknown_type"),
            (b"GIF89a" + bytes(40), "unknown_type"),
            (b"#EXTM3U\n#EXTINF:1,\nfile:///etc/passwd\n", "unknown_type"),
            (b"\xff\xd8\xff" + b"<script>" * 9, "unreadable"),
            (picture()[:200], "unreadable"),
            (picture("PNG")[:60], "unreadable"),
            (b"\x00\x00\x00\x18ftypmp42" + bytes(90), "unreadable"),
            (clip()[:900], "unreadable"),
            (b"\x1aE\xdf\xa3" + bytes(90), "unreadable"),
            (clip("mp4", "mpeg4"), "unknown_codec"),
            (picture("PNG", size=(9000, 6000)), "too_many_pixels"),
        ],
    )
    def test_what_is_no_picture_and_no_clip_is_refused_by_name(self, content: bytes, code: str) -> None:
        with pytest.raises(UnfitError) as refused:
            taken(content)
        assert refused.value.code == code

    def test_a_bomb_is_refused_before_it_goes_off(self) -> None:
        small = picture("PNG")
        says = b"IHDR" + (60_000).to_bytes(4) * 2 + small[24:29]  # that it is 60,000 wide and high
        with pytest.raises(UnfitError, match="million pixels"):
            taken(small[:12] + says + crc32(says).to_bytes(4) + small[33:])

    def test_too_many_bytes_are_refused(self) -> None:
        with pytest.raises(UnfitError, match="10 MiB"):
            prepare(io.BytesIO(picture()), LARGEST_PICTURE + 1)


@pytest.mark.django_db
class TestAClinicsOwn:
    @pytest.fixture(autouse=True)
    def storage(self, settings: Settings, tmp_path: Path) -> Path:
        settings.STORAGES = settings.STORAGES | {
            "default": {
                "BACKEND": "django.core.files.storage.FileSystemStorage",
                "OPTIONS": {"location": str(tmp_path)},
            }
        }
        return tmp_path

    @pytest.fixture
    def team(self) -> CareTeam:
        return a_team()

    @pytest.fixture
    def clinician(self, team: CareTeam) -> Client:
        return browser(a_clinician(team))

    @pytest.fixture
    def patient(self, team: CareTeam) -> Patient:
        return a_patient(team)

    def upload(self, client: Client, clinic_id: int, content: bytes, slug: str = "cat-cow", **said: str) -> Any:
        file = SimpleUploadedFile("holiday.exe", content, content_type="text/html")
        return client.post(f"/api/v1/clinics/{clinic_id}/exercises/{slug}/media", SAID | {"file": file} | said)

    def test_it_hangs_on_the_exercise_in_this_clinic_alone(
        self, team: CareTeam, clinician: Client, patient: Patient
    ) -> None:
        answer = self.upload(clinician, team.clinic_id, a_photograph())
        assert answer.status_code == 201, answer.content
        file = answer.json()["file"]
        assert file.endswith(".webp")
        (shown,) = phone(patient).get("/api/v1/exercises/cat-cow").json()["media"]
        assert shown == SAID | {"file": file}
        elsewhere = phone(a_patient())
        assert elsewhere.get("/api/v1/exercises/cat-cow").json()["media"] == []
        assert elsewhere.get(f"/api/v1/exercise-media/{file}").status_code == 404
        assert browser(a_clinician(a_team())).get(f"/api/v1/exercise-media/{file}").status_code == 404
        assert Client().get(f"/api/v1/exercise-media/{file}").status_code == 401

    def test_it_is_served_as_what_it_is_and_runs_nothing(
        self, team: CareTeam, clinician: Client, patient: Patient
    ) -> None:
        file = self.upload(clinician, team.clinic_id, picture()).json()["file"]
        answer = phone(patient).get(f"/api/v1/exercise-media/{file}")
        assert answer.getvalue()[8:12] == b"WEBP"
        assert answer["Content-Type"] == "image/webp"
        assert answer["X-Content-Type-Options"] == "nosniff"
        assert answer["Content-Security-Policy"] == "default-src 'none'; sandbox"
        assert answer["Cross-Origin-Resource-Policy"] == "same-origin"
        assert answer["Content-Disposition"] == f'attachment; filename="{file}"'
        assert "private" in answer["Cache-Control"]
        again = phone(patient).get(f"/api/v1/exercise-media/{file}", headers={"if-none-match": answer["ETag"]})
        assert again.status_code == 304

    @pytest.mark.parametrize(
        ("asked", "span"),
        [
            ("bytes=0-", (0, None)),
            ("bytes=0-0", (0, 1)),
            ("bytes=5-9", (5, 10)),
            ("bytes=20-99999999", (20, None)),
            ("bytes=-7", (-7, None)),
            ("bytes=-99999999", (0, None)),
        ],
    )
    def test_a_download_that_broke_off_goes_on(
        self, team: CareTeam, clinician: Client, patient: Patient, asked: str, span: tuple[int, int | None]
    ) -> None:
        address = f"/api/v1/exercise-media/{self.upload(clinician, team.clinic_id, clip()).json()['file']}"
        whole = phone(patient).get(address)
        content = whole.getvalue()
        assert (whole["Accept-Ranges"], whole["Content-Length"]) == ("bytes", str(len(content)))
        headers = {"range": asked, "if-range": whole["ETag"]}
        part = phone(patient).get(address, headers=headers)
        wanted = content[slice(*span)]
        assert (part.status_code, part.getvalue()) == (206, wanted)
        first = content.index(wanted) if asked != "bytes=0-0" else 0
        assert part["Content-Range"] == f"bytes {first}-{first + len(wanted) - 1}/{len(content)}"
        assert (part["Content-Length"], part["ETag"]) == (str(len(wanted)), whole["ETag"])
        assert part["Content-Type"] == "video/mp4"

    @pytest.mark.parametrize(
        "headers",
        [
            {"range": "bytes=5-9", "if-range": '"another"'},
            {"range": "bytes=0-1,5-9"},
            {"range": "bytes=9-5"},
            {"range": "bytes=-"},
            {"range": "bytes=one-two"},
            {"range": "lines=1-2"},
        ],
    )
    def test_what_is_another_file_or_no_range_is_sent_whole(
        self, team: CareTeam, clinician: Client, headers: dict[str, str]
    ) -> None:
        address = f"/api/v1/exercise-media/{a_picture(team.clinic).file}"
        answer = clinician.get(address, headers=headers)
        assert (answer.status_code, answer.getvalue()) == (200, clinician.get(address).getvalue())

    @pytest.mark.parametrize("asked", ["bytes=999999-", "bytes=-0", "bytes=999999-9999999"])
    def test_a_part_that_is_not_there_is_refused_with_the_size(
        self, team: CareTeam, clinician: Client, asked: str
    ) -> None:
        row = a_picture(team.clinic)
        answer = clinician.get(f"/api/v1/exercise-media/{row.file}", headers={"range": asked})
        assert (answer.status_code, answer.json()["errors"][0]["code"]) == (416, "range_not_satisfiable")
        assert answer["Content-Range"] == f"bytes */{row.size}"

    def test_who_has_it_all_is_told_so_before_any_range(self, team: CareTeam, clinician: Client) -> None:
        address = f"/api/v1/exercise-media/{a_picture(team.clinic).file}"
        whole = clinician.get(address)
        assert whole.getvalue()
        headers = {"range": "bytes=0-4", "if-none-match": whole["ETag"]}
        assert clinician.get(address, headers=headers).status_code == 304

    def test_only_a_get_has_parts(self) -> None:
        headers = {"range": "bytes=0-4"}
        assert asked_of(RequestFactory().get("/", headers=headers), 9, '"tag"') == range(5)
        assert asked_of(RequestFactory().head("/", headers=headers), 9, '"tag"') is None

    def test_a_new_picture_makes_the_exercise_new_for_the_phone(self, patient: Patient) -> None:
        client = phone(patient)
        old = client.get("/api/v1/exercises/cat-cow")["ETag"]
        a_picture(patient.clinic)
        assert client.get("/api/v1/exercises/cat-cow", headers={"if-none-match": old}).status_code == 200

    def test_taken_down_it_is_gone_and_stays_on_record(
        self, team: CareTeam, clinician: Client, django_capture_on_commit_callbacks: Any
    ) -> None:
        kept = self.upload(clinician, team.clinic_id, picture()).json()
        row = ExerciseMedia.objects.get()
        assert default_storage.exists(row.path)
        with django_capture_on_commit_callbacks(execute=True):
            there = f"/api/v1/clinics/{team.clinic_id}/exercises/cat-cow/media"
            assert clinician.delete(f"{there}/{kept['id']}").status_code == 204
        assert clinician.delete(f"{there}/{kept['id']}").status_code == 404
        assert clinician.get(there).json() == {"results": []}
        assert clinician.get(f"/api/v1/exercise-media/{kept['file']}").status_code == 404
        row.refresh_from_db()
        assert (row.removed_by, default_storage.exists(row.path)) == (row.uploaded_by, False)

    @pytest.mark.parametrize(
        ("change", "status", "field", "code"),
        [
            ({"licence": ""}, 400, "licence", "required"),
            ({"licence": "found-on-the-web"}, 422, "licence", "unknown_licence"),
            ({"author": " "}, 400, "author", "required"),
            ({"alternative_text": ""}, 400, "alternative_text", "required"),
            ({"alternative_text": "x" * 501}, 400, "alternative_text", "invalid"),
            ({"file": "no file"}, 400, "file", "required"),
        ],
    )
    def test_what_is_missing_is_named(
        self, team: CareTeam, clinician: Client, change: dict[str, str], status: int, field: str, code: str
    ) -> None:
        answer = self.upload(clinician, team.clinic_id, picture(), **change)
        (error,) = answer.json()["errors"]
        assert (answer.status_code, error["field"], error["code"]) == (status, field, code)
        assert not ExerciseMedia.objects.exists()

    def test_a_name_and_a_header_are_not_believed(self, team: CareTeam, clinician: Client, storage: Path) -> None:
        file = SimpleUploadedFile("cat.png", b"<html><script>alert(1)</script>", content_type="image/png")
        address = f"/api/v1/clinics/{team.clinic_id}/exercises/cat-cow/media"
        answer = clinician.post(address, SAID | {"file": file})
        assert (answer.status_code, answer.json()["errors"][0]["code"]) == (422, "unknown_type")
        assert not list(storage.rglob("*.*"))

    def test_there_is_a_limit_to_how_many(self, team: CareTeam, clinician: Client) -> None:
        for _ in range(MOST):
            a_picture(team.clinic)
        assert self.upload(clinician, team.clinic_id, picture()).status_code == 409

    def test_a_body_that_is_too_large_is_not_read(self, team: CareTeam, clinician: Client) -> None:
        address = f"/api/v1/clinics/{team.clinic_id}/exercises/cat-cow/media"
        kind = "multipart/form-data; boundary=x"
        answer = clinician.post(address, b"", content_type=kind, CONTENT_LENGTH=str(53 * 1_048_576))
        assert (answer.status_code, answer.json()["errors"][0]["code"]) == (413, "too_large")
        elsewhere = clinician.post("/api/v1/exercises", b"", content_type=kind, CONTENT_LENGTH=str(2 * 1_048_576))
        assert elsewhere.status_code == 413

    def test_no_exercise_no_media(self, team: CareTeam, clinician: Client) -> None:
        assert self.upload(clinician, team.clinic_id, picture(), slug="somersault").status_code == 404
        assert self.upload(clinician, a_clinic().pk, picture()).status_code == 404

    @pytest.mark.parametrize("file", ["..%2F..%2Fsecret-key", "cat.webp", f"{UUID(int=7)}.webp", "etc"])
    def test_nothing_else_is_served(self, clinician: Client, file: str) -> None:
        assert clinician.get(f"/api/v1/exercise-media/{file}").status_code == 404

    def test_one_name_leads_to_one_file(self, team: CareTeam, clinician: Client) -> None:
        row = a_picture(team.clinic)
        assert clinician.get(f"/api/v1/exercise-media/{row.pk}.mp4").status_code == 404

    def test_a_programme_brings_the_references_to_the_phone(self, patient: Patient) -> None:
        from backend.sync.pull import pull

        row = a_picture(patient.clinic)
        a_programme(patient, CAT_COW)
        (change,) = changes_of(pull(None, patient.pk, patient.clinic_id, "en"))
        (media,) = change["data"]["exercises"]["cat-cow"]["media"]
        assert (media["file"], media["alternative_text"]) == (row.file, row.alternative_text)
        other = Prescription.objects.get(pk=a_programme(a_patient(), CAT_COW).pk)
        assert other.exercises["cat-cow"]["media"] == []

    def test_an_own_entry_names_no_files_of_others(self, team: CareTeam, clinician: Client) -> None:
        from exercises.examples import EXERCISE as EXAMPLE

        body = EXAMPLE | {"media": [SAID | {"file": a_picture(a_clinic()).file}]}
        answer = clinician.post(f"/api/v1/clinics/{team.clinic_id}/exercises", body, "application/json")
        assert (answer.status_code, answer.json()["errors"][0]["code"]) == (422, "upload_it")

    def test_looking_for_media_takes_one_statement_for_all(
        self, patient: Patient, django_assert_num_queries: Any
    ) -> None:
        for slug in ("cat-cow", "cat-cow", "bridge"):
            a_picture(patient.clinic, slug)
        with django_assert_num_queries(2):  # the entries, what hangs on them
            found = find_exercises(["cat-cow", "bridge", "bird-dog"], patient.clinic_id)
        assert [len(found[slug].media) for slug in ("cat-cow", "bridge", "bird-dog")] == [2, 1, 0]


@pytest.mark.django_db
def test_the_shared_catalogues_own_pictures_are_for_everybody_signed_in(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import shutil

    folder = tmp_path / "catalogue"
    shutil.copytree(library.FOLDER, folder)
    (folder / "media").mkdir()
    (folder / "media" / "cat-cow.webp").write_bytes(picture("WEBP"))
    yoga = folder / "yoga.toml"
    named = 'media = [{ file = "cat-cow.webp", licence = "CC0-1.0", author = "A", alternative_text = "A cat." }]'
    yoga.write_text(yoga.read_text().replace('slug = "cat-cow"\n', f'slug = "cat-cow"\n{named}\n', 1))
    monkeypatch.setattr(library, "FOLDER", folder)
    library.library.cache_clear()
    library.shared_media.cache_clear()
    try:
        for client in (phone(a_patient()), browser(a_clinician(a_team()))):
            answer = client.get("/api/v1/exercise-media/cat-cow.webp")
            assert (answer.status_code, answer["Content-Type"]) == (200, "image/webp")
            assert answer.getvalue() == picture("WEBP")
    finally:
        monkeypatch.undo()
        library.library.cache_clear()
        library.shared_media.cache_clear()
