"""What leaves: all that its reader may see and nothing else, and it comes back in as it was."""

from __future__ import annotations

import csv
import json
import tracemalloc
from datetime import UTC, date, datetime, timedelta
from io import StringIO
from pathlib import Path
from uuid import UUID, uuid5

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext
from uuid_utils.compat import uuid7

from backend.people.models import Audit, Clinic, Patient, User, ZoneHistory
from backend.people.writes import Door, next_revisions
from outcomes import exporting, library
from outcomes.importing import own_code
from outcomes.intake import Draft, WithdrawalItem, examine, store_responses, store_withdrawals
from outcomes.loading import describe_measures, instrument_ids, measure_ids
from outcomes.models import Alert, InstrumentVersion, Measure, Response, Score
from outcomes.store import ScoreRow, insert_scores
from tests.factories import a_clinic, a_clinician, a_patient, a_team, a_user, an_admin
from tests.outcomes.test_intake import NOW, PHQ_9, a_response, take_in

pytestmark = pytest.mark.django_db


@pytest.fixture
def clinic() -> Clinic:
    """Two patients: one with a corrected and a withdrawn answer and a scale of the clinic's own, one with gaps."""
    team = a_team()
    zurich, lima = a_patient(team, identifier="A", name="Ä"), a_patient(team, identifier="B")
    ZoneHistory.objects.create(clinic=team.clinic, patient=zurich, since=NOW, time_zone="Europe/Zurich")
    first, second, third = (a_response(authored_at=NOW - timedelta(days=days)) for days in (30, 20, 10))
    take_in(zurich, [first, second, third])
    corrected = a_response(answers=PHQ_9 | {"1": 3}, authored_at=NOW - timedelta(days=29), replaces=first.id)
    take_in(zurich, [corrected])
    taken_back = WithdrawalItem(id=uuid7(), response=second.id, authored_at=NOW, reason='not "mine"\n')
    store_withdrawals([taken_back], zurich.pk, Door(origin="phone", received_at=NOW), next_revisions([zurich.pk]))
    evening = datetime.fromisoformat("2026-11-20T23:30:00-05:00")
    gaps = {"1": 1, "2": 1, "9": None}
    take_in(lima, [a_response(authored_at=evening, time_zone="America/Lima", answers=gaps)])
    take_in(lima, [a_response(instrument="daily-diary", authored_at=evening, answers={"pain-now": 4})], origin="clinic")
    describe_measures(
        [Measure(code=own_code(team.clinic, "knee"), title="Knee", kind="daily", direction="none", low=1)]
    )
    number = measure_ids()[own_code(team.clinic, "knee")]
    insert_scores([ScoreRow(zurich.pk, number, date(2026, 1, 1), uuid7(), team.clinic.pk, 3.5, NOW)])
    return team.clinic


def exported(folder: Path, clinic: Clinic, user: User | None = None, **options: str) -> dict[str, str]:
    user = user or an_admin(clinic)
    call_command("export_responses", str(folder), clinic=str(clinic.pk), user=user.email, stdout=StringIO(), **options)
    return {path.name: path.read_bytes().decode() for path in folder.iterdir()}


def restored(path: Path, clinic: Clinic) -> str:
    out = StringIO()
    try:
        call_command("restore_responses", str(path), clinic=str(clinic.pk), stdout=out)
    except CommandError as error:
        out.write(f"exit {error.returncode}: {error}")
    return out.getvalue()


def rows(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(StringIO(text)))


def test_an_export_restores_the_same_state_and_again_changes_nothing(clinic: Clinic, tmp_path: Path) -> None:
    first = exported(tmp_path / "first", clinic)
    elsewhere = a_clinic()
    printed = restored(tmp_path / "first/responses.jsonl", elsewhere)
    assert [line.split() for line in printed.splitlines()] == [
        ["lines", "11"],
        ["patients", "2"],
        ["responses", "6"],
        ["values", "1"],
        ["duplicates", "0"],
    ]
    second = exported(tmp_path / "second", elsewhere)
    assert first["responses.jsonl"].splitlines()[1:] == second["responses.jsonl"].splitlines()[1:]
    assert first["phq-9.csv"] == second["phq-9.csv"]
    there = second["scores.csv"].replace(f"import.{elsewhere.pk}.", f"import.{clinic.pk}.")
    assert sorted(first["scores.csv"].splitlines()) == sorted(there.splitlines())
    assert ["duplicates", "7"] in [
        line.split() for line in restored(tmp_path / "first/responses.jsonl", elsewhere).splitlines()
    ]
    assert (
        exported(tmp_path / "second", elsewhere)["responses.jsonl"].splitlines()[1:]
        == second["responses.jsonl"].splitlines()[1:]
    )


