"""What the API refuses is said in the language of whoever asked. A language is a folder in `backend/locale`."""

from __future__ import annotations

import ast
import gettext
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.test import Client
from django.utils import translation

from backend.reminders.scheduling import ScheduleError, check_assignable
from tests.factories import a_patient
from tests.signin import phone

ROOT = Path(__file__).parents[2]
CATALOGUES = ROOT / "backend/locale"
ROOMS = [*(f"backend/{room}" for room in ("rest", "people", "reminders", "sync")), "outcomes", "exercises"]
SPEAKS = {
    "gettext": 0, "_": 0, "gettext_noop": 0, "in_words": 0, "refusal": 2,
    "Problem": 2, "ScheduleError": 1, "RefusedError": 2, "UnfitError": 1, "BaselineError": 1,
}  # fmt: skip
"""Which argument of a call is said to somebody."""

NOT_SAID = {"scoring.py", "consistency.py", "score.py", "library.py", "templates.py"}
"""Where `Problem` is another: of the catalogue's files, and of items, whose refusals are kept for the clinic."""


def said() -> Iterator[str]:
    for room in ROOMS:
        for file in (ROOT / room).rglob("*.py"):
            if file.name in NOT_SAID:
                continue
            for node in ast.walk(ast.parse(file.read_text())):
                if isinstance(node, ast.Call):
                    place = SPEAKS.get(getattr(node.func, "id", ""), len(node.args))
                    yield from literals(node.args[place : place + 1])
                elif isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") in ("NAMED", "REFUSED"):
                    assert isinstance(node.value, ast.Dict)
                    yield from literals(node.value.values)


def literals(nodes: list[ast.expr]) -> Iterator[str]:
    for node in nodes:
        if isinstance(node, ast.Constant):
            assert isinstance(node.value, str), ast.unparse(node)
            yield node.value
        elif isinstance(node, ast.IfExp):
            yield from literals([node.body, node.orelse])
        elif isinstance(node, ast.JoinedStr):
            fixed = "".join(str(part.value) for part in node.values if isinstance(part, ast.Constant))
            assert not re.search(r"\w", fixed), f"no other language can take its place: {ast.unparse(node)}"


def catalogue(language: str) -> dict[str, str]:
    with (CATALOGUES / language / "LC_MESSAGES/django.mo").open("rb") as file:
        found: dict[str, str] = gettext.GNUTranslations(file)._catalog  # type: ignore[attr-defined]
    return {english: words for english, words in found.items() if english}


LANGUAGES = sorted(folder.name for folder in CATALOGUES.iterdir())


def test_german_is_there() -> None:
    assert "de" in LANGUAGES


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_language_says_all_there_is_and_nothing_else(language: str) -> None:
    wanted, there = set(said()), catalogue(language)
    assert len(wanted) > 100
    assert wanted - there.keys() == set()
    assert there.keys() - wanted == set()
    names = re.compile(r"%\(\w+\)s")
    for english, words in there.items():
        assert sorted(names.findall(english)) == sorted(names.findall(words)), english


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_was_compiled_is_what_was_written(language: str) -> None:
    written: dict[str, str] = {}
    into = ""
    parts = {"msgid": "", "msgstr": ""}
    text = (CATALOGUES / language / "LC_MESSAGES/django.po").read_text()
    for line in [*text.splitlines(), 'msgid ""']:
        match = re.fullmatch(r'(?:(msgid|msgstr) )?(".*")', line)
        if not match:
            continue
        if match[1] == "msgid":
            written[parts["msgid"]] = parts["msgstr"]
            parts = {"msgid": "", "msgstr": ""}
        into = match[1] or into
        parts[into] += ast.literal_eval(match[2])
    written.pop("")
    assert written == catalogue(language)


def test_a_refusal_comes_in_the_language_that_was_asked_for() -> None:
    answer = Client().get("/api/v1/agenda", headers={"accept-language": "de-CH,de;q=0.9"}).json()
    assert (answer["title"], answer["errors"][0]["code"]) == ("Nicht angemeldet", "not_authenticated")


@pytest.mark.django_db
def test_a_phone_that_names_no_language_is_answered_in_its_patients() -> None:
    client = phone(a_patient(language="de"))
    wrong = "/api/v1/agenda?days=1000"
    assert client.get(wrong).json()["detail"] == "Möglich sind 1 bis 14 Tage."
    assert client.get(wrong, headers={"accept-language": "en"}).json()["detail"] == "Ask for 1 to 14 days."


@pytest.mark.django_db
def test_why_something_cant_be_asked_is_told_in_the_readers_language() -> None:
    with (
        translation.override("de"),
        pytest.raises(ScheduleError, match="wird vom Behandlungsteam ausgefüllt") as refused,
    ):
        check_assignable(a_patient(), "siras")
    assert refused.value.code == "not_for_patients"
