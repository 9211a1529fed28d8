"""The rules of red flags, as the clinical reference has them. A number that changes here is a clinical decision."""

from __future__ import annotations

import pytest

from outcomes import library
from outcomes.alert_decisions import DECISIONS
from outcomes.alert_rules import BY_CODE, RULES, SEVERITIES, Rule, problems, rule
from outcomes.models import Alert

# code, severity, limit, kind of text that the patient sees
REFERENCE = [
    ("CES-1", "critical", (0, "minutes"), "emergency"),
    ("AE-1", "critical", (0, "minutes"), "adverse-event"),
    ("SUI-1", "critical", (60, "minutes"), "crisis"),
    ("RF-1", "high", (0, "working days"), "seek-care"),
    ("SUI-2", "high", (1, "working days"), "support"),
    ("DEP-1", "high", (1, "working days"), "support"),
    ("DEP-2", "medium", (3, "working days"), None),
    ("PAIN-1", "medium", (2, "working days"), "flare-plan"),
    ("PAIN-2", "medium", (2, "working days"), "flare-plan"),
    ("EX-1", "medium", (2, "working days"), None),
    ("MISS-1", "medium", (2, "working days"), None),
    ("FLARE", "medium", (2, "working days"), "flare-plan"),
    ("MISS-2", "low", (5, "working days"), None),
    ("ADH-1", "low", (5, "working days"), None),
]
NUMBERS = {
    "DEP-1": {"at_least": 20},
    "DEP-2": {"at_least": 10, "rise": 5},
    "PAIN-1": {"at_least": 8, "reports": 3, "of_last": 5},
    "PAIN-2": {"rise": 2, "rise_percent": 30, "days": 2, "jump": 4},
    "EX-1": {"pain_above": 5, "times": 2, "within_days": 7},
    "MISS-1": {"silent_days": 7, "pain_at_least": 7, "depression_at_least": 10},
    "MISS-2": {"silent_days": 21},
    "FLARE": {"lasting_days": 7},
    "ADH-1": {"silent_days": 7, "share_below": 50, "over_days": 14, "ears_below": 17},
}


def test_the_rules_are_those_of_the_reference_most_urgent_first() -> None:
    found = [
        (each.code, each.severity, each.limit and (each.limit.value, each.limit.unit), each.text) for each in RULES
    ]
    assert found == REFERENCE


def test_the_numbers_are_those_of_the_reference() -> None:
    found = {each.code: {name: each.number(name) for name in each.thresholds} for each in RULES if each.thresholds}
    assert found == NUMBERS


def test_the_grades_are_those_of_the_database() -> None:
    assert [severity.upper() for severity in SEVERITIES] == [severity.name for severity in Alert.Severity]


@pytest.mark.parametrize("each", RULES, ids=lambda each: each.code)
def test_every_default_lies_within_its_own_bounds_and_has_a_source(each: Rule) -> None:
    assert each.source
    for bound in each.bounds().values():
        assert bound.source
        assert bound.least <= bound.value <= bound.most
    assert not problems(each, {name: bound.value for name, bound in each.bounds().items()})


@pytest.mark.parametrize("each", RULES, ids=lambda each: each.code)
def test_what_a_rule_reads_is_there(each: Rule) -> None:
    assert set(each.measures) <= library.measures().keys()
    assert (each.kind in DECISIONS) == bool(each.measures)
    if each.flag:
        assert any(each.flag == flag.name for known in library.newest() for flag in known.flags)
    if each.unless:
        assert RULES.index(rule(each.unless)) < RULES.index(each)


def test_nothing_critical_waits_for_opening_hours() -> None:
    assert {each.limit and each.limit.unit for each in RULES if each.severity == "critical"} == {"minutes"}
    assert {each.limit and each.limit.unit for each in RULES if each.severity != "critical"} == {"working days"}


def test_what_is_only_for_information_has_no_clock() -> None:
    assert rule("FLARE").at("info").limit is None


@pytest.mark.parametrize(
    ("numbers", "field", "code"),
    [
        ({"at_leest": 8}, "at_leest", "unknown_threshold"),
        ({"at_least": "8"}, "at_least", "wrong_type"),
        ({"at_least": True}, "at_least", "wrong_type"),
        ({"at_least": 5}, "at_least", "out_of_range"),
        ({"at_least": float("nan")}, "at_least", "out_of_range"),
        ({"at_least": 7.5}, "at_least", "not_whole"),
        ({"limit": 6}, "limit", "out_of_range"),
    ],
)
def test_a_clinics_number_out_of_bounds_is_named(numbers: dict[str, object], field: str, code: str) -> None:
    assert [(each.field, each.code) for each in problems(BY_CODE["PAIN-1"], numbers)] == [(field, code)]


def test_no_clinic_can_put_off_an_emergency() -> None:
    assert [each.code for each in problems(BY_CODE["CES-1"], {"limit": 1})] == ["out_of_range"]


def test_a_clinics_numbers_take_the_place_of_the_defaults() -> None:
    changed = rule("PAIN-1").changed({"at_least": 7, "limit": 1})
    assert (changed.number("at_least"), changed.number("reports")) == (7, 3)
    assert changed.limit
    assert changed.limit.value == 1
