"""From cells to answers: what a mapping says, to the letter, and nothing guessed."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from outcomes.translating import Entry, Refused
from tests.outcomes.clinic_files import FEAR, PHQ_2, translated

MEASURE = """
[patient]
column = "id"

[when]
column = "at"
format = "%d.%m.%Y %H:%M"
zone = "Europe/Zurich"

[[measure]]
name = "knee-pain"
title = "Knee pain"
column = "knee"
min = 1
max = 9.5
direction = "higher-worse"
"""


def only_entry(folder: Path, mapping: str, content: str) -> Entry:
    [row] = translated(folder, mapping, content)
    assert row.refused == []
    [entry] = row.entries
    return entry


def refused(folder: Path, mapping: str, content: str) -> list[tuple[str, str]]:
    return [(why.column, why.reason) for row in translated(folder, mapping, content) for why in row.refused]


def test_items_come_in_the_order_of_the_instrument(tmp_path: Path) -> None:
    entry = only_entry(tmp_path, PHQ_2, "b,id,a\n3,P1,0\n")
    assert entry.answers == {"1": 0, "2": 3}
    assert entry.authored_at == datetime(2024, 3, 1, 12, tzinfo=ZoneInfo("Europe/Zurich"))


def test_a_blank_item_is_unanswered_and_a_blank_line_is_no_response(tmp_path: Path) -> None:
    assert only_entry(tmp_path, PHQ_2, "id,a,b\nP1,,3\n").answers == {"2": 3}
    [row] = translated(tmp_path, PHQ_2, "id,a,b\nP1,,\n")
    assert (row.entries, row.refused, row.blank) == ([], [], 1)
    assert only_entry(tmp_path, PHQ_2 + "keep_blank = true\n", "id,a,b\nP1,,\n").answers == {}


def test_refused_and_dont_know_are_unanswered_for_a_reason_and_never_a_number(tmp_path: Path) -> None:
    mapping = PHQ_2 + 'unanswered = { 7 = "refused", 9 = "don\'t know" }\n'
    entry = only_entry(tmp_path, mapping, "id,a,b\nP1,7.0,9\n")
    assert entry.answers == {}
    assert entry.unanswered == ("refused", "don't know")


def test_words_and_codes_are_recoded_before_the_arithmetic(tmp_path: Path) -> None:
    words = PHQ_2 + 'values = { "Not at all" = 0, "Nearly every day" = 3 }\n'
    assert only_entry(tmp_path, words, "id,a,b\nP1,Not at all,Nearly every day\n").answers == {"1": 0, "2": 3}
    less_one = PHQ_2 + "add = -1\n"
    assert only_entry(tmp_path, less_one, "id,a,b\nP1,1,4\n").answers == {"1": 0, "2": 3}
    both = PHQ_2 + "add = -1\nvalues = { 5 = 0 }\n"
    assert only_entry(tmp_path, both, "id,a,b\nP1,5,4\n").answers == {"1": 0, "2": 3}


def test_a_column_may_have_recodes_of_its_own(tmp_path: Path) -> None:
    mapping = PHQ_2.replace('["a", "b"]', '["a", { column = "b", times = -1, add = 3 }]')
    assert only_entry(tmp_path, mapping, "id,a,b\nP1,2,3\n").answers == {"1": 2, "2": 0}


def test_arithmetic_is_exact(tmp_path: Path) -> None:
    entry = only_entry(tmp_path, MEASURE + "times = 0.1\n", "id,at,knee\nP1,01.02.2024 08:00,36\n")
    assert entry.value == 3.6


@pytest.mark.parametrize("cell", ["x", "1_0", "nan", "inf", "0x1", "٣", "1e9999", "1" * 41, "1\a", "3,5", "--1"])
def test_what_is_no_number_is_refused_by_column(tmp_path: Path, cell: str) -> None:
    content = f'id,a,b\nP1,"{cell}",1\n'
    assert refused(tmp_path, PHQ_2, content) == [("a", "not a number")]


def test_a_decimal_comma_is_read_where_the_mapping_says_so(tmp_path: Path) -> None:
    mapping = '[file]\ndelimiter = ";"\ndecimal_comma = true\n' + MEASURE
    assert only_entry(tmp_path, mapping, "id;at;knee\nP1;01.02.2024 08:00;3,5\n").value == 3.5


def test_texts_for_nothing_are_the_mappings_own(tmp_path: Path) -> None:
    assert only_entry(tmp_path, '[file]\nblank = ["NA", "."]\n' + PHQ_2, "id,a,b\nP1,NA,3\n").answers == {"2": 3}
    assert refused(tmp_path, PHQ_2, "id,a,b\nP1,NA,3\n") == [("a", "not a number")]


def test_totals_and_own_values_are_held_to_their_range(tmp_path: Path) -> None:
    totals = PHQ_2.replace('items = ["a", "b"]', 'scores = { total = "a" }')
    assert only_entry(tmp_path, totals, "id,a\nP1,2.5\n").scores == {"total": 2.5}
    assert refused(tmp_path, totals, "id,a\nP1,7\n") == [("a", "expected a number from 0 to 6")]
    assert refused(tmp_path, MEASURE, "id,at,knee\nP1,01.02.2024 08:00,0.5\n") == [
        ("knee", "expected a number from 1 to 9.5")
    ]


def test_an_own_value_after_midnight_belongs_to_the_evening_where_the_mapping_says_so(tmp_path: Path) -> None:
    content = "id,at,knee\nP1,02.02.2024 01:30,3\n"
    assert only_entry(tmp_path, MEASURE, content).local_day == date(2024, 2, 2)
    assert only_entry(tmp_path, MEASURE + 'day_turns_at = "04:00"\n', content).local_day == date(2024, 2, 1)


def test_a_date_is_on_the_patients_clock(tmp_path: Path) -> None:
    summer = only_entry(tmp_path, FEAR, "id,date,fear\nP1,2024-07-01T08:00,3\n")
    assert summer.authored_at.isoformat() == "2024-07-01T08:00:00+02:00"
    offset = only_entry(tmp_path, FEAR, "id,date,fear\nP1,2024-07-01T08:00:00Z,3\n")
    assert offset.authored_at.isoformat() == "2024-07-01T10:00:00+02:00"
    without_time = only_entry(tmp_path, FEAR, "id,date,fear\nP1,2024-07-01,3\n")
    assert without_time.authored_at.isoformat() == "2024-07-01T12:00:00+02:00"


def test_a_date_may_stand_in_several_columns(tmp_path: Path) -> None:
    mapping = FEAR.replace('column = "date"', 'column = ["d", "m", "y"]\nformat = "%d %m %Y"')
    entry = only_entry(tmp_path, mapping, "id,d,m,y,fear\nP1,14,4,2019,3\n")
    assert entry.authored_at.date() == date(2019, 4, 14)
    assert refused(tmp_path, mapping, "id,d,m,y,fear\nP1,0,,0,3\n") == [("d m y", "not a date as %d %m %Y")]


def test_a_line_without_a_date_is_refused_only_if_it_holds_something(tmp_path: Path) -> None:
    assert refused(tmp_path, FEAR, "id,date,fear\nP1,,3\nP2,,\n") == [("date", "no date")]


def test_a_patients_number_is_taken_as_it_stands_but_for_a_spreadsheets_decimals(tmp_path: Path) -> None:
    assert only_entry(tmp_path, PHQ_2, "id,a,b\n 007 ,1,1\n").patient == "007"
    whole = PHQ_2.replace('column = "id"', 'column = "id"\nwhole = true')
    assert only_entry(tmp_path, whole, "id,a,b\n93705.0,1,1\n").patient == "93705"
    for bad, reason in [
        ("", "no patient"),
        ("x" * 65, "longer than 64"),
        ("a\ab", "can't be printed"),
        ("a\0b", "holds a NUL"),
    ]:
        [(column, why)] = refused(tmp_path, PHQ_2, f"id,a,b\n{bad},1,1\n")
        assert (column, reason in why) == ("id", True)


def test_one_bad_instrument_does_not_hold_up_the_others_of_its_line(tmp_path: Path) -> None:
    mapping = PHQ_2 + '[[instrument]]\ncode = "fear-daily"\nversion = "1"\nitems = ["fear"]\n'
    [row] = translated(tmp_path, mapping, "id,a,b,fear\nP1,x,1,4\n")
    assert [entry.answers for entry in row.entries] == [{"fear": 4}]
    assert row.refused == [Refused("a", "not a number")]


def test_an_instrument_may_be_expected_on_some_lines_only(tmp_path: Path) -> None:
    mapping = PHQ_2 + 'only = { event = ["baseline"] }\n'
    rows = translated(tmp_path, mapping, "id,event,a,b\nP1,baseline,1,1\nP1,week 4,1,1\n")
    assert [len(row.entries) for row in rows] == [1, 0]


def test_ids_follow_from_clinic_patient_instrument_and_key(tmp_path: Path) -> None:
    content = "id,date,fear\nP1,2024-07-01,3\nP1,2024-07-02,3\nP2,2024-07-01,3\n"
    first = [row.entries[0].id for row in translated(tmp_path, FEAR, content)]
    assert len(set(first)) == 3
    changed = content.replace(",3\n", ",4\n")
    assert [row.entries[0].id for row in translated(tmp_path, FEAR, changed)] == first
    assert [row.entries[0].id for row in translated(tmp_path, FEAR, content, clinic_id=2)] != first


def test_the_key_is_the_mappings_choice(tmp_path: Path) -> None:
    content = "id,date,fear,instance\nP1,2024-07-01,3,1\nP1,2024-07-01,4,2\n"
    assert len({row.entries[0].id for row in translated(tmp_path, FEAR, content)}) == 1
    assert len({row.entries[0].id for row in translated(tmp_path, 'key = "line"' + FEAR, content)}) == 2
    assert len({row.entries[0].id for row in translated(tmp_path, 'key = ["instance"]' + FEAR, content)}) == 2


def test_a_value_repeated_over_the_day_is_one(tmp_path: Path) -> None:
    mapping = MEASURE + "once_a_day = true\n"
    rows = translated(tmp_path, mapping, "id,at,knee\nP1,01.02.2024 08:00,3\nP1,01.02.2024 20:00,3\n")
    assert len({row.entries[0].id for row in rows}) == 1
