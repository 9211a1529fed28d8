"""A clinic's own file through the door: good rows go in, bad ones are named, and doing it twice changes nothing."""

from __future__ import annotations

import csv
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from backend.people.models import Audit, CareTeam, Clinic, ClinicText, Consent, Patient, PatientRev, ZoneHistory
from outcomes import importing
from outcomes.loading import measure, measure_codes
from outcomes.models import Alert, InstrumentVersion, Measure, Response, Score, TrendDue
from tests.database import database_url
from tests.factories import a_clinic, a_patient
from tests.outcomes.clinic_files import FEAR, PHQ_2, a_file

pytestmark = pytest.mark.django_db
PROJECT = Path(__file__).parents[2]

KNEE = """
key = "line"

[patient]
column = "id"
create = true
care_team = "Back pain"

[when]
column = "at"
zone = "Europe/Zurich"

[[measure]]
name = "knee-pain"
title = "Knee pain"
column = "knee"
min = 1
max = 9.5
direction = "higher-worse"
day_turns_at = "04:00"
"""


@dataclass
class Import:
    """One clinic's import, ready to run."""

    clinic: Clinic
    team: CareTeam
    folder: Path

    def __call__(self, mapping: str, content: str | bytes, *flags: str, **options: str) -> str:
        """Imports and gives what was printed; a complaint at the end comes after it."""
        path = self.folder / "mapping.toml"
        path.write_text(mapping, "utf-8")
        out = StringIO()
        command = ["import_responses", str(a_file(self.folder, content)), f"--mapping={path}", *flags]
        try:
            call_command(*command, stdout=out, **{"clinic": self.clinic.name, **options})
        except CommandError as error:
            out.write(f"exit {error.returncode}: {error}")
        return out.getvalue()

    def values(self) -> list[tuple[str, str, float, date]]:
        rows = Score.objects.filter(clinic_id=self.clinic.pk).order_by("patient__identifier", "local_day", "value")
        return list(rows.values_list("patient__identifier", "measure__code", "value", "local_day"))


@pytest.fixture
def import_(tmp_path: Path) -> Import:
    clinic = a_clinic()
    return Import(clinic, CareTeam.objects.create(clinic=clinic, name="Back pain"), tmp_path)


def counted(printed: str) -> dict[str, int]:
    found = {}
    for line in printed.splitlines():
        label, _, number = line.rpartition(" ")
        if number.replace(",", "").isdecimal():
            found[label.strip()] = int(number.replace(",", ""))
    return found


def everything() -> list[object]:
    tables = (Audit, Patient, ZoneHistory, PatientRev, Response, Score, TrendDue, Alert, Measure, InstrumentVersion)
    return [sorted(map(str, table.objects.values_list())) for table in tables]


def test_a_file_makes_patients_responses_and_scores(import_: Import) -> None:
    printed = import_(FEAR, "id,date,fear\nA,2024-01-01,3\nB,2024-01-01,7\nA,2024-01-02,4\n")
    assert counted(printed) == {
        "rows": 3,
        "patients created": 2,
        "fear-daily complete": 3,
        "already there": 0,
        "places with nothing in them": 0,
        "rows refused": 0,
    }
    assert import_.values() == [
        ("A", "fear-daily.total", 3, date(2024, 1, 1)),
        ("A", "fear-daily.total", 4, date(2024, 1, 2)),
        ("B", "fear-daily.total", 7, date(2024, 1, 1)),
    ]
    patient = Patient.objects.get(identifier="A")
    assert (patient.status, patient.origin, patient.user, patient.care_team) == ("active", "import", None, import_.team)
    response = Response.objects.get(patient=patient, local_day=date(2024, 1, 1))
    assert (response.origin, response.answers, response.status) == ("import", {"fear": 3}, "complete")
    assert (response.authored_at, response.utc_offset) == (datetime(2024, 1, 1, 11, tzinfo=UTC), 60)
    assert TrendDue.objects.filter(patient=patient, measure__code="fear-daily.total").exists()


