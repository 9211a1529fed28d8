"""The words that a clinic has licensed for itself."""

from __future__ import annotations

from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import IntegrityError, transaction
from django.test import Client
from django.utils import timezone

from backend.people.models import Clinic, Patient
from outcomes import packs
from outcomes.clinic_models import TextPack
from tests.factories import a_clinic, a_patient, a_team, an_admin
from tests.outcomes.packs import LICENCE, a_pack, pack_content
from tests.signin import a_consent, browser, phone

pytestmark = pytest.mark.django_db


def refused(clinic: Clinic, content: object, code: str = "tsk-11") -> list[str]:
    with pytest.raises(packs.BadPackError) as error:
        packs.read_pack(content, clinic, code)
    return str(error.value).splitlines()


class TestReading:
    def test_each_missing_and_unknown_item_and_answer_is_named(self) -> None:
        content = pack_content()
        content["items"] |= {"12": "One too many"}
        del content["items"]["3"]
        del content["options"]["agreement"]["4"]
        content["options"]["agreement"]["5"] = "Even more"
        assert refused(a_clinic(), content) == [
            "items.3: has no text",
            "items.12: is no item",
            "options.agreement.5: is no answer",
            "options.agreement.4: has no label",
        ]

    @pytest.mark.parametrize(
        ("changed", "says"),
        [
            ({"version": "7"}, "version: tsk-11 has no version '7'; it has 1."),
            ({"code": "tsk-17"}, "code: is tsk-17, not tsk-11"),
            ({"title": ""}, "title: Expected `str` of length >= 1"),
            ({"language": "de"}, "language: is none of the clinic's: en"),
            ({"words": "x"}, "file: Object contains unknown field `words`"),
        ],
    )
    def test_what_does_not_fit_is_said_by_field(self, changed: dict[str, Any], says: str) -> None:
        assert refused(a_clinic(), pack_content(**changed)) == [says]

    def test_what_ships_stays_as_its_owner_wrote_it_but_another_language_may_be_added(self) -> None:
        clinic = a_clinic(languages=["en", "de"])
        assert refused(clinic, pack_content("phq-8", "en"), "phq-8") == [
            "language: ships with the project, and stays as its owner wrote it"
        ]
        assert packs.read_pack(pack_content("phq-8", "de"), clinic, "phq-8").language == "de"


class TestLoading:
    def test_the_same_once_more_changes_nothing_and_another_takes_its_place(self) -> None:
        clinic = a_clinic()
        first = a_pack(clinic)
        assert a_pack(clinic) == first
        second = a_pack(clinic, title="A better one")
        rows = TextPack.objects.filter(clinic=clinic).order_by("pk")
        assert [(row.pk, row.removed_at is None) for row in rows] == [(first.pk, False), (second.pk, True)]

    def test_without_grounds_it_is_refused(self) -> None:
        clinic = a_clinic()
        text = packs.read_pack(pack_content(), clinic, "tsk-11")
        with pytest.raises(packs.BadPackError, match="licence: say on what grounds"):
            packs.load_pack(clinic, text, "  ", by=None, now=timezone.now())

    def test_the_database_lets_nobody_change_who_attested_what(self) -> None:
        pack = a_pack(a_clinic())
        changes: list[dict[str, Any]] = [{"licence": "none"}, {"content": {}}]
        for change in changes:
            with pytest.raises(IntegrityError, match="append-only"), transaction.atomic():
                TextPack.objects.filter(pk=pack.pk).update(**change)
        with pytest.raises(IntegrityError, match="append-only"), transaction.atomic():
            pack.delete()


class TestCommands:
    def test_a_file_is_loaded_and_removed_again(self, tmp_path: Path) -> None:
        clinic = a_clinic()
        file = tmp_path / "tsk.toml"
        file.write_text(toml(pack_content()))
        said = StringIO()
        call_command("load_text", "tsk-11", file, clinic=clinic.name, attest=LICENCE, stdout=said)
        call_command("remove_text", "tsk-11", "en", clinic=clinic.name, stdout=said)
        pack = TextPack.objects.get(clinic=clinic)
        assert (pack.licence, pack.content["items"]["11"]) == (LICENCE, "Question 11 in en")
        assert pack.removed_at is not None
        assert said.getvalue().splitlines() == [
            f"{clinic.name} can show tsk-11 version 1 in en.",
            f"{clinic.name} shows tsk-11 version 1 in en no more.",
        ]
        with pytest.raises(CommandError, match="has loaded no text of tsk-11 in en"):
            call_command("remove_text", "tsk-11", "en", clinic=clinic.name)

    def test_what_is_wrong_with_a_file_is_said_by_file_and_field(self, tmp_path: Path) -> None:
        clinic = a_clinic()
        file = tmp_path / "tsk.toml"
        file.write_text(toml(pack_content(version="7")))
        with pytest.raises(CommandError, match=r"tsk\.toml: version: tsk-11 has no version"):
            call_command("load_text", "tsk-11", file, clinic=clinic.name, attest=LICENCE)
        file.write_text(toml(pack_content()).replace("Question 11", r"Question\u0000 11"))
        with pytest.raises(CommandError, match=r"tsk\.toml: items\.11: holds a NUL"):
            call_command("load_text", "tsk-11", file, clinic=clinic.name, attest=LICENCE)
        file.write_text("title = ")
        with pytest.raises(CommandError, match=r"tsk\.toml: Invalid value"):
            call_command("load_text", "tsk-11", file, clinic=clinic.name, attest=LICENCE)