def test_answers_to_an_instrument_that_the_library_has_no_longer_are_exported_all_the_same(
    clinic: Clinic, tmp_path: Path
) -> None:
    InstrumentVersion.objects.filter(code="daily-diary").update(code="gone")
    instrument_ids.cache_clear()
    try:
        files = exported(tmp_path, clinic)
        assert json.loads(files["responses.jsonl"].splitlines()[-2])["instrument"] == "gone"
    finally:
        instrument_ids.cache_clear()
    (row,) = rows(files["gone.csv"])
    assert row["item.pain-now"] == "4"


@pytest.mark.parametrize("command", ["restore_responses", "restore_records"])
def test_a_line_that_no_database_can_hold_is_refused_by_its_number(
    command: str, clinic: Clinic, tmp_path: Path
) -> None:
    file = tmp_path / "lines.jsonl"
    file.write_bytes(
        b'{"type": "profile", "id": 1, "identifier": "A\\u0000"}\n{"type": "\xff"}\n' + b"[" * 100_000 + b"\n"
    )
    out = StringIO()
    with pytest.raises(CommandError, match="Refused: 3 of 3 lines"):
        call_command(command, str(file), clinic=str(clinic.pk), stdout=out)


def test_a_phone_that_sends_again_after_a_restore_meets_a_duplicate(clinic: Clinic, tmp_path: Path) -> None:
    patient = a_patient(a_team(clinic), identifier="C")
    item = a_response()
    take_in(patient, [item])
    exported(tmp_path / "out", clinic)
    elsewhere = a_clinic()
    restored(tmp_path / "out/responses.jsonl", elsewhere)
    [verdict] = take_in(Patient.objects.get(clinic=elsewhere, identifier="C"), [item])
    assert verdict.status == "duplicate"


def test_what_was_replaced_or_withdrawn_counts_no_more_after_a_restore(clinic: Clinic, tmp_path: Path) -> None:
    exported(tmp_path / "out", clinic)
    elsewhere = a_clinic()
    restored(tmp_path / "out/responses.jsonl", elsewhere)
    responses = Response.objects.filter(clinic_id=elsewhere.pk, instrument__code="phq-9", patient__identifier="A")
    assert sorted(responses.values_list("live", flat=True)) == [False, False, True, True]
    scores = Score.objects.filter(clinic_id=elsewhere.pk, measure__code="phq-9.total", patient__identifier="A")
    assert sorted(scores.values_list("live", flat=True)) == [False, False, True, True]
    assert responses.get(withdrawn_at__isnull=False).withdrawn_reason == 'not "mine"\n'


def test_restored_answers_alarm_nobody_anew(tmp_path: Path) -> None:
    patient = a_patient()
    answers = dict.fromkeys(PHQ_9, 0) | {"9": 1}
    take_in(patient, [a_response(answers=answers, authored_at=NOW - timedelta(days=300))])
    exported(tmp_path / "out", patient.clinic)
    elsewhere = a_clinic()
    restored(tmp_path / "out/responses.jsonl", elsewhere)
    assert set(Alert.objects.filter(clinic=elsewhere).values_list("rule", "state")) == {("SUI-1", "review")}


def test_each_reader_gets_what_they_may_see(clinic: Clinic, tmp_path: Path) -> None:
    def patients(text: str) -> set[str]:
        return {line["patient"] for line in rows(text)}

    assert patients(exported(tmp_path / "all", clinic)["scores.csv"]) == {"A", "B"}
    assert patients(exported(tmp_path / "one", clinic, patient="B")["scores.csv"]) == {"B"}
    team = Patient.objects.get(identifier="A", clinic=clinic).care_team
    assert patients(exported(tmp_path / "team", clinic, a_clinician(team))["scores.csv"]) == {"A", "B"}
    for nobody in (a_clinician(a_team(clinic)), an_admin(a_clinic()), a_user(is_staff=True)):
        with pytest.raises(CommandError, match="no such patient whom this person may see"):
            exported(tmp_path / "none", clinic, nobody)
    assert not (tmp_path / "none").exists()


def test_every_patient_of_an_export_gets_an_audit_row(clinic: Clinic, tmp_path: Path) -> None:
    user = an_admin(clinic)
    exported(tmp_path / "out", clinic, user)
    found = Audit.objects.filter(user=user, action="export responses").values_list("patient__identifier", flat=True)
    assert sorted(found) == ["A", "B"]
    assert {path.stat().st_mode & 0o777 for path in (tmp_path / "out").iterdir()} == {0o600}


def test_a_csv_has_a_line_a_response_with_answers_and_scores(clinic: Clinic, tmp_path: Path) -> None:
    found = exported(tmp_path / "out", clinic)
    live = [line for line in rows(found["phq-9.csv"]) if line["live"] == "yes"]
    assert [
        (line["patient"], line["item.1"], line["item.9"], line["score.total"], line["status"]) for line in live
    ] == [
        ("A", "2", "0", "12", "complete"),
        ("A", "3", "0", "13", "complete"),
        ("B", "1", "", "", "incomplete"),
    ]
    assert live[-1]["authored_at"] == "2026-11-20T23:30:00-05:00"
    assert [line["value"] for line in rows(found["scores.csv"]) if line["measure"].endswith(".knee")] == ["3.5"]