def test_an_unknown_patient_is_refused_unless_the_mapping_makes_them(import_: Import) -> None:
    a_patient(import_.team, identifier="A")
    printed = import_(PHQ_2, "id,a,b\nA,1,1\nB,1,1\n")
    assert "line 3: id: the clinic has no such patient" in printed
    assert "exit 1: Refused: 1 of 2 rows." in printed
    assert [row[0] for row in import_.values()] == ["A"]


def test_another_clinics_patient_of_the_same_number_stays_untouched(import_: Import) -> None:
    other = a_patient(identifier="A")
    import_(FEAR, "id,date,fear\nA,2024-01-01,3\n")
    assert not Response.objects.filter(patient=other).exists()
    assert Response.objects.get().patient.clinic == import_.clinic


def test_nothing_new_is_recorded_of_someone_who_has_withdrawn_consent(import_: Import) -> None:
    patient = a_patient(import_.team, identifier="A")
    text = ClinicText.objects.create(clinic=import_.clinic, kind="consent", language="en", version=1, body="…")
    consent = Consent.objects.create(clinic=import_.clinic, patient=patient, text=text, given_at=timezone.now())
    assert "rows refused                         0" in import_(FEAR, "id,date,fear\nA,2024-01-01,3\n")
    Consent.objects.filter(pk=consent.pk).update(withdrawn_at=timezone.now())
    assert "id: this patient has withdrawn consent" in import_(FEAR, "id,date,fear\nA,2024-01-02,3\n")
    Consent.objects.create(clinic=import_.clinic, patient=patient, text=text, given_at=timezone.now())
    import_(FEAR, "id,date,fear\nA,2024-01-03,3\n")
    assert [day for *_, day in import_.values()] == [date(2024, 1, 1), date(2024, 1, 3)]


def test_running_it_again_changes_nothing(import_: Import) -> None:
    content = "id,date,fear\nA,2024-01-01,3\nB,2024-01-01,7\n"
    import_(FEAR, content)
    before = everything()
    assert counted(import_(FEAR, content))["already there"] == 2
    assert everything() == before


def test_a_file_that_has_grown_adds_what_is_new(import_: Import) -> None:
    content = "id,date,fear\nA,2024-01-01,3\n"
    import_(FEAR, content)
    found = counted(import_(FEAR, content + "A,2024-01-02,4\n"))
    assert (found["fear-daily complete"], found["already there"]) == (1, 1)


def test_a_changed_value_is_refused_and_what_stands_stays(import_: Import) -> None:
    import_(FEAR, "id,date,fear\nA,2024-01-01,3\n")
    printed = import_(FEAR, "id,date,fear\nA,2024-01-01,4\n")
    assert "fear-daily: something else is on record for this patient and date; it stays" in printed
    assert [value for _, _, value, _ in import_.values()] == [3]
    import_(KNEE, "id,at,knee\nA,2024-01-01T08:00,3\n")
    assert "knee-pain: something else is on record" in import_(KNEE, "id,at,knee\nA,2024-01-01T08:00,4\n")
    assert "knee-pain: something else is on record" in import_(KNEE, "id,at,knee\nA,2024-01-05T08:00,3\n")


def test_two_lines_of_one_file_can_differ_too(import_: Import) -> None:
    found = counted(import_(FEAR, "id,date,fear\nA,2024-01-01,3\nA,2024-01-01,4\nA,2024-01-01,3\n"))
    assert (found["fear-daily complete"], found["already there"], found["rows refused"]) == (1, 1, 1)


def test_totals_are_marked_as_such_and_taken_as_given(import_: Import) -> None:
    mapping = FEAR.replace('items = ["fear"]', 'scores = { total = "fear" }')
    assert counted(import_(mapping, "id,date,fear\nA,2024-01-01,3.5\n"))["fear-daily totals"] == 1
    response = Response.objects.get()
    assert (response.status, response.answers) == ("totals", {})
    assert import_.values() == [("A", "fear-daily.total", 3.5, date(2024, 1, 1))]
    assert "something else is on record" in import_(mapping, "id,date,fear\nA,2024-01-01,4\n")


