"""The pages about what a clinic can ask."""

from __future__ import annotations

from itertools import product
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from backend.people.models import Clinic
from outcomes import library
from outcomes.choices import band_of, choices_of, chosen
from outcomes.clinic_models import TextPack
from tests.factories import a_clinic, a_clinician, a_team, an_admin
from tests.outcomes.packs import LICENCE, a_pack, pack_content
from tests.outcomes.test_packs import toml
from tests.signin import browser

pytestmark = pytest.mark.django_db


@pytest.fixture
def clinic() -> Clinic:
    return a_clinic(languages=["en", "de"])


def page(client: Client, clinic: Clinic, below: str = "") -> str:
    answer = client.get(f"/clinics/{clinic.pk}/clinic/instruments/{below}")
    assert answer.status_code == 200
    return answer.content.decode()


def load(client: Client, clinic: Clinic, content: str, **fields: str) -> Any:
    sent = {"file": SimpleUploadedFile("tsk.toml", content.encode()), "licence": LICENCE, "attested": "on"} | fields
    return client.post(f"/clinics/{clinic.pk}/clinic/instruments/tsk-11/text", sent)


def test_the_list_costs_the_same_however_much_a_clinic_has_loaded(
    clinic: Clinic, django_assert_num_queries: Any
) -> None:
    client = browser(an_admin(clinic))
    page(client, clinic)
    for _ in range(2):
        # session, user, memberships; own languages twice, hours, rota; alerts waiting
        with django_assert_num_queries(8):
            assert "need a licence" in page(client, clinic)
        for code in ("tsk-11", "tsk-17", "odi"):
            for language in ("en", "de"):
                a_pack(clinic, code, language)


def test_an_admin_loads_a_text_sees_it_as_the_phone_will_and_removes_it(clinic: Clinic) -> None:
    admin = an_admin(clinic)
    client = browser(admin)
    assert "has no text that a phone could show" in page(client, clinic, "tsk-11/")
    assert load(client, clinic, toml(pack_content())).status_code == 302
    shown = page(client, clinic, "tsk-11/")
    for words in ("It can be asked on the phone.", "Question 11 in en", "Answer 4", LICENCE, admin.email):
        assert words in shown
    pack = TextPack.objects.get()
    client.post(f"/clinics/{clinic.pk}/clinic/instruments/tsk-11/text/{pack.pk}/remove")
    gone = page(client, clinic, "tsk-11/")
    assert "Question 11 in en" not in gone
    assert (LICENCE in gone, "removed" in gone) == (True, True)


@pytest.mark.parametrize(
    ("content", "fields", "says"),
    [
        (toml(pack_content(version="7")), {}, "version: tsk-11 has no version"),
        (toml(pack_content("tsk-17")), {}, "code: is tsk-17, not tsk-11"),
        ("title = ", {}, "This is no TOML"),
        (toml(pack_content()).replace("Question 11", r"Question\u0000 11"), {}, "items.11: holds a NUL character"),
        ('title = "\\ud800"', {}, "This is no TOML"),
        ('title = "\\udbff\\udfff"', {}, "This is no TOML"),
        (toml(pack_content()), {"licence": ""}, "This field is required."),
        (toml(pack_content()), {"attested": ""}, "This field is required."),
        ("x" * 600_000, {}, "This is too large for a text."),
    ],
)
def test_what_can_not_be_loaded_is_said_beside_the_field(
    clinic: Clinic, content: str, fields: dict[str, str], says: str
) -> None:
    answer = load(browser(an_admin(clinic)), clinic, content, **fields)
    assert (answer.status_code, says in answer.content.decode()) == (200, True)
    assert not TextPack.objects.exists()


def test_the_preview_is_in_the_language_that_is_asked_for(clinic: Clinic) -> None:
    for language in ("en", "de"):
        a_pack(clinic, language=language)
    client = browser(an_admin(clinic))
    assert "Question 1 in de" in page(client, clinic, "tsk-11/?language=de")
    assert "Question 1 in en" in page(client, clinic, "tsk-11/?language=fr")


def test_an_admin_sets_a_cut_off_and_takes_it_back(clinic: Clinic) -> None:
    client = browser(an_admin(clinic))
    address = f"/clinics/{clinic.pk}/clinic/instruments/tsk-17/reading"

    def band() -> str:
        return band_of(chosen(library.get("tsk-17"), clinic.pk, choices_of([clinic.pk])), "total", 37)

    assert client.post(address, {"cutoff.total.high": "37"}).status_code == 302
    assert (band(), "high from 37" in page(client, clinic, "tsk-17/")) == ("high", True)
    assert client.post(address, {"cutoff.total.high": ""}).status_code == 302
    assert band() == "low"
    for wrong in ("17", "99", "many"):
        answer = client.post(address, {"cutoff.total.high": wrong})
        assert (answer.status_code, "errorlist" in answer.content.decode()) == (200, True), wrong


def test_a_clinician_reads_and_has_nothing_to_press(clinic: Clinic) -> None:
    a_pack(clinic)
    shown = page(browser(a_clinician(a_team(clinic))), clinic, "tsk-11/")
    assert "Question 1 in en" in shown
    assert not any(words in shown for words in ("Load a text", "Remove this text", "Read it so"))


def test_every_instrument_has_its_page(clinic: Clinic) -> None:
    client = browser(an_admin(clinic))
    for instrument in library.newest():
        assert instrument.code in page(client, clinic, f"{instrument.code}/")
    assert client.get(f"/clinics/{clinic.pk}/clinic/instruments/tsk-99/").status_code == 404


def test_the_page_of_exports_names_every_file(clinic: Clinic) -> None:
    client = browser(an_admin(clinic))
    answer = client.get(f"/clinics/{clinic.pk}/clinic/exports/").content.decode()
    for name in ("responses.jsonl", "sessions.csv", "dictionary.csv"):
        assert f"/api/v1/clinics/{clinic.pk}/exports/{name}" in answer


def test_an_admin_pastes_a_licensed_value_set(clinic: Clinic) -> None:
    client = browser(an_admin(clinic))
    address = f"/clinics/{clinic.pk}/clinic/instruments/eq-5d-5l/reading"

    def answer(table: str) -> str:
        return str(client.post(address, {"table.index": table}, follow=True).content.decode())

    assert "Line 2 is not two numbers" in answer("11111, 1.000\nnonsense")
    assert "Line 1 is not two numbers" in answer("11111, nan")
    assert "lacks 3124 values" in answer("11111, 1.000").partition("table.index")[2]
    assert not choices_of([clinic.pk])
    whole = "\n".join(f"{''.join(levels)}; 0.5" for levels in product("12345", repeat=5))
    assert "Bands are read so from now on." in answer(whole)
    (standing,) = choices_of([clinic.pk]).values()
    assert len(standing.choice.tables["index"]) == 5**5
    assert "11112, 0.5" in page(client, clinic, "eq-5d-5l/")
    answer("")
    (standing,) = choices_of([clinic.pk]).values()
    assert standing.choice.tables == {}
