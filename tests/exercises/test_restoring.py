"""A clinic that takes everything along: answers first, then programmes and what was done of them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.db.models import Min
from django.utils import timezone

from backend.people.copying import records
from backend.people.models import Audit, Clinic, Patient
from backend.people.writes import next_revisions
from exercises.models import Prescription, Session
from exercises.prescribing import today_of
from exercises.restoring import TABLES, Restored, restore
from exercises.series import Span, refresh
from outcomes.models import Baseline, Score, Trend
from outcomes.recompute import recompute_all, recompute_due
from tests.exercises.programmes import a_programme
from tests.factories import a_patient, a_team, an_admin

pytestmark = pytest.mark.django_db
OURS = {"id", "patient", "clinic", "rev"}


def read(command: str, path: Path, clinic: Clinic) -> str:
    out = StringIO()
    call_command(command, str(path), clinic=str(clinic.pk), stdout=out)
    return out.getvalue()


def kept(clinic: Clinic) -> list[str]:
    """Every row of the tables that come back, but for numbers of ours and for colleagues, who do not."""
    people = {"entered_by", "prescribed_by", "decided_by", "withdrawn_by", "set_by"}
    rows = map(json.loads, records(Patient.objects.filter(clinic=clinic)))
    return sorted(
        json.dumps({name: value for name, value in row.items() if name not in OURS | people}, sort_keys=True)
        for row in rows
        if row["type"] in TABLES
    )


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


def test_a_clinic_that_moves_finds_programmes_sessions_baselines_and_trends_as_they_were(tmp_path: Path) -> None:
    call_command("simulate_clinic", patients=6, stdout=StringIO())
    clinic = Clinic.objects.get()
    settle(clinic)
    recompute_due(timezone.now())
    frozen = Baseline.objects.filter(measure__code="tsk-11.total").earliest("pk")
    Baseline.objects.filter(pk=frozen.pk).update(value=frozen.value + 2)  # frozen before an answer was corrected
    recompute_all(timezone.now())
    call_command(
        "export_responses", str(tmp_path), clinic=str(clinic.pk), user=an_admin(clinic).email, stdout=StringIO()
    )
    before = kept(clinic), series(clinic), trends(clinic)
    types = {json.loads(row)["type"] for row in before[0]}
    assert {"prescriptions", "pauses", "proposals", "sessions", "baselines", "treatments", "conditions"} <= types
    forget_patients()
    read("restore_responses", tmp_path / "responses.jsonl", clinic)
    recompute_due(timezone.now())  # a worker is faster than who restores: its baselines give way
    told = read("restore_records", tmp_path / "records.jsonl", clinic)
    written, there = (int(number.replace(",", "")) for number in re.findall(r"(?:rows|duplicates) +([\d,]+)", told))
    assert written + there == len(before[0])
    recompute_due(timezone.now())
    assert kept(clinic) == before[0]
    assert series(clinic) == before[1]
    assert trends(clinic) == before[2]
    assert Audit.objects.filter(action="restore records").count() == Patient.objects.count()
    again = read("restore_records", tmp_path / "records.jsonl", clinic)
    assert "rows                0\n" in again
    assert kept(clinic) == before[0]


@pytest.fixture
def programme() -> Prescription:
    return a_programme(a_patient(identifier="A"))


def lines_of(patient: Patient) -> Iterator[dict[str, Any]]:
    yield from map(json.loads, records(Patient.objects.filter(pk=patient.pk)))


def refused(lines: Iterator[dict[str, Any]] | list[dict[str, Any]], clinic: Clinic) -> list[str]:
    total = Restored()
    for part in restore((json.dumps(line).encode() for line in lines), clinic, timezone.now()):
        total += part
    return [reason for _, reason in total.refused]


def test_what_another_patient_here_has_is_not_taken_from_them(programme: Prescription) -> None:
    elsewhere = a_team().clinic
    unknown = "patient: there is no such patient who takes part; restore responses.jsonl first"
    assert refused(lines_of(programme.patient), elsewhere) == [unknown]
    a_patient(a_team(elsewhere), identifier="A")
    taken = "id: another patient here has it; who moves within a server is transferred"
    assert refused(lines_of(programme.patient), elsewhere) == [taken]
    assert Prescription.objects.get().patient == programme.patient


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"starts_on": "soon"}, "starts_on: “soon” value has an invalid date format"),
        ({"starts_on": "0001-01-01"}, "starts_on: This is more than a lifetime away"),
        ({"plan": {"title": 7}}, "plan: "),
        ({"origin": "elsewhere"}, "origin: "),
        ({"patient": "me"}, "patient: "),
    ],
)
def test_a_line_that_can_not_be_is_told_and_the_others_go_in(
    programme: Prescription, change: dict[str, Any], reason: str
) -> None:
    lines = list(lines_of(programme.patient))
    programme.delete()
    wrong = [line | change | {"id": "0" * 32} if line["type"] == "prescriptions" else line for line in lines]
    found = refused([*wrong, *lines, {"type": "sessions"}], programme.patient.clinic)
    assert len(found) == 2
    assert found[0].startswith(reason) or found[1].startswith(reason), found
    assert Prescription.objects.count() == 1
    assert not Session.objects.exists()
    with pytest.raises(CommandError, match="No such file"):
        read("restore_records", Path("nowhere.jsonl"), programme.patient.clinic)
