"""`manage.py score`, as one runs it: a process of its own with an empty environment."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parent.parent


def run(*arguments: str, given: bytes = b"") -> tuple[list[Any], str, int]:
    done = subprocess.run(
        [sys.executable, "manage.py", "score", *arguments], cwd=ROOT, input=given, capture_output=True, env={}
    )
    return [json.loads(line) for line in done.stdout.splitlines()], done.stderr.decode(), done.returncode


def test_it_scores_lists_and_objects_without_database_or_secret(tmp_path: Path) -> None:
    file = tmp_path / "answers.jsonl"
    file.write_text('{"answers": [1,1,1,1,0,0,0,null,0]}\n{"answers": {"1": 3, "9": 1}, "id": "kept out"}')
    found, said, code = run("phq-9", str(file))
    assert found == [
        {"scores": {"total": 5}, "bands": {"total": "mild"}, "missing": 1, "status": "prorated", "flags": []},
        {
            "scores": {"total": None},
            "bands": {"total": None},
            "missing": 7,
            "status": "incomplete",
            "flags": ["item-9-positive"],
        },
    ]
    assert (said, code) == ("", 0)


def test_a_bad_line_is_an_error_of_its_own_and_the_rest_is_scored() -> None:
    lines = [
        b"\xef\xbb\xbf" + b'{"answers": [0,0,0,0,0,0,0,0,0]}',
        b"",
        b"   \t",
        b"not json",
        b'{"answers": [0,0,0,0,0,0,0,0,\x00]}',
        b'{"answers": [0,0,0,0,0,0,0,0,"\xff"]}',
        b'{"answers": [0,0,0,0,0,0,0,0,NaN]}',
        b'{"answers": [0,0,0,0,0,0,0,0,' + b"9" * 1_000_000 + b"]}",
        b'{"answers": [0,0,0,0,0,0,0,0,' + b"9" * 2_000_000 + b"]}",
        b'{"answers": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
        b'{"answers": {"9": ' + b'{"a":' * 100_000 + b"1" + b"}" * 100_000 + b"}}",
        b'{"answers": [0,0,0]}',
        b'{"answers": {"9": 7}}',
        b'{"answers": {"\\u0000": 1}}',
        b'{"answers": "0"}',
        b'{"answers": null}',
        b"{}",
        b"[]",
        b"7",
        b'{"answers": [3,3,3,3,3,3,3,3,3]}',
    ]
    found, said, code = run("phq-9", given=b"\r\n".join(lines))
    assert [
        line.get("scores") or (line["error"]["line"], line["error"]["field"], line["error"]["code"]) for line in found
    ] == [
        {"total": 0},
        (4, "", "invalid_json"),
        (5, "", "invalid_json"),
        (6, "", "invalid_json"),
        (7, "", "invalid_json"),
        (8, "", "invalid_json"),
        (9, "", "too_long"),
        (10, "", "invalid_json"),
        (11, "", "invalid_json"),
        (12, "answers", "wrong_length"),
        (13, "answers.9", "out_of_range"),
        (14, "answers.\x00", "unknown_item"),
        (15, "answers", "wrong_type"),
        (16, "answers", "wrong_type"),
        (17, "answers", "required"),
        (18, "", "wrong_type"),
        (19, "", "wrong_type"),
        {"total": 27},
    ]
    assert all(line["error"]["detail"] for line in found if "error" in line)
    assert (said, code) == ("CommandError: 16 lines could not be scored.\n", 1)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["phq-99"], "There is no instrument 'phq-99'. The instruments are: "),
        (["phq-9", "--version", "0"], "phq-9 has no version '0'; it has 1."),
        (["phq-9", "no-such-file"], "no-such-file: No such file"),
        (["phq-9", "tests"], "tests: Is a directory"),
    ],
)
def test_what_cannot_be_found_is_said_and_nothing_scored(arguments: list[str], says: str) -> None:
    found, said, code = run(*arguments)
    assert found == []
    assert says in said
    assert code == 1


def test_no_lines_are_no_error() -> None:
    assert run("phq-9", "--version", "1") == ([], "", 0)


def test_a_reader_that_has_seen_enough_is_no_error(tmp_path: Path) -> None:
    file = tmp_path / "answers.jsonl"
    file.write_text('{"answers": [1,1,1,1,0,0,0,null,0]}\n' * 50_000)
    with subprocess.Popen(
        [sys.executable, "manage.py", "score", "phq-9", str(file)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={},
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.readline()
        process.stdout.close()
        said = process.stderr.read()
    assert said == b""
