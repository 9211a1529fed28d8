"""A clinic that takes everything along: answers first, then all that its records hold."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable
from datetime import date, timedelta
from io import StringIO
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.db.models import Min
from django.utils import timezone
from uuid_utils.compat import uuid7

from backend.dashboard.models import Note
from backend.dashboard.restoring import TABLES, restore
from backend.people.consent import withdraw
from backend.people.copying import records
from backend.people.models import Audit, Clinic, ClinicText, Consent, Membership, Origin, Patient, Role
from backend.people.registry import PATIENT_DATA
from backend.people.restoring import Restored
from backend.people.writes import Door, next_revisions
from backend.reminders.models import Absence, Call, Message, ReminderSettings, Schedule, Seen, Week
from backend.reminders.tasks import dispatch_reminders, look_for_silence, watch_alerts
from backend.rest.verdicts import FieldError
from backend.sync.quarantine import Refused, keep
from exercises.models import AdverseEvent, Prescription, Session
from exercises.prescribing import today_of
from exercises.series import Span, refresh
from outcomes.alert_handling import take
from outcomes.exporting import content
from outcomes.models import Alert, AlertEvent, Baseline, Score, Trend
from outcomes.recompute import recompute_all, recompute_due
from tests.backend.reminders.given import a_diarist
from tests.exercises.programmes import a_programme
from tests.factories import a_patient, a_team, an_admin
from tests.outcomes.test_intake import PHQ_9, a_response, take_in
from tests.signin import a_consent

pytestmark = pytest.mark.django_db
BACK = {label: data for label, data in PATIENT_DATA.items() if data.exported and not data.stays}
# Nobody is told again; what comes with answers comes without phones and colleagues; counters are each server's own.
CHANGED = {
    "profile": {"user"},
    "responses": {"device", "withdrawn_by"},
    "sessions": {"device"},
    "quarantine": {"device"},
    "alerts": {"tell_at"},
    "slots": {"remind_at"},
}


def read(command: str, path: Path, clinic: Clinic) -> str:
    out = StringIO()
    call_command(command, str(path), clinic=str(clinic.pk), stdout=out)
    return out.getvalue()


def kept(clinic: Clinic) -> Counter[str]:
    """Every row of every table that comes back, but for numbers that are this server's own."""
    things = {data.thing: label for label, data in BACK.items()}
    rows = [row for row in map(json.loads, records(Patient.objects.filter(clinic=clinic))) if row["type"] in things]
    people = {row["id"]: row["identifier"] for row in rows if row["type"] == "profile"}
    alerts = {row["id"]: (row["rule"], row["source"]) for row in rows if row["type"] == "alerts"}
    found: Counter[str] = Counter()
    for row in rows:
        del row["clinic"]
        if "patient" in row:
            row["patient"] = people[row["patient"]]
        if row["type"] == "scores" and not row["live"] and UUID(row["source"]).version == 5:
            continue  # of a day that was computed anew since
        if row["type"] == "alert events":
            row["alert"] = alerts[row["alert"]]
        ours = {"rev", *CHANGED.get(row["type"], ())}
        if isinstance(row.get("id"), int):
            ours.add("id")
        found[json.dumps({name: value for name, value in row.items() if name not in ours}, sort_keys=True)] += 1
    return found


def series(clinic: Clinic) -> list[Any]:
    names = "patient__identifier", "measure__code", "local_day", "value", "live"
    return sorted(Score.objects.filter(patient__clinic=clinic, live=True).values_list(*names))


def trends(clinic: Clinic) -> list[Any]:
    names = "baseline", "level", "slope_per_week", "slope_low", "slope_high", "change", "change_label", "level_changes"
    rows = Trend.objects.filter(clinic=clinic).order_by("patient__identifier", "measure__code")
    return list(rows.values_list("patient__identifier", "measure__code", "n", *names))


