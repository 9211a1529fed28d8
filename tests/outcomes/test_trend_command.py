"""`manage.py trend`: one series from a file."""

import io
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from tests.outcomes.series import NILE, weekly_depression

ASKED_FOR = {
    "n", "first", "last", "baseline", "level", "slope_per_week", "slope_low", "slope_high", "tau", "p_value", "change",
    "change_label", "level_changes", "enough_data",
}  # fmt: skip


@pytest.fixture
def rows(tmp_path: Path) -> Path:
    return tmp_path / "series.csv"


def trend(measure: str, file: Path, *lines: str) -> dict[str, Any]:
    file.write_text("\n".join(lines))
    out = io.StringIO()
    call_command("trend", measure, str(file), stdout=out, stderr=io.StringIO())
    answer: dict[str, Any] = json.loads(out.getvalue())
    return answer


def complaint(file: Path, *lines: str, measure: str = "nrs-pain.total") -> str:
    with pytest.raises(CommandError) as caught:
        trend(measure, file, *lines)
    return str(caught.value)


def test_a_series_in_and_one_object_out(rows: Path) -> None:
    answer = trend("tsk-11.total", rows, "date,value", *(f"2026-0{month}-15,{40 - 4 * month}" for month in range(1, 7)))
    assert answer.keys() >= ASKED_FOR
    assert (answer["n"], answer["first"], answer["last"]) == (6, "2026-01-15", "2026-06-15")
    assert (answer["first_value"], answer["last_value"], answer["baseline"]) == (36, 16, 36)
    assert (answer["change"], answer["change_label"], answer["tau"]) == (-20, "improved", -1)
    assert answer["slope_low"] <= answer["slope_per_week"] <= answer["slope_high"] < 0
    assert answer["enough_data"] is True


def test_it_needs_no_database_and_no_secret() -> None:
    env = {name: value for name, value in os.environ.items() if name not in {"DATABASE_URL", "SECRET_KEY", "REDIS_URL"}}
    run = subprocess.run(
        [sys.executable, "manage.py", "trend", "phq-9"],
        input="date,value\n2026-01-01,12\n",
        env=env,
        cwd=Path(__file__).resolve().parents[2],
        capture_output=True,
        text=True,
        check=True,
    )
    assert json.loads(run.stdout)["measure"] == "phq-9.total"
    assert run.stderr == ""


