"""Files as clinics have them: every row once, and a clear word where one can't be read."""

from __future__ import annotations

import csv
import tracemalloc
from pathlib import Path

import pytest

from outcomes import reading
from tests.outcomes.clinic_files import FEAR, a_file, a_mapping, rows_of

LONG = """
key = "line"

[file.long]
item = "name"
value = "value"

[patient]
column = "id"

[when]
column = "date"
zone = "Europe/Zurich"

[[measure]]
name = "knee-pain"
title = "Knee pain"
column = "Knee Pain"
min = 1
max = 9.5
direction = "higher-worse"

[[measure]]
name = "happiness"
title = "Happiness"
column = "happiness"
min = 1
max = 10
direction = "higher-better"
"""


def lines_and_cells(rows: list[reading.Row]) -> list[tuple[int, list[str]]]:
    return [(row.line, list(row.cells)) for row in rows]


def complaint(folder: Path, content: str | bytes, mapping: str = FEAR) -> str:
    with pytest.raises(reading.FileError) as error:
        rows_of(folder, mapping, content)
    return str(error.value)


@pytest.mark.parametrize(
    "content",
    [
        b"id,date,fear\nA,2024-01-01,3\nB,2024-01-02,4\n",
        b"\xef\xbb\xbfid,date,fear\nA,2024-01-01,3\nB,2024-01-02,4",
        b"id,date,fear\r\nA,2024-01-01,3\r\nB,2024-01-02,4\r\n",
        b'"id","date","fear"\n"A","2024-01-01","3"\n"B","2024-01-02","4"\n',
    ],
    ids=["plain", "byte order mark, no last newline", "CRLF", "quoted"],
)
def test_a_file_reads_the_same_whoever_wrote_it(tmp_path: Path, content: bytes) -> None:
    assert lines_and_cells(rows_of(tmp_path, FEAR, content)) == [
        (2, ["A", "2024-01-01", "3"]),
        (3, ["B", "2024-01-02", "4"]),
    ]


def test_a_quoted_newline_stays_in_its_cell_and_lines_are_counted_on(tmp_path: Path) -> None:
    content = 'id,date,fear,note\nA,2024-01-01,3,"one\ntwo"\n\nB,2024-01-02,4,\n'
    assert lines_and_cells(rows_of(tmp_path, FEAR, content)) == [
        (2, ["A", "2024-01-01", "3", "one\ntwo"]),
        (5, ["B", "2024-01-02", "4", ""]),
    ]


def test_a_ragged_row_is_a_problem_of_its_own(tmp_path: Path) -> None:
    rows = rows_of(tmp_path, FEAR, "id,date,fear\nA,2024-01-01\nB,2024-01-02,4,5\nC,2024-01-03,6\n")
    assert [row.problem for row in rows] == [
        ("", "2 cells in place of 3"),
        ("", "4 cells in place of 3"),
        None,
    ]


def test_a_nul_character_is_a_problem_of_its_row_in_its_column(tmp_path: Path) -> None:
    rows = rows_of(tmp_path, FEAR, "id,date,fear\nA\0,2024-01-01,3\nB,2024-01-02,4\n")
    assert [row.problem for row in rows] == [("id", "holds a NUL character, which can't be stored"), None]


def test_an_empty_file_says_so(tmp_path: Path) -> None:
    assert "file.csv: the file is empty" in complaint(tmp_path, b"")


def test_a_file_with_a_header_alone_has_no_rows(tmp_path: Path) -> None:
    assert rows_of(tmp_path, FEAR, "id,date,fear\n") == []


def test_a_missing_column_is_named_beside_those_that_are_there(tmp_path: Path) -> None:
    assert complaint(tmp_path, "id,day,fear\n") == "file.csv: line 1: no column 'date'; there are 'id', 'day', 'fear'"


def test_a_wrong_delimiter_is_suspected(tmp_path: Path) -> None:
    assert complaint(tmp_path, "id;date;fear\n").endswith("is the delimiter right?")


