"""Red flags as data: what raises an alert, how grave it is, how long it may wait. `alert_rules.toml` holds them.

`alert_decisions.py` decides by them, `alerts.py` writes what follows, `docs/alerts.md` shows them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Literal

import msgspec

FILE = Path(__file__).with_name("alert_rules.toml")

Severity = Literal["info", "low", "medium", "high", "critical"]
SEVERITIES: tuple[Severity, ...] = ("info", "low", "medium", "high", "critical")
"""In order of gravity; their place is the number that the database keeps."""

Kind = Literal[
    "flag",  # a flag of the response's own scoring
    "level",
    "newly-high",
    "many-high-days",
    "above-baseline",
    "lasting-flare",
    "adherence",
    "silence",
    "sessions",
    "adverse-event",
]


class Bounded(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A number that decides something, and how far a clinic may move it."""

    value: float
    least: float
    most: float
    unit: str
    source: str


class Limit(Bounded, frozen=True, kw_only=True):
    """How long an alert may wait for somebody to acknowledge it: whole minutes or working days."""

    unit: Literal["minutes", "working days"]


class Rule(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One red flag. The comments at the head of the data file say what each field means."""

    code: str
    version: str
    title: str
    kind: Kind
    severity: Severity
    todo: str
    source: str
    limit: Limit | None
    lesser: Severity | None = None
    text: str | None = None
    flag: str | None = None
    events: tuple[str, ...] = ()
    measures: tuple[str, ...] = ()
    unless: str | None = None
    reach_days: int = 0
    again_after_days: int | None = None
    thresholds: dict[str, Bounded] = {}

    @property
    def grade(self) -> int:
        """The severity as the database keeps it."""
        return SEVERITIES.index(self.severity)

    def number(self, name: str) -> float:
        return self.thresholds[name].value

    def at(self, severity: Severity) -> Rule:
        """This rule at the grade of one finding. What is only for information has no clock."""
        return msgspec.structs.replace(self, severity=severity, limit=None if severity == "info" else self.limit)

    def changed(self, numbers: Mapping[str, float], version: int = 1) -> Rule:
        """This rule with the `version` of a clinic's own thresholds and limit, which `problems` has passed."""
        thresholds = {
            name: msgspec.structs.replace(threshold, value=numbers.get(name, threshold.value))
            for name, threshold in self.thresholds.items()
        }
        limit = self.limit and msgspec.structs.replace(self.limit, value=numbers.get("limit", self.limit.value))
        return msgspec.structs.replace(self, version=f"{self.version}.{version}", thresholds=thresholds, limit=limit)

    def bounds(self) -> dict[str, Bounded]:
        """Everything that a clinic may change, by name."""
        return self.thresholds | ({"limit": self.limit} if self.limit else {})


class Unbound(msgspec.Struct, frozen=True):
    """Why a clinic's number is refused."""

    field: str
    code: str
    detail: str


def problems(rule: Rule, numbers: Mapping[str, Any]) -> list[Unbound]:
    """What is wrong with a clinic's own numbers for a rule, by name."""
    found = []
    bounds = rule.bounds()
    for name, number in numbers.items():
        bound = bounds.get(name)
        if bound is None:
            found.append(Unbound(name, "unknown_threshold", f"{rule.code} has {', '.join(bounds)}."))
        elif isinstance(number, bool) or not isinstance(number, int | float):
            found.append(Unbound(name, "wrong_type", "This is a number."))
        elif not bound.least <= number <= bound.most:
            found.append(
                Unbound(name, "out_of_range", f"From {bound.least:g} to {bound.most:g} {bound.unit}: {bound.source}.")
            )
        elif number != int(number):
            found.append(Unbound(name, "not_whole", "This is a whole number."))
    return found


class _File(msgspec.Struct, forbid_unknown_fields=True):
    rules: tuple[Rule, ...]


RULES: tuple[Rule, ...] = msgspec.toml.decode(FILE.read_bytes(), type=_File).rules
"""Most urgent first."""

BY_CODE: dict[str, Rule] = {rule.code: rule for rule in RULES}
_PLACE = {rule.code: place for place, rule in enumerate(RULES)}


def rule(code: str) -> Rule:
    """The rule of this code with its default numbers."""
    return BY_CODE[code]


def in_order(rules: Iterable[Rule]) -> list[Rule]:
    """The same rules, most urgent first."""
    return sorted(rules, key=lambda each: _PLACE[each.code])


def texts_for(rules: Iterable[Rule]) -> list[str]:
    """The kinds of the clinic's texts that the patient is shown, most urgent first, each once."""
    return list(dict.fromkeys(rule.text for rule in rules if rule.text))