def test_the_dictionary_says_what_every_column_means(clinic: Clinic, tmp_path: Path) -> None:
    found = exported(tmp_path / "out", clinic)
    known = {(line["file"], line["column"]): line for line in rows(found["dictionary.csv"])}
    for name, text in found.items():
        if name.endswith(".csv") and name != "dictionary.csv":
            for column in next(csv.reader(StringIO(text))):
                assert known[name, column]["meaning"], (name, column)
    assert known["phq-9.csv", "score.total"]["values"] == "0 to 27"


def test_no_text_that_its_owner_keeps_leaves_with_the_dictionary() -> None:
    meanings = {
        (line["file"], line["column"]): line["meaning"] for line in rows("".join(exporting.csv_of_dictionary()))
    }
    for instrument in library.newest():
        said = {meanings[f"{instrument.code}.csv", f"item.{item.id}"] for item in instrument.items}
        assert (said == {"the clinic holds the licensed text"}) == (instrument.ship == "meta"), instrument.code


def test_a_line_that_can_not_be_restored_is_told_and_the_others_go_in(clinic: Clinic, tmp_path: Path) -> None:
    exported(tmp_path / "out", clinic)
    lines = [json.loads(line) for line in (tmp_path / "out/responses.jsonl").read_text().splitlines()]
    answered = [line for line in lines if line["type"] == "response"]
    answered[0]["patient"] = "nobody"
    answered[1]["answers"]["1"] = 99
    answered[2]["version"] = "0"
    bad = tmp_path / "bad.jsonl"
    bad.write_text("\n".join([*map(json.dumps, lines), "{", '{"type": "wish"}']))
    printed = restored(bad, a_clinic())
    for complaint in (
        "patient: there is no such patient",
        "answers.1: Expected a whole number from 0 to 3, or null.",
        "version: phq-9 has no version '0'",
        "line 12: ",
        "line 13: Invalid value 'wish' - at `$.type`",
        "exit 1: Refused: 5 of 13 lines.",
    ):
        assert complaint in printed
    assert "responses           3" in printed


def test_an_export_of_another_format_is_not_guessed_at(clinic: Clinic, tmp_path: Path) -> None:
    exported(tmp_path / "out", clinic)
    path = tmp_path / "out/responses.jsonl"
    path.write_text(path.read_text().replace('"format":1', '"format":2', 1))
    elsewhere = a_clinic()
    assert "exit 2: line 1: this server reads format 1, not 2." in restored(path, elsewhere)
    assert not Patient.objects.filter(clinic=elsewhere).exists()


def test_something_else_under_a_known_id_is_refused(clinic: Clinic, tmp_path: Path) -> None:
    exported(tmp_path / "out", clinic)
    elsewhere = a_clinic()
    path = tmp_path / "out/responses.jsonl"
    restored(path, elsewhere)
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    for line in lines:
        if line["type"] == "response":
            line["digest"] = "AAAA"
        if line["type"] == "value":
            line["value"] = 7
    path.write_text("\n".join(map(json.dumps, lines)))
    printed = restored(path, elsewhere)
    assert printed.count("id: something else is on record under it; it stays") == 6
    assert printed.count("value: another one is on record; it stays") == 1


def many(patient: Patient, count: int) -> None:
    """So many daily answers of one patient."""
    drafts = []
    for n in range(count):
        item = a_response(
            id=uuid5(UUID(int=7), f"{patient.pk} {n}"),
            instrument="fear-daily",
            answers={"fear": n % 11},
            authored_at=datetime(2020, 1, 1, tzinfo=UTC) + timedelta(hours=n),
        )
        draft = examine(item, patient.pk, patient.clinic_id, NOW)
        assert isinstance(draft, Draft)
        drafts.append(draft)
    store_responses(drafts, Door(origin="phone", received_at=NOW), next_revisions([patient.pk]))


def test_an_export_streams() -> None:
    patient = a_patient()
    many(patient, 9000)
    patients = Patient.objects.filter(pk=patient.pk)
    size = 0
    tracemalloc.start()
    try:
        for line in exporting.json_lines(patients, "clinic", NOW):
            size += len(line)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    with CaptureQueriesContext(connection) as queries:
        assert sum(1 for _ in exporting.csv_of_scores(patients)) == 9001
    assert len(queries) == 1
    assert size > 3_000_000
    assert peak < 12_000_000  # a chunk of rows as objects, however many there are


def test_restoring_a_batch_costs_the_same_for_one_and_for_many(tmp_path: Path) -> None:
    def statements(count: int) -> int:
        patient = a_patient(identifier="X")
        many(patient, count)
        exported(tmp_path / str(count), patient.clinic)
        elsewhere = a_clinic()
        with CaptureQueriesContext(connection) as queries:
            restored(tmp_path / f"{count}/responses.jsonl", elsewhere)
        return len(queries)

    assert statements(2) == statements(300)