def test_a_column_that_is_there_twice_is_refused_only_if_it_is_needed(tmp_path: Path) -> None:
    assert "line 1: more than one column 'fear'" in complaint(tmp_path, "id,date,fear,fear\n")
    assert rows_of(tmp_path, FEAR, "id,date,fear,note,note\n") == []


@pytest.mark.parametrize("before", [0, 100_000])
def test_a_wrong_encoding_names_line_and_place(tmp_path: Path, before: int) -> None:
    content = b"id,date,fear\n" + b"A,2024-01-01,3\n" * before + "Zoë,2024-01-01,3\n".encode("cp1252")
    assert complaint(tmp_path, content) == (
        f"file.csv: line {before + 2}, character 3: byte 0xEB is not utf-8; "
        "say in the mapping's [file] which encoding it is"
    )
    chosen = '[file]\nencoding = "cp1252"\n' + FEAR
    assert rows_of(tmp_path, chosen, content)[-1].cells[0] == "Zoë"


def test_a_quotation_mark_that_never_closes_names_its_line(tmp_path: Path) -> None:
    assert "line 3: unexpected end of data" in complaint(tmp_path, 'id,date,fear\nA,2024-01-01,3\n"B,2024-01-02,4\n')
    endless = 'id,date,fear\n"A,2024-01-01,3\n' + "B,2024-01-01,3\n" * 20_000
    assert "line 2: field larger than field limit" in complaint(tmp_path, endless)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(reading.FileError, match=r"none.csv: No such file"):
        reading.Rows(tmp_path / "none.csv", a_mapping(tmp_path, FEAR))


def test_a_rejects_file_keeps_the_lines_of_the_file_that_it_came_from(tmp_path: Path) -> None:
    rows = rows_of(tmp_path, FEAR, "import_line,id,date,fear\n17,A,2024-01-01,3\n")
    assert rows[0].line == 17


def test_one_answer_a_line_becomes_a_row(tmp_path: Path) -> None:
    chosen = LONG.replace('key = "line"', "")
    content = (
        "id,date,name,value\nA,2024-01-01,Knee Pain,3\nA,2024-01-01,happiness,4\nA,2024-01-01,other,9\n"
        "A,2024-01-02,happiness,5\n"
    )
    rows = rows_of(tmp_path, chosen, content)
    assert lines_and_cells(rows) == [(2, ["A", "2024-01-01", "3", "4"]), (5, ["A", "2024-01-02", "", "5"])]
    assert len(rows[0].source) == 3


def test_two_values_of_one_item_at_one_time_are_a_problem_unless_each_line_is_an_entry(tmp_path: Path) -> None:
    content = "id,date,name,value\nA,2024-01-01,Knee Pain,3\nA,2024-01-01,Knee Pain,4\n"
    [row] = rows_of(tmp_path, LONG.replace('key = "line"', ""), content)
    assert row.problem == ("Knee Pain", "stands more than once for the same patient and date")
    assert lines_and_cells(rows_of(tmp_path, LONG, content)) == [
        (2, ["A", "2024-01-01", "3", ""]),
        (3, ["A", "2024-01-01", "4", ""]),
    ]


def test_a_file_larger_than_memory_streams(tmp_path: Path) -> None:
    path = tmp_path / "large.csv"
    with path.open("w", newline="") as out:
        writer = csv.writer(out)
        writer.writerow(["id", "date", "fear"])
        writer.writerows([f"P{n}", "2024-01-01", n % 11] for n in range(200_000))
    chosen = a_mapping(tmp_path, FEAR)
    tracemalloc.start()
    try:
        with reading.Rows(path, chosen) as rows:
            seen = sum(1 for _ in rows)
            assert rows.done() == 1
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert seen == 200_000
    assert peak < path.stat().st_size / 4


def test_an_empty_header_line_before_the_names_is_skipped(tmp_path: Path) -> None:
    path = a_file(tmp_path, "\nid,date,fear\nA,2024-01-01,3\n")
    with reading.Rows(path, a_mapping(tmp_path, FEAR)) as rows:
        assert [row.line for row in rows] == [3]
