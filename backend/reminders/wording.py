"""The words of messages, by language. They say that something waits, never what: a lock screen is public."""

from __future__ import annotations

import tomllib
from functools import cache
from pathlib import Path

FOLDER = Path(__file__).parent / "texts"
FALLBACK = "en"


def reminder(language: str, count: int) -> tuple[str, str]:
    """Title and body of a reminder of `count` things."""
    words = _texts(_spoken(language))["reminder"]
    return words["title"], words["one"] if count == 1 else words["many"].format(count=count)


def call(language: str) -> tuple[str, str]:
    """Title and body of what tells a colleague that an alert waits: neither whose nor which."""
    words = _texts(_spoken(language))["call"]
    return words["title"], words["body"]


@cache
def _spoken(language: str) -> str:
    """`language`, else its language without the region, else English."""
    known = {file.stem for file in FOLDER.glob("*.toml")}
    return next((name for name in (language, language.split("-")[0]) if name in known), FALLBACK)


@cache
def _texts(language: str) -> dict[str, dict[str, str]]:
    return tomllib.loads((FOLDER / f"{language}.toml").read_text())
