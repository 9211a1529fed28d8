"""Loads a clinic's own file: what it brings from REDCap, a registry or a spreadsheet. See docs/importing.md."""

from __future__ import annotations

import time
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, OutputWrapper
from django.utils import timezone

from backend.people.models import CareTeam, Clinic
from outcomes import importing, mapping
from outcomes.management.clinics import clinic_named
from outcomes.reading import FileError, Rows
from outcomes.rejects import Rejects
from outcomes.translating import Translator

IMPORTED = "Imported"  # the care team of patients for whom nobody named one


class Command(BaseCommand):
    help = "Load responses and scores from a file, as a mapping says. Running it again changes nothing."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument("--mapping", type=Path, required=True, help="TOML: what stands where in the file")
        parser.add_argument("--clinic", required=True, help="name or number of the clinic")
        parser.add_argument("--patient", help="whose file it is, if its lines don't say")
        parser.add_argument(
            "--care-team",
            help="where new patients go; else where the mapping says, or the clinic's only team, or a new one",
        )
        parser.add_argument("--dry-run", action="store_true", help="the same report, and nothing is written")
        parser.add_argument("--rejects", type=Path, help="file for refused rows, with line, column and reason")

    def handle(self, *args: Any, **options: Any) -> None:
        file, rejects = options["file"], options["rejects"]
        if rejects and rejects.exists() and file.exists() and rejects.samefile(file):
            raise CommandError("--rejects: this is the file to import; give the rejects another name.")
        report = importing.Report()
        refused = Rejects(rejects)
        try:
            chosen = mapping.load(options["mapping"])
            target = _target(chosen, options)
            with Rows(file, chosen) as rows, refused.open_for(rows):
                progress = _Progress(self.stderr, rows)
                translate = Translator(chosen, rows.header, target.clinic.pk, options["patient"] or "")
                for taken in importing.import_rows(rows, translate, target):
                    report += taken.report
                    refused.add(taken.refused.values())
                    progress.show(report.rows)
                progress.end()
        except mapping.MappingError as error:
            raise CommandError(str(error), returncode=2) from error
        except FileError as error:
            self._tell(report, refused)
            raise CommandError(str(error), returncode=2) from error
        except KeyboardInterrupt:
            self._tell(report, refused)
            raise CommandError(f"Stopped after {report.rows:,} rows. Run it again to go on.", returncode=130) from None
        if options["dry_run"]:
            self.stdout.write("Nothing was written; this is what would be.")
        self._tell(report, refused)
        if report.refused:
            raise CommandError(f"Refused: {report.refused:,} of {report.rows:,} rows. {refused.where}", returncode=1)

    def _tell(self, report: importing.Report, refused: Rejects) -> None:
        lines = [("rows", report.rows), ("patients created", report.patients)]
        lines += [(f"{name} {status}", count) for (name, status), count in sorted(report.stored.items())]
        lines += [
            ("already there", report.duplicates),
            ("places with nothing in them", report.blank),
        ]
        lines += [
            (f"{name} items unanswered: {reason}", count) for (name, reason), count in sorted(report.unanswered.items())
        ]
        lines.append(("rows refused", report.refused))
        lines += [(f"  {column}: {why}".replace("  : ", "  "), n) for (column, why), n in report.reasons.most_common()]
        width = max(len(label) for label, _ in lines)
        for label, count in lines:
            self.stdout.write(f"{label:<{width}}  {count:>9,}")
        for line in refused.first:
            self.stdout.write(line)


def _target(chosen: mapping.MappingFile, options: dict[str, Any]) -> importing.Target:
    """Clinic and care team by name or number. Raises CommandError."""
    if bool(options["patient"]) == bool(chosen.patient.column):
        raise CommandError("--patient: either the mapping names the patients' column, or you name the one patient.")
    clinic, dry_run = clinic_named(options["clinic"]), options["dry_run"]
    team = None
    if chosen.patient.create:
        team = _care_team(clinic, options["care_team"] or chosen.patient.care_team, dry_run=dry_run)
    return importing.Target(
        clinic=clinic,
        care_team=team,
        received_at=timezone.now(),
        measures=importing.own_measures(chosen, clinic, dry_run=dry_run),
        dry_run=dry_run,
    )


def _care_team(clinic: Clinic, named: str | None, *, dry_run: bool) -> CareTeam:
    """The team that was named; else the clinic's only one, or one whose name says where its patients come from."""
    teams = list(CareTeam.objects.filter(clinic=clinic))
    for team in teams:
        if team.name == (named or IMPORTED) or (not named and len(teams) == 1):
            return team
    if named:
        raise CommandError(f"--care-team: {clinic.name} has no care team {named!r}.")
    team = CareTeam(clinic=clinic, name=IMPORTED)
    if not dry_run:
        team.save()
    return team


class _Progress:
    """A bar on a terminal; nothing anywhere else."""

    def __init__(self, out: OutputWrapper, rows: Rows) -> None:
        self._out = out
        self._rows = rows
        self._started = time.monotonic()

    def show(self, count: int) -> None:
        if self._out.isatty():
            done = self._rows.done()
            speed = count / max(time.monotonic() - self._started, 0.001)
            bar = "█" * round(done * 30)
            self._out.write(f"\r{bar:░<30} {done:4.0%}  {count:,} rows, {speed:,.0f} a second ", ending="")
            self._out.flush()

    def end(self) -> None:
        if self._out.isatty():
            self._out.write("")
