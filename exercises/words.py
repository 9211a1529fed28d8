"""A proposal in words: some for the patient, others for the clinician. The words stand in `texts/LANGUAGE.toml`."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from exercises.entry import LANGUAGE, Exercise
from exercises.library import library
from exercises.progression import Proposal
from exercises.steps import LADDER, Step

FOLDER = Path(__file__).parent / "texts"


def for_patient(proposal: Proposal, exercises: Mapping[str, Exercise], language: str) -> str:
    """What the phone shows. It names no alert and nobody's score."""
    return _say("patient", proposal, exercises, language)


def for_clinician(proposal: Proposal, exercises: Mapping[str, Exercise], language: str) -> str:
    """What the panel shows, with what the rule looked at."""
    return _say("clinician", proposal, exercises, language)


def _say(who: str, proposal: Proposal, exercises: Mapping[str, Exercise], language: str) -> str:
    key = "stop" if proposal.action == "stop" else f"{proposal.rule}-{proposal.action}"
    inputs = "; ".join(f"{each.name} {_plain(each.value)}, {each.day}" for each in proposal.inputs)
    steps = "\n".join(_step(step, proposal, exercises, language) for step in proposal.steps)
    text: str = _texts(language)[who][key]
    return text.format(steps=steps, inputs=inputs)


def _plain(value: float | str) -> str:
    return value if isinstance(value, str) else f"{value:g}"


def _step(step: Step, proposal: Proposal, exercises: Mapping[str, Exercise], language: str) -> str:
    texts = _texts(language)["step"]
    if step.variable == LADDER:
        return str(texts["ladder"]).format(task=step.exercise, next=step.to)
    words = exercises[step.exercise].words_in(language)
    if step.to is not None:
        other = exercises.get(step.to)
        return str(texts["exercise"]).format(name=words.name, other=other.words_in(language).name if other else step.to)
    if step.after is not None:
        codes = library().codes
        variable = codes.get(language, codes[LANGUAGE]).variables[step.variable]
        return str(texts["number"]).format(name=words.name, variable=variable, before=step.before, after=step.after)
    kind = "harder" if proposal.action == "step-up" else "easier"
    return str(texts[kind]).format(name=words.name, easier=words.easier, harder=words.harder)


def _texts(language: str) -> dict[str, Any]:
    return _all_texts().get(language) or _all_texts()[LANGUAGE]


@cache
def _all_texts() -> dict[str, dict[str, Any]]:
    return {path.stem: tomllib.loads(path.read_text("utf-8")) for path in FOLDER.glob("*.toml")}