def test_a_severe_total_waits_for_review_like_the_answers_behind_it(import_: Import) -> None:
    mapping = FEAR.replace('code = "fear-daily"', 'code = "phq-9"')
    import_(mapping.replace('items = ["fear"]', 'scores = { total = "total" }'), "id,date,total\nA,2024-01-01,20\n")
    assert Alert.objects.values_list("rule", "state").get() == ("DEP-1", "review")


def test_whole_and_broken_scores_go_in_together(import_: Import) -> None:
    mapping = FEAR.replace('items = ["fear"]', 'scores = { total = "fear" }')
    import_(mapping, "id,date,fear\nA,2024-01-01,3\nA,2024-01-02,3.5\n")
    assert [value for _, _, value, _ in import_.values()] == [3, 3.5]


def test_every_patient_that_was_written_to_has_its_audit_row(import_: Import) -> None:
    import_(FEAR, "id,date,fear\nA,2024-01-01,3\nB,2024-01-01,7\nA,2024-01-02,4\n")
    rows = Audit.objects.filter(clinic=import_.clinic, user=None, action="import responses")
    assert dict(rows.values_list("patient__identifier", "count")) == {"A": 2, "B": 1}


def test_a_file_of_one_person_is_whose_the_command_says(import_: Import) -> None:
    mapping = FEAR.replace('column = "id"\n', "")
    import_(mapping, "date,fear\n2024-01-01,3\n", "--patient=A")
    assert [row[0] for row in import_.values()] == ["A"]
    assert "--patient: either the mapping names" in import_(mapping, "date,fear\n2024-01-01,3\n")
    assert "--patient: either the mapping names" in import_(FEAR, "id,date,fear\nA,2024-01-01,3\n", "--patient=A")


def test_a_scale_of_the_clinics_own_is_a_series_on_its_own_range(import_: Import) -> None:
    found = counted(import_(KNEE, "id,at,knee\nA,2024-01-02T01:30,9.5\nA,2024-01-02T09:00,3\nA,2024-01-02T09:00,3\n"))
    assert found["knee-pain value"] == 3
    code = f"import.{import_.clinic.pk}.knee-pain"
    assert import_.values() == [
        ("A", code, 9.5, date(2024, 1, 1)),
        ("A", code, 3, date(2024, 1, 2)),
        ("A", code, 3, date(2024, 1, 2)),
    ]
    assert not Response.objects.exists()
    assert TrendDue.objects.get().measure.code == code


def test_an_own_measure_is_described_by_its_mapping_and_a_running_process_learns_of_it(import_: Import) -> None:
    codes = measure_codes()
    import_(KNEE, "id,at,knee\nA,2024-01-02T01:30,9.5\n")
    number = Score.objects.get().measure_id
    assert codes[number] == f"import.{import_.clinic.pk}.knee-pain"
    known = measure(codes[number])
    assert (known.title, known.kind, known.direction, known.min, known.max) == (
        "Knee pain",
        "daily",
        "higher-worse",
        1,
        9.5,
    )
    import_(KNEE.replace("Knee pain", "Left knee"), "id,at,knee\nA,2024-01-02T01:30,9.5\n")
    assert (measure(codes[number]).title, Measure.objects.get(pk=number).code) == ("Left knee", codes[number])


def test_old_answers_alarm_nobody_and_wait_for_review(import_: Import) -> None:
    mapping = FEAR.replace('code = "fear-daily"', 'code = "phq-9"').replace(
        'items = ["fear"]', 'items = ["1", "2", "3", "4", "5", "6", "7", "8", "9"]'
    )
    import_(mapping, "id,date,1,2,3,4,5,6,7,8,9\nA,2024-01-01,0,0,0,0,0,0,0,0,1\n")
    alert = Alert.objects.get()
    assert (alert.rule, alert.state, alert.origin) == ("SUI-1", "review", "import")


