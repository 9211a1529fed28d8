from io import StringIO
from pathlib import Path

from django.conf import settings
from django.core.management import call_command

from outcomes import library
from outcomes.instruments_page import page

PAGE = Path(settings.BASE_DIR) / "docs" / "instruments.md"


def test_the_page_is_as_the_command_prints_it() -> None:
    printed = StringIO()
    call_command("instruments_page", stdout=printed)
    assert PAGE.read_text() == printed.getvalue(), "run manage.py instruments_page > docs/instruments.md"


def test_every_number_of_a_score_is_on_the_page() -> None:
    text = page([library.get("tsk-11")])
    assert (
        "| total | 11–44 | lower | minimal from 11, low from 23, moderate from 29, high from 36 | 4 | 7 | 2.54 |"
        in text
    )
    assert "2.77 × SEM 2.54" in text
