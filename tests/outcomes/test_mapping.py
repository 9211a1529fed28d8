"""Mapping files: what is wrong with one is said by field."""

from __future__ import annotations

from pathlib import Path

import pytest

from outcomes import mapping
from tests.outcomes.clinic_files import FEAR, PHQ_2, a_mapping

MEASURE = """
[[measure]]
name = "knee-pain"
title = "Knee pain"
column = "knee"
min = 1
max = 9.5
direction = "higher-worse"
"""


def test_a_mapping_names_its_columns(tmp_path: Path) -> None:
    chosen = a_mapping(tmp_path, FEAR)
    assert chosen.line_columns() == ["id", "date"]
    assert chosen.value_columns() == ["fear"]


def test_a_prefix_stands_before_every_column_of_its_instrument(tmp_path: Path) -> None:
    chosen = a_mapping(tmp_path, PHQ_2.replace('items = ["a", "b"]', 'prefix = "phq_"\nitems = { 1 = "a", 2 = "b" }'))
    assert chosen.value_columns() == ["phq_a", "phq_b"]


@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        ('column = "id"', "column = 7", "patient.column: Expected `str | null`, got `int`"),
        ('version = "1"', "", "instrument[0]: Object missing required field `version`"),
        ("[when]", "[wenn]", "mapping: Object contains unknown field `wenn`"),
        ('zone = "Europe/Zurich"', 'zone = "Europe/Bern"', "when.zone: 'Europe/Bern' is not the name"),
        ("fixed = 2024-03-01", "", "when.column: name either the column of the date or one fixed date"),
        ("fixed = 2024-03-01", 'column = "d"\nformat = "%Q"', "when.format: "),
        ('code = "phq-2"', 'code = "phq-3"', "instrument[0].code: There is no instrument 'phq-3'"),
        ('version = "1"', 'version = "0"', "instrument[0].code: phq-2 has no version '0'"),
        ('items = ["a", "b"]', 'items = ["a"]', "instrument[0].items: phq-2 has 2 items, not 1"),
        ('items = ["a", "b"]', 'items = { 3 = "a" }', "instrument[0].items.3: there is no such one"),
        ('items = ["a", "b"]', 'scores = { sum = "a" }', "instrument[0].scores.sum: there is no such one"),
        ('items = ["a", "b"]', "", "instrument[0].items: name either"),
        ("[patient]", '[file]\nencoding = "utf-7000"\n[patient]', "file.encoding: there is no encoding 'utf-7000'"),
        ("[patient]", '[file]\ndelimiter = ";;"\n[patient]', "file.delimiter: Expected `str` of length <= 1"),
        ("[patient]", "[[instrument]\n[patient]", "not TOML"),
    ],
)
def test_what_is_wrong_is_said_by_field(tmp_path: Path, old: str, new: str, complaint: str) -> None:
    assert old in PHQ_2
    with pytest.raises(mapping.MappingError) as error:
        a_mapping(tmp_path, PHQ_2.replace(old, new))
    assert f"mapping.toml: {complaint}" in str(error.value)


def test_two_blocks_of_one_instrument_need_an_event_each(tmp_path: Path) -> None:
    second = '[[instrument]]\ncode = "phq-2"\nversion = "1"\nitems = ["c", "d"]\n'
    with pytest.raises(mapping.MappingError, match=r"instrument\[1\].event: a second phq-2"):
        a_mapping(tmp_path, PHQ_2 + second)
    assert len(a_mapping(tmp_path, PHQ_2 + second + 'event = "week 4"\n').instrument) == 2


def test_a_measure_of_ones_own_needs_a_range(tmp_path: Path) -> None:
    assert a_mapping(tmp_path, FEAR + MEASURE).measure[0].max == 9.5
    with pytest.raises(mapping.MappingError, match=r"measure\[0\].max: must be more than min"):
        a_mapping(tmp_path, FEAR + MEASURE.replace("9.5", "1"))
    with pytest.raises(mapping.MappingError, match=r"measure\[1\].name: a second knee-pain"):
        a_mapping(tmp_path, FEAR + MEASURE + MEASURE)


def test_a_mapping_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(mapping.MappingError, match=r"none.toml: No such file"):
        mapping.load(tmp_path / "none.toml")


DOCS = Path(__file__).parents[2] / "docs"


def test_the_mapping_that_the_documentation_explains_can_be_used(tmp_path: Path) -> None:
    blocks = (DOCS / "importing.md").read_text("utf-8").split("```toml\n")[1:]
    chosen = a_mapping(tmp_path, "".join(block.partition("```")[0] for block in blocks))
    assert chosen.instrument[1].cells()["8"].column == "odi_sex"
    assert chosen.measure[0].name == "knee-pain"


@pytest.mark.parametrize("path", sorted((DOCS / "mappings").glob("*.toml")), ids=lambda path: path.stem)
def test_every_mapping_that_ships_can_be_used(path: Path) -> None:
    assert mapping.load(path).source