def settle(clinic: Clinic) -> None:
    """As the nights do that the simulation leaves out: weeks without a word count as missed."""
    firsts = Prescription.objects.filter(patient__clinic=clinic).values_list("patient").annotate(Min("starts_on"))
    now = timezone.now()
    today = {patient.pk: today_of(patient, now) for patient in Patient.objects.filter(clinic=clinic)}
    next_revisions(today)
    refresh({patient: Span(first, today[patient], today[patient]) for patient, first in firsts})


def forget_patients() -> None:
    """As on another server."""
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("TRUNCATE people_patient CASCADE")


def live_on(clinic: Clinic) -> None:
    """What the simulation leaves out of a clinic's life, so that no table is empty."""
    now = timezone.now()
    first, second, third = Patient.objects.filter(clinic=clinic).order_by("pk")[:3]
    colleague = Membership.objects.filter(clinic=clinic, role=Role.CLINICIAN).earliest("pk").user
    Patient.objects.update(origin=Origin.CLINIC)  # real ones: what is simulated tells nobody anyway
    for patient in (first, second):
        for ago in (2, 1):  # twice the same: the second adds to the alert
            item = a_response(answers=PHQ_9 | {"9": 1}, authored_at=now - timedelta(days=ago))
            take_in(patient, [item], now=now - timedelta(days=ago))
    taken, waiting = Alert.objects.filter(rule="SUI-1", state=Alert.State.OPEN, origin=Origin.PHONE)
    assert waiting.tell_at
    take(Alert.objects.all(), taken.pk, AlertEvent.Kind.ACKNOWLEDGED, by=colleague, at=now, note="Seen.")
    written = {"day": now.date(), "body": "Called.", "written_by": colleague}
    Note.objects.create(id=uuid7(), clinic=clinic, patient=first, note=uuid7(), **written)
    whose = {"clinic": clinic, "patient": first, "rev": 1}
    Absence.objects.create(id=uuid7(), first_day=date(2026, 1, 1), last_day=date(2026, 1, 3), **whose)
    ReminderSettings.objects.create(changed_at=now, weekly_cap=3, **whose)
    Week.objects.create(first_day=date(2026, 1, 5), due_at=now, made_at=now, words=["A week."], **whose)
    Seen.objects.get_or_create(patient=first, source=uuid7(), defaults={"clinic": clinic, "seen_at": now})
    error = [FieldError(field="answers", code="unknown", detail="No such item.")]
    refused = Refused("rejected", "response", uuid7(), b'{"type": "response"}', error)
    keep([refused], second.pk, clinic.pk, Door(origin="phone", received_at=now))
    said = {"origin": "phone", "authored_at": now, "received_at": now, "local_day": now.date(), "digest": b"1"}
    AdverseEvent.objects.create(id=uuid7(), kind="fall", during="other", **said, **whose)
    withdraw(third, now)


def test_a_clinic_that_moves_finds_everything_as_it_was_and_tells_nobody(
    tmp_path: Path,
) -> None:
    call_command("simulate_clinic", patients=3, stdout=StringIO())
    clinic = Clinic.objects.get()
    settle(clinic)
    live_on(clinic)
    recompute_due(timezone.now())
    frozen = Baseline.objects.filter(measure__code="tsk-11.total").earliest("pk")
    Baseline.objects.filter(pk=frozen.pk).update(value=frozen.value + 2)  # frozen before an answer was corrected
    recompute_all(timezone.now())
    call_command(
        "export_responses", str(tmp_path), clinic=str(clinic.pk), user=an_admin(clinic).email, stdout=StringIO()
    )
    before = kept(clinic), series(clinic), trends(clinic)
    empty = {data.thing for data in BACK.values()} - {json.loads(row)["type"] for row in before[0]}
    assert not empty, "a table that nothing stands in proves nothing"
    forget_patients()
    read("restore_responses", tmp_path / "responses.jsonl", clinic)
    recompute_due(timezone.now())  # a worker is faster than who restores: its baselines give way
    read("restore_records", tmp_path / "records.jsonl", clinic)
    recompute_due(timezone.now())
    now = kept(clinic)
    assert [*(now - before[0]).elements()] == [*(before[0] - now).elements()] == []
    assert series(clinic) == before[1]
    assert trends(clinic) == before[2]
    noted = Audit.objects.filter(action="restore records").values_list("patient", flat=True)
    assert set(noted) == set(Patient.objects.values_list("pk", flat=True))
    again = read("restore_responses", tmp_path / "responses.jsonl", clinic)
    assert "responses           0\n" in again
    again = read("restore_records", tmp_path / "records.jsonl", clinic)
    assert "rows                0\n" in again
    assert kept(clinic) == now
    watch_alerts()
    look_for_silence()
    dispatch_reminders()
    assert not Call.objects.exists()
    assert not Message.objects.filter(state=Message.State.SENT).exists()  # what is due today finds no phone yet


