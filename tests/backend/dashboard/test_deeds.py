"""What the audit notes is read by people: each action has words."""

from __future__ import annotations

import re
from pathlib import Path

from backend.dashboard.deeds import DEEDS, deed
from backend.people.models import Invitation
from outcomes.alert_handling import STATE_AFTER

ROOMS = ("backend", "outcomes", "exercises")
NOTING = r"audit\.record(?:_each)?\(\s*|next_revisions_noted\(|record_read\(request, |^READ = "
ACTION = re.compile(rf'(?:{NOTING})"([a-z][a-z -]+)"', re.MULTILINE)
OR_ELSE = re.compile(r'audit\.record\([^\n]* else "([a-z -]+)"')


def actions() -> set[str]:
    """All that is noted anywhere, by what the source says; those with a name put in come from their own lists."""
    root = Path(__file__).parents[3]
    sources = (file.read_text() for room in ROOMS for file in (root / room).rglob("*.py"))
    written = {action for source in sources for pattern in (ACTION, OR_ELSE) for action in pattern.findall(source)}
    phones = {f"{purpose} phone" for purpose in Invitation.Purpose.values}
    return written | phones | {f"alert {step.value}" for step in STATE_AFTER}


def test_each_action_that_the_audit_notes_has_words() -> None:
    noted = actions()
    assert len(noted) > 60
    assert noted - DEEDS.keys() == set()


def test_no_words_are_kept_for_what_is_never_noted() -> None:
    assert DEEDS.keys() - actions() == set()


def test_a_file_is_called_by_its_name() -> None:
    assert deed("export scores.csv") == "saved scores.csv as a file"
