"""Imports the real files into a database of its own and writes what was seen: `python -m bench.real_data FOLDER`.

Ours are read back from the database; beside them stands what a few lines of plain Python make of the same file, with
none of our code. Ends with an error where the two differ.
"""

from __future__ import annotations

import csv
import json
import os
import sys
import tempfile
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack
from datetime import UTC, date, datetime, timedelta
from io import StringIO
from pathlib import Path
from statistics import fmean
from textwrap import fill
from typing import Any

from backend.local import postgres, redis

MAPPINGS = Path(__file__).parent.parent / "docs/mappings"

type Rows = list[dict[str, str]]
type ByHand = Callable[[Rows], Mapping[str, list[float]]]


def nhanes(rows: Rows) -> dict[str, list[float]]:
    """PHQ-9 totals: 7 and 9 are no answers; up to two missing filled with the mean of the others, half up."""
    totals = []
    for row in rows:
        given = [int(float(row[f"DPQ0{n}0"])) for n in range(1, 10) if row[f"DPQ0{n}0"] in ("0.0", "1.0", "2.0", "3.0")]
        if len(given) >= 7:
            totals.append(float((18 * sum(given) + len(given)) // (2 * len(given))))
    return {"phq-9.total": totals}


def redcap_items(rows: Rows) -> dict[str, list[float]]:
    points = [[int(cell) for cell in list(row.values())[2:]] for row in rows]
    return {
        "bpi-sf.severity": [fmean(row[:4]) for row in points],
        "bpi-sf.interference": [fmean(row[4:11]) for row in points],
        "odi.total": [2.0 * (sum(row[11:21]) - 10) for row in points],
        "pcs.total": [float(sum(row[21:34])) for row in points],
        "tsk-11.total": [float(sum(row[34:45])) for row in points],
    }


def redcap_totals(rows: Rows) -> dict[str, list[float]]:
    names = {
        "bpi-sf.severity": "bpi_intensity",
        "bpi-sf.interference": "bpi_interference",
        "odi.total": "odi",
        "pcs.total": "pcs",
        "tsk-11.total": "tsk11",
        "promis-depression-8-sum": "promis_dep",
        "average-pain": "pain_avg",
    }
    return {measure: [float(row[column]) for row in rows] for measure, column in names.items()}


def diary(rows: Rows) -> dict[str, list[float]]:
    found: dict[str, list[float]] = defaultdict(list)
    for row in rows:
        found[row["name"].lower().replace(" ", "-")].append(float(row["intensity"]))
    return found


def momentary(rows: Rows) -> dict[str, list[float]]:
    names = {
        "pain": "phy_pain",
        "tired": "phy_tired",
        "down": "mood_down",
        "anxious": "mood_anxious",
        "cheerful": "mood_cheerf",
        "worry": "pat_worry",
        "physically-active": "phy_physact",
    }
    found = {name: [float(row[column]) for row in rows if row[column] != "NA"] for name, column in names.items()}
    for name, column in {"scl-90-r-depression": "dep", "sleep-quality": "mor_qualsleep"}.items():
        found[name] = list({row["date"]: float(row[column]) for row in rows if row[column] != "NA"}.values())
    return found


FILES: list[tuple[str, str, str, ByHand]] = [
    ("nhanes/DPQ_J.csv", "nhanes-dpq.toml", "", nhanes),
    ("back-pain-redcap/baseline-totals.csv", "back-pain-redcap-totals.toml", "", redcap_totals),
    ("back-pain-redcap/items.csv", "back-pain-redcap-items.toml", "", redcap_items),
    ("pain-diaries/participant4.csv", "pain-diary-days.toml", "participant 4", diary),
    ("pain-diaries/participant7.csv", "pain-diary-days.toml", "participant 7", diary),
    ("pain-diaries/participant8.csv", "pain-diary-stamps.toml", "participant 8", diary),
    ("kossakowski/ESMdata.csv", "kossakowski-esm.toml", "K", momentary),
]


def main(folder: Path) -> None:
    with tempfile.TemporaryDirectory() as directory, ExitStack() as stack:
        os.environ |= {
            "DATABASE_URL": stack.enter_context(postgres(Path(directory), durable=False)),
            "REDIS_URL": stack.enter_context(redis(Path(directory), durable=False)),
            "DJANGO_SETTINGS_MODULE": "backend.settings",
            "SECRET_KEY": "only for this run " + "x" * 50,
        }
        import django

        django.setup()
        from django.core.management import call_command
        from django.db import connection

        call_command("migrate", verbosity=0)
        page(folder)
        connection.close()


HEAD = """\
# Real data, as it came in

Written by `python -m bench.real_data FOLDER > docs/real-data.md`; the files themselves are not in the project. Every
number of ours is read back from the database after `manage.py import_responses` with the mapping named, run twice: the
second time must change nothing. “By hand” is a few lines of plain Python over the same file, with none of our code.
“The reference” is the clinical reference that the product was built from."""


def page(folder: Path) -> None:
    print(HEAD)
    for name in ("nhanes", "back-pain-redcap", "pain-diaries", "kossakowski"):
        print(f"\n## {name}")
        clinic = make_clinic(name)
        for file in FILES:
            if file[0].startswith(f"{name}/"):
                import_file(folder, clinic, *file)
        for sentence in SAID[name](folder, clinic):
            print("\n" + fill(" ".join(sentence.split()), 120, break_on_hyphens=False))
        trends(clinic)


def make_clinic(name: str) -> Any:
    from backend.people.models import CareTeam, Clinic

    clinic = Clinic.objects.create(name=name, time_zone="UTC", languages=["en"])
    CareTeam.objects.create(clinic=clinic, name="Imported")
    return clinic


def import_file(folder: Path, clinic: Any, name: str, mapping: str, patient: str, by_hand: ByHand) -> None:
    """Import one file twice, and print its report and each measure beside the one by hand."""
    from outcomes.models import Score

    before = set(Score.objects.values_list("pk", flat=True))
    report = run_import(folder / name, mapping, clinic, patient)
    again = run_import(folder / name, mapping, clinic, patient)
    if "already there" not in again or any(line.split()[-2:-1] == ["complete"] for line in again.splitlines()):
        sys.exit(f"{name}: the second import was not without effect:\n{again}")
    with (folder / name).open(newline="") as file:
        rows = list(csv.DictReader(file))
    print(f"\n### {name}\n\nMapping `docs/mappings/{mapping}`.\n\n```\n{report.rstrip()}\n```\n")
    print("| measure | values | mean | by hand: values | mean |\n|-|-|-|-|-|")
    ours: dict[str, list[float]] = defaultdict(list)
    for key, code, value in Score.objects.filter(clinic_id=clinic.pk).values_list("pk", "measure__code", "value"):
        if key not in before:
            ours[code.removeprefix(f"import.{clinic.pk}.")].append(value)
    for measure, expected in sorted(by_hand(rows).items()):
        found = ours[measure]
        print(f"| {measure} | {len(found):,} | {fmean(found):.4f} | {len(expected):,} | {fmean(expected):.4f} |")
        if len(found) != len(expected) or abs(fmean(found) - fmean(expected)) > 0.005:  # means of BPI are rounded
            sys.exit(f"{name}: {measure} differs from what it is by hand")


def run_import(path: Path, mapping: str, clinic: Any, patient: str) -> str:
    from django.core.management import CommandError, call_command

    out = StringIO()
    command = ["import_responses", str(path), f"--mapping={MAPPINGS / mapping}", f"--clinic={clinic.pk}"]
    try:
        call_command(*command, *([f"--patient={patient}"] if patient else []), stdout=out)
    except CommandError as error:
        out.write(f"{error}\n")
    return out.getvalue()


def about_nhanes(folder: Path, clinic: Any) -> Iterator[str]:
    from outcomes.models import Alert, Response, Score

    alerts = Alert.objects.filter(clinic=clinic)
    positive = set(alerts.filter(rule="SUI-1").values_list("patient_id", flat=True))
    responses = Response.objects.filter(clinic_id=clinic.pk)
    complete = positive & set(responses.filter(status="complete").values_list("patient_id", flat=True))
    totals = Score.objects.filter(clinic_id=clinic.pk, measure__code="phq-9.total")
    below = totals.filter(patient_id__in=complete, value__lt=10).count()
    yield f"""Item 9 is positive in {len(positive)} people. {len(complete)} of them answered every item, and {below} of
        these score below 10; the reference says 64 of 191."""
    waiting = alerts.filter(state="review").count()
    yield f"Red flags: {alerts.count():,}, of which {waiting:,} wait on the review list, being old. Nobody was told."
    empty = responses.filter(answers={}).count()
    with (folder / "nhanes/DPQ_J.csv").open(newline="") as file:
        blank = sum(not any(cell for name, cell in row.items() if name != "SEQN") for row in csv.DictReader(file))
    yield f"""{empty} people have no answer at all, {blank} of them because nothing is filled in: they were in the
        sample, so they are patients with an incomplete response and no score. Codes 7 and 9 are counted above and never
        scored."""


def about_redcap(folder: Path, clinic: Any) -> Iterator[str]:
    from backend.people.models import Patient

    count = Patient.objects.filter(clinic=clinic).count()
    yield f"""{count} people: those with items five years on are among those with totals before treatment. The
        reference: n = 113, and the ODI is stored 1–6; the mapping takes one off each of its items. The numbering of the
        PCS skips 8; its thirteen columns are taken in order. Neither file holds a date, so both carry a stand-in. The
        sum of eight PROMIS depression items is not the T score of the four-item form, and became a measure of its
        own."""


def about_diaries(folder: Path, clinic: Any) -> Iterator[str]:
    from outcomes.models import Score

    values = Score.objects.filter(clinic_id=clinic.pk)
    days = Counter(values.values_list("patient_id", "measure_id", "local_day"))
    several = sum(count > 1 for count in days.values())
    yield f"{several} days have more than one entry of the same kind. All are kept; a trend takes the median of a day."
    highest = max(row.value for row in values)
    yield f"The highest value on the own scales is {highest:g}, as in the files: nothing is squeezed."
    with (folder / "pain-diaries/participant8.csv").open(newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["startyear"] != "0"]
    agree = [
        sum(
            (datetime.fromisoformat(row["date"]) - timedelta(hours=hour)).date()
            == date(int(row["startyear"]), int(row["startmonth"]), int(row["startday"]))
            for row in rows
        )
        for hour in (0, 4, 8)
    ]
    yield f"""{len(rows)} entries of participant 8 name their day beside the stamp. With the day turning at midnight
        {agree[0]} of the stamps agree with it, at 04:00 {agree[1]}, at 08:00 {agree[2]}; so the mapping says 08:00."""


def about_momentary(folder: Path, clinic: Any) -> Iterator[str]:
    from django.core.management import call_command

    from outcomes.models import Score

    code = f"import.{clinic.pk}.scl-90-r-depression"
    weekly = Score.objects.filter(measure__code=code).order_by("local_day").values_list("local_day", "value")
    with tempfile.NamedTemporaryFile("w", suffix=".csv") as file:
        file.write("date,value\n" + "".join(f"{day},{value}\n" for day, value in weekly))
        file.flush()
        out = StringIO()
        call_command("trend", "phq-9.total", file.name, stdout=out)
    found = json.loads(out.getvalue())
    slope, low, high = (found[name] for name in ("slope_per_week", "slope_low", "slope_high"))
    yield f"""The weekly depression score stands on each line of its day and counts once: {found["n"]} values; the
        reference says 28. `manage.py trend` over all of them: {slope:.4f} a week ({low:.4f} to {high:.4f}); the
        reference says 0.0341 a week on elapsed days, where counting observations would give 0.0385. The reference has
        one clear change of level; ours: {", ".join(found["level_changes"]) or "none"}."""


SAID: dict[str, Callable[[Path, Any], Iterator[str]]] = {
    "nhanes": about_nhanes,
    "back-pain-redcap": about_redcap,
    "pain-diaries": about_diaries,
    "kossakowski": about_momentary,
}


def trends(clinic: Any) -> None:
    """Recompute what the imports marked, and print it: by person where there are few, else how many of each label."""
    from outcomes.loading import measure, measure_codes
    from outcomes.models import Trend
    from outcomes.recompute import recompute_due

    recompute_due(datetime.now(UTC))
    rows = list(Trend.objects.filter(clinic=clinic).select_related("patient"))
    print(f"\n### Trends\n\n{len(rows):,} series. ", end="")
    if len({row.patient_id for row in rows}) > 5:
        labels: dict[str, Counter[str]] = defaultdict(Counter)
        for row in rows:
            labels[measure_codes()[row.measure_id].removeprefix(f"import.{clinic.pk}.")][row.change_label] += 1
        print("Change from the first value to the last:\n\n| measure | people by label |\n|-|-|")
        for code, counts in sorted(labels.items()):
            print(f"| {code} | {', '.join(f'{label} {count:,}' for label, count in counts.most_common())} |")
        return
    print(
        "The window of a daily measure is its last 84 days, of a questionnaire its last 12 values.\n\n"
        "| person | measure | days in the window | last | level | slope a week | changes of level |\n|-|-|-|-|-|-|-|"
    )
    for row in sorted(rows, key=lambda row: (row.patient.identifier, row.measure_id)):
        cells = [
            row.patient.identifier,
            measure(measure_codes()[row.measure_id]).title,
            str(row.n),
            shown([row.last_value]),
            shown([row.level]),
            shown([row.slope_per_week, row.slope_low, row.slope_high]),
            ", ".join(day.isoformat() for day in row.level_changes) or "–",
        ]
        print(f"| {' | '.join(cells)} |")


def shown(numbers: Iterable[float | None]) -> str:
    """A number, with its interval if it has one; a word where there is not enough data."""
    known = [f"{round(number, 3) + 0.0:g}" for number in numbers if number is not None]
    return "not enough data" if not known else known[0] + (f" ({known[1]} to {known[2]})" if len(known) == 3 else "")


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else os.environ.get("STEADYBACK_REAL_DATA", "../shared/data")))