def test_each_table_of_patients_comes_back_or_says_why_not() -> None:
    by_answers = {"people.Patient", "people.ZoneHistory", "outcomes.Response", "outcomes.Score"}
    assert {table.model._meta.label for table in TABLES} == BACK.keys() - by_answers


@pytest.fixture
def programme() -> Prescription:
    return a_programme(a_patient(identifier="A"))


def lines_of(patient: Patient) -> list[dict[str, Any]]:
    return list(map(json.loads, records(Patient.objects.filter(pk=patient.pk))))


def refused(lines: Iterable[dict[str, Any]], clinic: Clinic) -> list[str]:
    total = Restored()
    for part in restore((json.dumps(line).encode() for line in lines), clinic, timezone.now()):
        total.add(part)
    return [reason for _, reason in total.refused]


def test_what_another_patient_here_has_is_not_taken_from_them(programme: Prescription) -> None:
    elsewhere = a_team().clinic
    unknown = "patient: there is no such patient; restore responses.jsonl first"
    assert set(refused(lines_of(programme.patient), elsewhere)) == {unknown}
    a_patient(a_team(elsewhere), identifier="A")
    taken = "id: another patient here has it; who moves within a server is transferred"
    assert taken in refused(lines_of(programme.patient), elsewhere)
    assert Prescription.objects.get().patient == programme.patient


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"starts_on": "soon"}, "starts_on: “soon” value has an invalid date format"),
        ({"starts_on": "0001-01-01"}, "starts_on: This is more than a lifetime away"),
        ({"starts_on": ""}, "starts_on: “” value has an invalid date format"),
        ({"version": None}, "version: This field cannot be null"),
        ({"plan": {"title": 7}}, "plan: "),
        ({"origin": "elsewhere"}, "origin: "),
        ({"patient": "me"}, "patient: "),
        ({"id": "me"}, "id: "),
    ],
)
def test_a_line_that_can_not_be_is_told_and_the_others_go_in(
    programme: Prescription, change: dict[str, Any], reason: str
) -> None:
    lines = lines_of(programme.patient)
    programme.delete()
    wrong = [line | {"id": "0" * 32} | change if line["type"] == "prescriptions" else line for line in lines]
    found = refused([*wrong, *lines, {"type": "sessions"}], programme.patient.clinic)
    assert len(found) == 2
    assert found[0].startswith(reason) or found[1].startswith(reason), found
    assert Prescription.objects.count() == 1
    assert not Session.objects.exists()
    with pytest.raises(CommandError, match="No such file"):
        read("restore_records", Path("nowhere.jsonl"), programme.patient.clinic)


def test_what_must_be_read_promptly_is_not_asked_before_somebody_is_named_who_does() -> None:
    diarist = a_diarist(timezone.now())
    lines = [line | {"code": "phq-9"} if line["type"] == "schedules" else line for line in lines_of(diarist)]
    elsewhere = a_patient(identifier=diarist.identifier).clinic
    lines = [line | {"id": str(uuid7())} if line["type"] == "schedules" else line for line in lines]
    why = refused([line for line in lines if line["type"] in ("profile", "schedules", "slots")], elsewhere)
    assert why[0].startswith("code: Somebody must read the answer to item 9 of phq-9 promptly")
    assert set(why[1:]) == {"schedule: this patient has no such one"}
    assert not Schedule.objects.filter(clinic=elsewhere).exists()