def test_a_bad_row_ends_with_an_error_and_prints_nothing() -> None:
    run = subprocess.run(
        [sys.executable, "manage.py", "trend", "phq-9"],
        input="date,value\n2026-01-01,12\nyesterday,7\n",
        cwd=Path(__file__).resolve().parents[2],
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 1
    assert "standard input: line 3, column date: 'yesterday'" in run.stderr
    assert run.stdout == ""


def test_rows_may_come_in_any_order(rows: Path) -> None:
    lines = [f"2026-01-{day:02},{day % 4}" for day in range(1, 29)]
    assert trend("nrs-pain.total", rows, "date,value", *lines) == trend(
        "nrs-pain.total", rows, "date,value", *reversed(lines)
    )


def test_columns_may_be_swapped_and_a_byte_order_mark_is_no_harm(rows: Path) -> None:
    plain = trend("nrs-pain.total", rows, "date,value", "2026-01-01,3")
    assert trend("nrs-pain.total", rows, "\ufeffValue, Date", "3,2026-01-01") == plain


def test_blank_values_are_skipped_and_counted(rows: Path) -> None:
    answer = trend("nrs-pain.total", rows, "date,value", "2026-01-01,3", "2026-01-02,", "", "2026-01-03, ")
    assert (answer["n"], answer["entries"], answer["blank"]) == (1, 1, 2)


def test_several_entries_a_day_are_their_median_in_a_daily_measure(rows: Path) -> None:
    days = [
        f"2026-01-0{day}T{hour}:00,{value}" for day in (1, 2, 3) for hour, value in (("08", 2), ("12", 9), ("20", 4))
    ]
    answer = trend("nrs-pain.total", rows, "date,value", *days)
    assert (answer["n"], answer["entries"], answer["baseline"]) == (3, 9, 4)


def test_of_a_questionnaire_the_last_of_the_day_counts_whatever_the_order_of_rows(rows: Path) -> None:
    answer = trend("phq-9.total", rows, "date,value", "2026-01-01T21:00,9", "2026-01-01T08:00,15", "2026-01-01,3")
    assert (answer["n"], answer["last_value"]) == (1, 9)


def test_an_entry_after_midnight_belongs_to_the_evening_of_a_daily_measure_only(rows: Path) -> None:
    night = ["date,value", "2026-01-02T03:59:59+02:00,5", "2026-01-02T04:00:00+02:00,5"]
    answer = trend("nrs-pain.total", rows, *night)
    assert (answer["first"], answer["last"]) == ("2026-01-01", "2026-01-02")
    assert trend("phq-9.total", rows, *night)["first"] == "2026-01-02"


def test_a_date_time_is_local_as_written(rows: Path) -> None:
    lines = ["date,value", "2026-01-01T23:30:00-11:00,5", "2026-01-03T12:00:00Z,5"]
    answer = trend("nrs-pain.total", rows, *lines)
    assert (answer["first"], answer["last"]) == ("2026-01-01", "2026-01-03")


def test_values_outside_the_range_are_used_counted_and_warned_of(rows: Path) -> None:
    rows.write_text("date,value\n2026-01-01,12\n2026-01-02,3")
    out, err = io.StringIO(), io.StringIO()
    call_command("trend", "nrs-pain.total", str(rows), stdout=out, stderr=err)
    assert json.loads(out.getvalue())["out_of_range"] == 1
    assert "1 value outside 0 to 10 of nrs-pain.total" in err.getvalue()


def test_no_entries_is_an_answer(rows: Path) -> None:
    answer = trend("nrs-pain.total", rows, "date,value")
    assert (answer["n"], answer["first"], answer["level"], answer["change_label"]) == (0, None, None, "unknown")


@pytest.mark.parametrize(
    ("line", "named"),
    [
        ("2026-02-30,5", "line 3, column date: '2026-02-30'"),
        ("01.02.2026,5", "line 3, column date: '01.02.2026'"),
        ("0001-01-01T00:30,5", "line 3, column date: '0001-01-01T00:30'"),
        (",5", "line 3, column date: ''"),
        ("2026-01-02,much", "line 3, column value: 'much'"),
        ("2026-01-02,NaN", "line 3, column value: 'NaN'"),
        ("2026-01-02,inf", "line 3, column value: 'inf'"),
        ("2026-01-02,1_0", "line 3, column value: '1_0'"),
        ("2026-01-02,1e300", "line 3, column value: '1e300'"),
        ("2026-01-02," + "9" * 5000, "line 3, column value: '9999"),
        ("2026-01-02,3,5", "line 3: 3 fields"),
        ("2026-01-02", "line 3: 1 fields"),
        ('2026-01-02,"5', "line 3: "),
    ],
)
def test_a_bad_row_is_named_by_line_and_column(rows: Path, line: str, named: str) -> None:
    assert named in complaint(rows, "date,value", "2026-01-01,5", line)


@pytest.mark.parametrize("header", ["2026-01-01,5", "date,value,comment", "date,date"])
def test_a_wrong_header_is_refused(rows: Path, header: str) -> None:
    assert "line 1: the header must be date,value" in complaint(rows, header, "2026-01-01,5")


def test_an_empty_file_has_no_header(rows: Path) -> None:
    assert "line 1: the header must be date,value" in complaint(rows)


def test_a_file_that_is_no_text_is_refused(rows: Path) -> None:
    rows.write_bytes(b"date,value\n\xff\xfe,5")
    with pytest.raises(CommandError, match="is not UTF-8 text"):
        call_command("trend", "phq-9", str(rows))


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match=r"nowhere\.csv: No such file"):
        call_command("trend", "phq-9", str(tmp_path / "nowhere.csv"))


@pytest.mark.parametrize(
    ("measure", "said"),
    [
        ("phq9", "unknown measure 'phq9'; did you mean phq-9?"),
        ("", "unknown measure ''"),
        ("daily-diary", "daily-diary has several scores: daily-diary.pain-now, "),
    ],
)
def test_an_unknown_measure_is_named(rows: Path, measure: str, said: str) -> None:
    assert complaint(rows, "date,value", measure=measure).startswith(said)


def test_a_real_depression_score(rows: Path) -> None:
    answer = trend("phq-9.total", rows, "date,value", *(f"{day},{score}" for day, score in weekly_depression()))
    assert answer["n"] == 28
    assert answer["slope_per_week"] == pytest.approx(0.0341, abs=5e-5)
    assert answer["level_changes"] == ["2012-12-31"]


def test_the_nile(rows: Path) -> None:
    answer = trend("phq-9.total", rows, "date,value", *(f"{1871 + n}-07-01,{flow}" for n, flow in enumerate(NILE)))
    assert answer["p_value"] == pytest.approx(3.66e-5, rel=2e-3)
    assert answer["level_changes"] == ["1899-07-01"]
