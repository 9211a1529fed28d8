"""Whatever the phone's door refuses, the page says how to put it right."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings
from django.test import Client

from backend.dashboard.repairs import REPAIRS
from tests.backend.dashboard import builders

# Where a refusal is made, and which argument is its code.
MAKERS = {"FieldError": 1, "Problem": 1, "_rejected": 2, "_refuse_slot": 2}
ROOMS = [
    *(settings.BASE_DIR / "backend" / "sync" / name for name in ("decode.py", "push.py")),
    *(settings.BASE_DIR / name for name in ("outcomes/intake.py", "outcomes/scoring.py", "outcomes/cards.py")),
    *(settings.BASE_DIR / name for name in ("exercises/intake.py", "exercises/items.py")),
    settings.BASE_DIR / "backend" / "reminders" / "intake.py",
]


def codes_in(path: Path) -> Iterator[str]:
    """The codes that stand in a call of one of MAKERS."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in MAKERS:
            place = MAKERS[node.func.id]
            code = node.args[place] if len(node.args) > place else None
            # Of a choice between two codes, both.
            for part in ast.walk(code) if isinstance(code, ast.IfExp) else [code]:
                if isinstance(part, ast.Constant) and isinstance(part.value, str) and " " not in part.value:
                    yield part.value


def test_every_reason_has_its_remedy_and_no_remedy_outlives_its_reason() -> None:
    given = {code for path in ROOMS for code in codes_in(path)} | {"unknown_instrument", "unknown_version"}
    assert len(given) > 20
    assert given - set(REPAIRS) == set()
    assert set(REPAIRS) - given == set()


@pytest.mark.django_db
def test_the_page_says_what_to_do_about_each_item(client: Client) -> None:
    patient = builders.patient(builders.team(builders.clinic()))
    builders.sign_in(client, builders.colleague(patient.clinic, patient.care_team))
    error = {"field": "authored_at", "code": "in_the_future", "detail": "This is more than a day ahead."}
    builders.refused(patient, errors=[error])
    builders.refused(patient, b"[", errors=[], status="conflict")
    builders.refused(patient, b"(", errors=[{"field": "", "code": "of-an-older-server", "detail": "Gone."}])
    text = client.get(f"/clinics/{patient.clinic_id}/quarantine/", secure=True).content.decode()
    for code in ("in_the_future", "conflict", "not_an_option"):
        assert str(REPAIRS[code]).replace("'", "&#x27;") in text