def test_a_consent_stands_by_the_words_that_were_agreed_to() -> None:
    patient = a_patient(identifier="A")
    given = a_consent(patient)
    lines = lines_of(patient)
    elsewhere = a_patient(a_team(), identifier="A").clinic
    assert refused(lines, elsewhere) == []
    back = Consent.objects.get(clinic=elsewhere)
    assert (back.text.body, back.text.version, back.given_at) == (given.text.body, given.text.version, given.given_at)
    assert back.text.published_at == given.text.published_at
    third = a_patient(a_team(), identifier="A").clinic
    named = {"kind": given.text.kind, "language": given.text.language, "version": given.text.version}
    ClinicText.objects.create(clinic=third, body="Other words.", **named)
    assert refused(lines, third) == [f"text: another one is published here as {given.text}"]


def test_what_a_colleague_wrote_stays_theirs_where_they_are_a_colleague_too() -> None:
    patient = a_patient(identifier="A")
    author, gone = an_admin(patient.clinic), an_admin(patient.clinic)
    for user in (author, gone):
        version = {"note": uuid7(), "day": date(2026, 1, 1), "body": "Called.", "written_by": user}
        Note.objects.create(id=uuid7(), clinic=patient.clinic, patient=patient, **version)
    patients = Patient.objects.filter(pk=patient.pk)
    found = content("records.jsonl", patients, "clinic", timezone.now())
    assert found
    lines = [json.loads(line) for line in found[1]]
    lines = [line | {"id": str(uuid7())} if line["type"] == "notes" else line for line in lines]
    elsewhere = a_patient(a_team(), identifier="A").clinic
    Membership.objects.create(clinic=elsewhere, user=author, role=Role.CLINICIAN)
    assert refused(lines, elsewhere) == []
    assert set(Note.objects.filter(clinic=elsewhere).values_list("written_by", flat=True)) == {author.pk, None}


def test_an_alert_that_is_open_here_by_itself_is_left_and_told() -> None:
    patient = a_patient(identifier="A")
    answers = PHQ_9 | {"9": 1}
    take_in(patient, [a_response(answers=answers)])
    lines = lines_of(patient)
    here = a_patient(a_team(), identifier="A")
    take_in(here, [a_response(answers=answers)])
    why = refused([line for line in lines if line["type"] in ("profile", "alerts", "alert events")], here.clinic)
    assert any(reason.startswith("alert_one_open: ") for reason in why)
    assert Alert.objects.filter(patient=here, rule="SUI-1").count() == 1


def test_what_was_done_about_an_alert_that_does_not_come_back_is_added_to_no_other() -> None:
    patient = a_patient(identifier="A")
    answers = PHQ_9 | {"9": 1}
    take_in(patient, [a_response(answers=answers)])
    lines = lines_of(patient)
    here = a_patient(a_team(), identifier="A")
    take_in(here, [a_response(answers=answers)])
    theirs, open_here = Alert.objects.filter(rule="SUI-1").order_by("pk")
    people = [line for line in lines if line["type"] == "profile"]
    alert = [line | {"id": open_here.pk} for line in lines if line.get("id") == theirs.pk and line["type"] == "alerts"]
    done = [line | {"alert": open_here.pk} for line in lines if line.get("alert") == theirs.pk]
    before = AlertEvent.objects.filter(alert=open_here).count()
    why = refused([*people, *alert, *done], here.clinic)  # another server may have counted its alerts just so
    assert why[0].startswith("alert_one_open: ")
    assert set(why[1:]) == {"alert: this patient has no such one"}
    assert AlertEvent.objects.filter(alert=open_here).count() == before


def test_a_person_whose_times_have_no_offset_is_refused(programme: Prescription) -> None:
    (person,) = [line for line in lines_of(programme.patient) if line["type"] == "profile"]
    (why,) = refused([person | {"created_at": "2026-01-01T12:00:00"}], programme.patient.clinic)
    assert why.startswith("not a record: ")