def test_what_a_phone_could_not_send_is_refused_by_column(import_: Import) -> None:
    printed = import_(FEAR, "id,date,fear\nA,2024-01-01,11\nB,1890-01-01,3\nC,2190-01-01,3\nD,2024-01-01,3.5\n")
    assert "line 2: fear: Expected a whole number from 0 to 10, or null." in printed
    assert "line 3: date: This is before 1970." in printed
    assert "line 4: date: This is more than a day ahead" in printed
    assert "line 5: fear: Expected a whole number" in printed
    assert import_.values() == []


def test_rejects_are_kept_as_they_were_and_can_be_corrected_and_imported(import_: Import) -> None:
    rejects = import_.folder / "rejects.csv"
    content = 'id,at,note,knee\nA,2024-01-01T08:00,"x\ny",3\nA,2024-01-02T08:00,fine,x\nA,2024-01-03T08:00\n'
    printed = import_(KNEE, content, f"--rejects={rejects}")
    assert f"They are in {rejects}: correct them there" in printed
    assert rejects.stat().st_mode & 0o777 == 0o600
    text = rejects.read_bytes().decode("utf-8-sig")
    assert list(csv.reader(StringIO(text))) == [
        ["import_line", "import_column", "import_reason", "id", "at", "note", "knee"],
        ["4", "knee", "not a number", "A", "2024-01-02T08:00", "fine", "x"],
        ["5", "", "2 cells in place of 4", "A", "2024-01-03T08:00"],
    ]
    corrected = text.replace(",x\r\n", ",4\r\n").replace("T08:00\r\n", "T08:00,,5\r\n")
    assert counted(import_(KNEE, corrected))["knee-pain value"] == 2
    whole = content.replace(",x\n", ",4\n").replace("T08:00\n", "T08:00,,5\n")
    assert counted(import_(KNEE, whole))["already there"] == 3


def test_the_file_itself_can_not_be_where_rejects_go(import_: Import) -> None:
    path = import_.folder / "file.csv"
    printed = import_(FEAR, "id,date,fear\nA,2024-01-01,3\n", f"--rejects={path}")
    assert "--rejects: this is the file to import" in printed
    assert path.read_text().startswith("id,date,fear")


NASTY = (
    "id,date,fear,knee\nA,2024-01-01,3,3\nA,2024-01-01,3,3\nA,2024-01-01,4,4\nB,2024-01-01,x,5\nB,2024-01-02,,\n"
    "A,2024-01-03\nC,2024-02-30,1,1\nB,2024-01-04,2,99\nOLD,2024-01-01,3,\nOLD,2024-01-02,3,\n,2024-01-01,3,3\n"
)
NASTY_MAPPING = FEAR + KNEE[KNEE.index("[[measure]]") :]


@pytest.mark.parametrize("batch", [1, 3, 1000])
def test_a_dry_run_reports_the_same_and_writes_nothing(
    import_: Import, batch: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importing, "BATCH", batch)
    import_(FEAR, "id,date,fear\nOLD,2024-01-01,3\n")
    before = everything()
    dry = import_(NASTY_MAPPING, NASTY, "--dry-run")
    assert dry.startswith("Nothing was written; this is what would be.\n")
    assert everything() == before
    wet = import_(NASTY_MAPPING, NASTY)
    assert dry.partition("\n")[2] == wet
    assert counted(wet) | {
        "rows": 11,
        "patients created": 2,
        "already there": 3,
        "rows refused": 6,
    } == counted(wet)


def test_the_number_of_statements_does_not_grow_with_the_batch(import_: Import) -> None:
    def statements(first: int, count: int) -> int:
        lines = [f"P{first + n},2024-01-01,{n % 11},3\n" for n in range(count)]
        with CaptureQueriesContext(
            connection,
        ) as queries:
            import_(NASTY_MAPPING, "id,date,fear,knee\n" + "".join(lines))
        return len(queries)

    statements(0, 1)  # the first makes the measure
    assert statements(1000, 1) == statements(2000, 300)


def interrupted(rows: Iterator[Any], after: int) -> Iterator[Any]:
    for n, row in enumerate(rows):
        if n == after:
            raise KeyboardInterrupt
        yield row


