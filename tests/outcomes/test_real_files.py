"""The other real files through their mappings, beside what a few lines of plain Python make of them."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Callable
from datetime import date, datetime, timedelta
from io import StringIO
from pathlib import Path
from statistics import fmean

import pytest
from django.core.management import call_command

from backend.people.models import Clinic, Patient
from outcomes.models import Response, Score
from tests.factories import a_clinic, a_team
from tests.outcomes.series import real_data, weekly_depression

pytestmark = pytest.mark.django_db

MAPPINGS = Path(__file__).parents[2] / "docs/mappings"
Import = Callable[..., str]


@pytest.fixture
def clinic() -> Clinic:
    return a_clinic()


@pytest.fixture
def import_(clinic: Clinic) -> Import:
    team = a_team(clinic)

    def run(name: str, mapping: str, patient: str = "") -> str:
        out = StringIO()
        command = ["import_responses", str(real_data(name)), f"--mapping={MAPPINGS / mapping}"]
        if patient:
            command.append(f"--patient={patient}")
        call_command(*command, f"--clinic={clinic.pk}", f"--care-team={team.name}", stdout=out)
        return out.getvalue()

    return run


def lines(name: str) -> list[dict[str, str]]:
    with real_data(name).open(newline="") as file:
        return list(csv.DictReader(file))


def scores(clinic: Clinic, measure: str) -> dict[str, float]:
    found = Score.objects.filter(clinic_id=clinic.pk, measure__code=measure)
    return dict(found.values_list("patient__identifier", "value"))


def series(clinic: Clinic, name: str, patient: str) -> list[tuple[date, float]]:
    found = Score.objects.filter(measure__code=f"import.{clinic.pk}.{name}", patient__identifier=patient)
    return list(found.order_by("local_day", "at", "value").values_list("local_day", "value"))


def test_a_redcap_export_of_four_instruments_scores_as_by_hand(import_: Import, clinic: Clinic) -> None:
    name = "back-pain-redcap/items.csv"
    import_(name, "back-pain-redcap-items.toml")
    rows = {row["record_id"]: list(row.items())[2:] for row in lines(name)}
    points = {number: [int(cell) for _, cell in row] for number, row in rows.items()}
    assert Patient.objects.filter(clinic=clinic).count() == len(points) == 113
    assert Counter(Response.objects.values_list("instrument__code", "status")) == dict.fromkeys(
        [("bpi-sf", "complete"), ("odi", "complete"), ("pcs", "complete"), ("tsk-11", "complete")], 113
    )
    by_hand: dict[str, Callable[[list[int]], float]] = {
        "bpi-sf.severity": lambda row: fmean(row[:4]),
        "bpi-sf.interference": lambda row: fmean(row[4:11]),
        "odi.total": lambda row: (sum(row[11:21]) - 10) / 50 * 100,  # stored 1–6
        "pcs.total": lambda row: sum(row[21:34]),
        "pcs.rumination": lambda row: sum(row[28:32]),  # items 8 to 11, in columns numbered 9 to 12
        "tsk-11.total": lambda row: sum(row[34:45]),
    }
    for measure, compute in by_hand.items():
        expected = {number: pytest.approx(compute(row), abs=0.006) for number, row in points.items()}
        assert scores(clinic, measure) == expected, measure


def test_totals_that_were_kept_stand_as_they_were_before_the_same_peoples_items(
    import_: Import, clinic: Clinic
) -> None:
    name = "back-pain-redcap/baseline-totals.csv"
    import_(name, "back-pain-redcap-totals.toml")
    rows = lines(name)
    assert Patient.objects.filter(clinic=clinic).count() == len(rows) == 152
    assert set(Response.objects.values_list("status", flat=True)) == {"totals"}
    for measure, column in [
        ("bpi-sf.severity", "bpi_intensity"),
        ("bpi-sf.interference", "bpi_interference"),
        ("odi.total", "odi"),
        ("pcs.total", "pcs"),
        ("tsk-11.total", "tsk11"),
        (f"import.{clinic.pk}.promis-depression-8-sum", "promis_dep"),
    ]:
        assert scores(clinic, measure) == {row["record_id"]: float(row[column]) for row in rows}, measure
    import_("back-pain-redcap/items.csv", "back-pain-redcap-items.toml")
    assert Patient.objects.filter(clinic=clinic).count() == 152
    assert Response.objects.values("patient", "instrument").distinct().count() == 4 * 152
    assert Response.objects.count() == 4 * (152 + 113)


@pytest.mark.parametrize(("participant", "entries"), [("4", 93), ("7", 220)])
def test_a_diary_with_several_entries_a_day_keeps_them_all(
    import_: Import, clinic: Clinic, participant: str, entries: int
) -> None:
    name = f"pain-diaries/participant{participant}.csv"
    import_(name, "pain-diary-days.toml", f"participant {participant}")
    rows = lines(name)
    assert Score.objects.count() == len(rows) == entries
    for item in {row["name"] for row in rows}:
        expected = sorted(
            (date(int(row["startyear"]), int(row["startmonth"]), int(row["startday"])), float(row["intensity"]))
            for row in rows
            if row["name"] == item
        )
        found = series(clinic, item.lower().replace(" ", "-"), f"participant {participant}")
        assert sorted(found) == expected, item


def test_entries_after_midnight_belong_to_the_day_that_the_diary_says(import_: Import, clinic: Clinic) -> None:
    name = "pain-diaries/participant8.csv"
    import_(name, "pain-diary-stamps.toml", "participant 8")
    rows = lines(name)
    assert Score.objects.count() == len(rows) == 2398
    said = [row for row in rows if row["startyear"] != "0"]
    for row in said:
        stamp = datetime.fromisoformat(row["date"])
        day = date(int(row["startyear"]), int(row["startmonth"]), int(row["startday"]))
        assert (stamp - timedelta(hours=8)).date() == day
    knee = series(clinic, "knee-pain", "participant 8")
    assert {day for day, _ in knee} >= {
        date(int(row["startyear"]), int(row["startmonth"]), int(row["startday"]))
        for row in said
        if row["name"] == "Knee Pain"
    }
    assert max(value for _, value in knee) == 8  # as it was, not squeezed into 0–10
    assert len(said) == 918


def test_momentary_reports_keep_their_scales_and_the_weekly_score_counts_once_a_day(
    import_: Import, clinic: Clinic
) -> None:
    name = "kossakowski/ESMdata.csv"
    import_(name, "kossakowski-esm.toml", "K")
    depression = [(day.isoformat(), value) for day, value in series(clinic, "scl-90-r-depression", "K")]
    assert depression == weekly_depression()
    assert len(depression) == 28
    rows = lines(name)
    for measure, column in [("down", "mood_down"), ("pain", "phy_pain")]:
        expected = Counter(float(row[column]) for row in rows if row[column] != "NA")
        assert Counter(value for _, value in series(clinic, measure, "K")) == expected
    assert len(series(clinic, "down", "K")) == 1474
    assert len(series(clinic, "sleep-quality", "K")) == 143


def test_importing_all_of_them_again_changes_nothing(import_: Import) -> None:
    files = [
        ("back-pain-redcap/items.csv", "back-pain-redcap-items.toml", ""),
        ("back-pain-redcap/baseline-totals.csv", "back-pain-redcap-totals.toml", ""),
        ("pain-diaries/participant8.csv", "pain-diary-stamps.toml", "8"),
        ("kossakowski/ESMdata.csv", "kossakowski-esm.toml", "K"),
    ]
    for file in files:
        import_(*file)
    before = sorted(Score.objects.values_list()), sorted(Response.objects.values_list("pk", "rev", "digest"))
    for file in files:
        assert "rows refused" in import_(*file)
    assert (sorted(Score.objects.values_list()), sorted(Response.objects.values_list("pk", "rev", "digest"))) == before