def toml(content: dict[str, Any]) -> str:
    tables = {name: value for name, value in content.items() if isinstance(value, dict)}
    lines = [f'{name} = "{value}"' for name, value in content.items() if name not in tables]
    lines += ["[items]", *(f'{name} = "{words}"' for name, words in tables["items"].items())]
    for name, labels in tables["options"].items():
        lines += [f"[options.{name}]", *(f'{value} = "{words}"' for value, words in labels.items())]
    return "\n".join(lines)


def a_phone_of(clinic: Clinic, language: str = "en") -> tuple[Client, Patient]:
    patient = a_patient(a_team(clinic), language=language)
    a_consent(patient)
    return phone(patient), patient


def instruments_pulled(client: Client, cursor: str | None = None) -> tuple[dict[str, Any] | None, str]:
    answer = client.post("/api/v1/sync", {"cursor": cursor, "push": []}, content_type="application/json").json()
    found = answer["instruments"]
    return found if found is None else {each["code"]: each for each in found}, answer["cursor"]


class TestPhones:
    def test_a_patient_gets_their_clinics_words_in_their_language_and_another_clinics_never(self) -> None:
        clinic, elsewhere = a_clinic(languages=["en", "de"]), a_clinic(languages=["en", "de"])
        english, _ = a_phone_of(clinic)
        german, _ = a_phone_of(clinic, "de")
        foreign, _ = a_phone_of(elsewhere)
        for language in ("en", "de"):
            a_pack(clinic, language=language)
        address = "/api/v1/instruments/tsk-11"
        assert english.get(address).json()["items"][0]["text"] == "Question 1 in en"
        theirs = german.get(address).json()
        assert (theirs["items"][0]["text"], theirs["languages"]) == ("Question 1 in de", ["de", "en"])
        assert (theirs["items"][0]["labels"]["1"], theirs["licence"]) == ("Answer 1", "Shown by leave of the owner.")
        bare = foreign.get(address).json()
        assert (bare["items"][0]["text"], bare["languages"], bare["language"]) == (None, [], None)
        listed = {each["code"]: each["languages"] for each in german.get("/api/v1/instruments").json()["results"]}
        assert (listed["tsk-11"], listed["phq-8"]) == (["de", "en"], ["en"])

    def test_a_tag_holds_until_the_words_change(self) -> None:
        clinic = a_clinic()
        client, _ = a_phone_of(clinic)
        tags = []
        for step in (lambda: None, lambda: a_pack(clinic), lambda: a_pack(clinic, title="Another title")):
            step()
            tag = client.get("/api/v1/instruments/tsk-11")["ETag"]
            again = client.get("/api/v1/instruments/tsk-11", headers={"If-None-Match": tag})
            assert (again.status_code, tag in tags) == (304, False)
            tags.append(tag)

    def test_a_pull_says_what_can_be_asked_once_and_again_when_it_changes(self) -> None:
        clinic = a_clinic()
        client, _ = a_phone_of(clinic)
        first, cursor = instruments_pulled(client)
        assert first is not None
        assert "phq-8" in first
        assert "tsk-11" not in first
        assert "siras" not in first
        unchanged, cursor = instruments_pulled(client, cursor)
        assert unchanged is None
        pack = a_pack(clinic)
        loaded, cursor = instruments_pulled(client, cursor)
        assert loaded is not None
        assert loaded["tsk-11"]["etag"] == client.get("/api/v1/instruments/tsk-11")["ETag"]
        assert loaded["phq-8"] == first["phq-8"]
        packs.remove_pack(pack, by=None, now=timezone.now())
        removed, cursor = instruments_pulled(client, cursor)
        assert removed == first

    def test_another_clinics_text_is_no_news(self) -> None:
        client, _ = a_phone_of(a_clinic())
        _, cursor = instruments_pulled(client)
        a_pack(a_clinic())
        assert instruments_pulled(client, cursor)[0] is None


class TestStaff:
    def test_an_admin_loads_reads_and_removes_a_text(self) -> None:
        clinic = a_clinic()
        admin = an_admin(clinic)
        client = browser(admin)
        address = f"/api/v1/clinics/{clinic.pk}/instrument-texts"
        body = {"licence": LICENCE, "text": pack_content()}
        made = client.post(address, body, content_type="application/json")
        assert made.status_code == 201, made.content
        assert client.get(address).json()["results"] == [made.json()]
        assert client.get("/api/v1/instruments/tsk-11").json()["language"] == "en"
        assert client.delete(f"{address}/{made.json()['id']}").status_code == 204
        assert client.get(address).json()["results"][0]["removed_at"]
        pack = TextPack.objects.get()
        assert (pack.loaded_by, pack.removed_by) == (admin, admin)

    def test_bad_words_are_named_by_field(self) -> None:
        clinic = a_clinic()
        body = {"licence": LICENCE, "text": pack_content(items={"1": "x"})}
        answer = browser(an_admin(clinic)).post(
            f"/api/v1/clinics/{clinic.pk}/instrument-texts", body, content_type="application/json"
        )
        fields = [error["field"] for error in answer.json()["errors"]]
        assert (answer.status_code, fields[0], len(fields)) == (400, "text.items.10", 10)

    def test_staff_of_several_clinics_say_with_whose_words(self) -> None:
        clinic = a_clinic()
        a_pack(clinic)
        admin = an_admin(clinic)
        a_second = a_clinic()
        a_second.membership_set.create(user=admin, role="admin")
        client = browser(admin)
        address = "/api/v1/instruments/tsk-11"
        assert client.get(address).json()["language"] is None
        assert client.get(address, {"clinic": clinic.pk}).json()["language"] == "en"
        assert client.get(address, {"clinic": a_second.pk}).json()["language"] is None
        for other in (a_clinic().pk, "x"):
            assert client.get(address, {"clinic": other}).status_code == 404