def test_stopped_midway_it_says_so_and_the_next_run_finishes(import_: Import, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importing, "BATCH", 10)
    content = "id,date,fear\n" + "".join(f"P{n},2024-01-01,{n % 11}\n" for n in range(95))
    with monkeypatch.context() as patch:
        whole = importing.import_rows
        patch.setattr(importing, "import_rows", lambda rows, *rest: whole(interrupted(iter(rows), 37), *rest))
        printed = import_(FEAR, content)
    assert "exit 130: Stopped after 30 rows. Run it again to go on." in printed
    assert Score.objects.count() == Response.objects.count() == 30
    found = counted(import_(FEAR, content))
    assert (found["fear-daily complete"], found["already there"]) == (65, 30)


@pytest.mark.django_db(transaction=True)
def test_killed_midway_whole_batches_are_in_and_the_next_run_finishes(import_: Import) -> None:
    header, lines = "id,date,fear\n", [f"P{n},2024-01-01,{n % 11}\n" for n in range(2500)]
    mapping, pipe = import_.folder / "mapping.toml", import_.folder / "pipe.csv"
    mapping.write_text(FEAR)
    os.mkfifo(pipe)
    url = database_url()
    command = [sys.executable, "manage.py", "import_responses", str(pipe), f"--mapping={mapping}"]
    process = subprocess.Popen(
        [*command, f"--clinic={import_.clinic.pk}"], cwd=PROJECT, env=os.environ | {"DATABASE_URL": url}
    )
    try:
        # The pipe stays open: the import waits for more within its third batch, and there it dies.
        with pipe.open("w") as out:
            out.write(header + "".join(lines[:2400]))
            out.flush()
            for _ in range(600):
                if Response.objects.count() == 2000:
                    break
                time.sleep(0.1)
            process.kill()
            process.wait()
    finally:
        process.kill()
        process.wait()
    assert Response.objects.count() == Score.objects.count() == Patient.objects.count() == 2000
    found = counted(import_(FEAR, header + "".join(lines)))
    assert (found["fear-daily complete"], found["already there"]) == (500, 2000)


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        ({"clinic": "nowhere"}, "--clinic: there is no clinic 'nowhere'."),
        ({"care_team": "night"}, "has no care team 'night'."),
    ],
)
def test_what_is_missing_on_our_side_is_said_before_anything_is_read(
    import_: Import, options: dict[str, str], complaint: str
) -> None:
    assert complaint in import_(FEAR, "id,date,fear\nA,2024-01-01,3\n", **options)
    assert not Patient.objects.exists()


def test_who_joins_no_team_by_name_joins_the_clinics_only_one_or_one_of_the_imported(import_: Import) -> None:
    nameless = FEAR.replace('care_team = "Back pain"', "")
    assert nameless != FEAR
    import_(nameless, "id,date,fear\nA,2024-01-01,3\n")
    CareTeam.objects.create(clinic=import_.clinic, name="Knee pain")
    dry = import_(nameless, "id,date,fear\nB,2024-01-01,3\n", "--dry-run")
    assert not CareTeam.objects.filter(name="Imported").exists()
    assert dry.partition("\n")[2] == import_(nameless, "id,date,fear\nB,2024-01-01,3\n")
    import_(nameless, "id,date,fear\nB,2024-01-01,3\n")
    teams = Patient.objects.order_by("identifier").values_list("identifier", "care_team__name")
    assert list(teams) == [("A", "Back pain"), ("B", "Imported")]


def test_a_file_that_can_not_be_read_on_ends_with_its_line(import_: Import) -> None:
    printed = import_(FEAR, b"id,date,fear\nA,2024-01-01,3\n" + b"B,2024-01-01,\xff\n")
    assert "exit 2: file.csv: line 3, character 14: byte 0xFF is not utf-8" in printed
    assert "exit 2: file.csv: line 1: no column 'date'" in import_(FEAR, "id,day,fear\n")
    assert "exit 2: mapping.toml: not TOML" in import_("[", "id\n")
