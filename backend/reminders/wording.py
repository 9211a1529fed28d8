"""The words of messages, by language. They say that something waits, never what: a lock screen is public."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent / "texts"
FALLBACK = "en"


def message(kind: str, language: str, count: int) -> tuple[str, str]:
    """Title and body of a message; `count` is how many things a reminder is about."""
    words = _texts(_spoken(language))[kind]
    return words["title"], words["body"] if kind != "reminder" else _counted(words, count)


def week(language: str, counts: Mapping[str, int]) -> list[str]:
    """What was done in a week, in sentences; none where nothing was. Never what was not done."""
    words = _texts(_spoken(language))["week"]
    said = [_counted(words[name], count) for name, count in counts.items() if count]
    return [*said, words["thanks"]] if said else []


def call(language: str) -> tuple[str, str]:
    """Title and body of what tells a colleague that an alert waits: neither whose nor which."""
    words = _texts(_spoken(language))["call"]
    return words["title"], words["body"]


@cache
def _spoken(language: str) -> str:
    """`language`, else its language without the region, else English."""
    known = {file.stem for file in FOLDER.glob("*.toml")}
    return next((name for name in (language, language.split("-")[0]) if name in known), FALLBACK)


def _counted(words: Mapping[str, str], count: int) -> str:
    return words["one"] if count == 1 else words["many"].format(count=count)


@cache
def _texts(language: str) -> dict[str, dict[str, Any]]:
    return tomllib.loads((FOLDER / f"{language}.toml").read_text())
