"""A large made-up population, for measuring: 100,000 patients, 10,000 of them in one clinic, ten million scores.

    python -m bench.population [FOLDER] [--patients 100000]     keep a database in FOLDER and print how to reach it

Written by SQL, for speed; trends and summaries are worked out by the worker's own code from what was written. `fill`
takes an empty, migrated database, and leaves one that it filled before as it is.
"""

from __future__ import annotations

import argparse
import os
import signal
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import django

from backend.local import services

if TYPE_CHECKING:
    from django.db.backends.utils import CursorWrapper

    from backend.people.models import Clinic

CLINIC = "Simulated large clinic"
SHARE = 10  # one in so many patients is in the large clinic
OTHER_CLINICS = 30
TEAMS = 5  # a clinic
DAILY = ("daily-diary.pain-average", "daily-diary.fear", "daily-diary.sleep")
DAYS = 32  # of daily entries a patient; with adherence and PHQ-9 some hundred scores each
YEARS_OF_ONE = 5
WHOLE_DIARY = (*DAILY, "daily-diary.pain-now", "daily-diary.pain-worst", "daily-diary.mood", "daily-diary.work")
BATCH = 5_000  # patients written at once


@dataclass(frozen=True)
class Population:
    """Where to look: the large clinic, its admin, and a patient of it with five years of daily entries."""

    clinic: int
    admin: int
    longest: int


@contextmanager
def database(folder: Path | None = None) -> Iterator[None]:
    """Django on a migrated database: the one that DATABASE_URL names, else one of its own, kept in `folder` if any."""
    with tempfile.TemporaryDirectory(prefix="steadyback-bench-") as passing:
        home = folder or Path(passing)
        home.mkdir(exist_ok=True)
        home.chmod(0o755)
        with services(home, durable=folder is not None) as environment:
            os.environ |= environment
            os.environ.setdefault("DJANGO_SETTINGS_MODULE", "backend.settings")
            os.environ.setdefault("SECRET_KEY", "only for a bench " + "x" * 50)
            os.environ["STATEMENT_TIMEOUT"] = "0"  # filling takes longer than a request may
            django.setup()
            from django.core.management import call_command

            call_command("migrate", verbosity=0)
            yield


def fill(patients: int = 100_000) -> Population:
    """Write the population, unless it is there."""
    from backend.people.models import Clinic

    if (clinic := Clinic.objects.filter(name=CLINIC).first()) is None:
        clinic = _write(patients)
    return _found(clinic.pk)


def _found(clinic: int) -> Population:
    from backend.people.models import Membership, Patient, Role

    admin = Membership.objects.get(clinic=clinic, role=Role.ADMIN)
    return Population(clinic, admin.user_id, Patient.objects.get(clinic=clinic, identifier="S000001").pk)


def _write(patients: int) -> Clinic:
    from django.db import connection

    from backend.people.models import CareTeam, Clinic, Membership, Role, User
    from outcomes.recompute import recompute_all

    now = datetime.now(UTC)
    names = [CLINIC, *(f"Simulated clinic {n}" for n in range(2, OTHER_CLINICS + 2))]
    clinics = Clinic.objects.bulk_create(
        Clinic(name=name, time_zone="Europe/Zurich", languages=["en"], simulated=True) for name in names
    )
    teams = CareTeam.objects.bulk_create(
        CareTeam(clinic=clinic, name=f"Simulated team {n}") for clinic in clinics for n in range(1, TEAMS + 1)
    )
    admin = User.objects.create_user("bench-admin@steadyback.example", name="Simulated admin")
    clinician = User.objects.create_user("bench-clinician@steadyback.example", name="Simulated clinician")
    Membership.objects.create(clinic=clinics[0], user=admin, role=Role.ADMIN)
    Membership.objects.create(clinic=clinics[0], user=clinician, role=Role.CLINICIAN).teams.add(teams[0])
    large = patients // SHARE
    with connection.cursor() as cursor:
        # Constraints and triggers are kept by how it is written, and looking after each row would double the time.
        cursor.execute("SET session_replication_role = replica; SET synchronous_commit = off; SELECT setseed(0.5)")
        _people(cursor, large, [team.pk for team in teams[:TEAMS]], "S")
        _people(cursor, patients - large, [team.pk for team in teams[TEAMS:]], "T")
        cursor.execute("SELECT array_agg(id ORDER BY id) FROM people_patient")
        [everybody] = cursor.fetchone()
        for start in range(0, patients, BATCH):
            some = everybody[start : start + BATCH]
            _scores(cursor, some, now.date())
            _say(f"scores of {start + len(some):,} patients")
        _longest(cursor, everybody[0], now.date())
        _alerts(cursor, everybody, now)
        _schedules(cursor, now.date())
        _programmes(cursor, clinics[0].pk, now)
        cursor.execute("RESET session_replication_role")
        cursor.execute("ANALYZE")
    _say(f"trends of {recompute_all(now):,} series")
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")
    _say("vacuumed")
    return clinics[0]


def _say(what: str) -> None:
    print(f"{time.perf_counter() - BEGAN:6.1f} s  {what}", flush=True)


BEGAN = time.perf_counter()


def _people(cursor: CursorWrapper, count: int, teams: list[int], letter: str) -> None:
    """Patients and their revisions; one in twenty is discharged."""
    cursor.execute(
        """
        INSERT INTO people_patient (clinic_id, care_team_id, identifier, name, date_of_birth, language, time_zone,
            status, origin, programme_started_on, enrolled_at)
        SELECT team.clinic_id, team.id, %(letter)s || lpad(n::text, 6, '0'), 'Simulated person ' || n,
            date '1950-01-01' + n * 37 %% 18000, 'en', 'Europe/Zurich',
            CASE WHEN n %% 20 = 7 THEN 'discharged' ELSE 'active' END, 'simulated', current_date - 14 - n %% 70,
            now() - interval '100 days'
        FROM generate_series(1, %(count)s) AS n
        JOIN unnest(%(teams)s::bigint[]) WITH ORDINALITY AS each (id, place) ON each.place = n %% %(many)s + 1
        JOIN people_careteam AS team ON team.id = each.id
        ORDER BY n
        """,
        {"letter": letter, "count": count, "teams": teams, "many": len(teams)},
    )
    cursor.execute(
        "INSERT INTO people_patient_rev (patient_id, rev) SELECT id, 1 FROM people_patient ON CONFLICT DO NOTHING"
    )


def _scores(cursor: CursorWrapper, patients: list[int], today: date) -> None:
    """Daily ratings, adherence on four days a week and PHQ-9 every other week; one in nine has been silent for long."""
    _enter(cursor, patients, DAILY, today, days=DAYS, every=1, low=0, high=10)
    _enter(cursor, patients, ("adherence.day",), today, days=7, every=2, low=0, high=100)
    _enter(cursor, patients, ("phq-9.total",), today, days=DAYS, every=14, low=0, high=27)


def _longest(cursor: CursorWrapper, patient: int, today: date) -> None:
    """Five years of daily entries of one patient, in all that the diary asks."""
    cursor.execute("DELETE FROM outcomes_score WHERE patient_id = %s", [patient])
    days = YEARS_OF_ONE * 365
    _enter(cursor, [patient], WHOLE_DIARY, today, days=days, every=1, low=0, high=10)
    _enter(cursor, [patient], ("adherence.day", "session.load"), today, days=days, every=2, low=0, high=100)
    _enter(cursor, [patient], ("phq-9.total", "tsk-11.total"), today, days=days, every=14, low=11, high=27)


def _enter(
    cursor: CursorWrapper,
    patients: list[int],
    codes: tuple[str, ...],
    today: date,
    *,
    days: int,
    every: int,
    low: int,
    high: int,
) -> None:
    """Values of these measures on every so manieth of the last `days` days, each person with a level and a drift."""
    from outcomes.loading import measure_ids

    # The patients were written a moment ago: that they are there needs no looking up for each of millions of rows.
    cursor.execute("SET session_replication_role = 'replica'")
    cursor.execute(
        """
        INSERT INTO outcomes_score (patient_id, measure_id, local_day, source, clinic_id, value, at, live)
        SELECT patient.id, measure_id, day, gen_random_uuid(), clinic_id,
            round(least(%(high)s, greatest(%(low)s, %(low)s + (%(high)s - %(low)s) * (
                0.3 + patient.id %% 5 * 0.1 + (patient.id %% 7 - 3) * 0.001 * (%(today)s - day) + 0.1 * random_normal()
            )))), day + time '19:00', true
        FROM (
            SELECT id, clinic_id, %(today)s - CASE WHEN id %% 9 = 4 THEN 12 ELSE (id %% 3)::int END AS last
            FROM people_patient WHERE id = ANY (%(patients)s)
        ) AS patient, unnest(%(measures)s::smallint[]) AS measure_id, LATERAL (
            SELECT last - n AS day FROM generate_series(0, %(days)s - 1, %(every)s) AS n
        ) AS on_day
        ORDER BY patient.id, measure_id, day
        """,
        {
            "patients": patients,
            "measures": [measure_ids()[code] for code in codes],
            "today": today,
            "days": days,
            "every": every,
            "low": low,
            "high": high,
        },
    )
    cursor.execute("SET session_replication_role = 'origin'")


def _alerts(cursor: CursorWrapper, patients: list[int], now: datetime) -> None:
    """One patient in twenty has an open alert, one in two hundred a critical one; more have had one that is closed."""
    cursor.execute(
        """
        INSERT INTO outcomes_alert (clinic_id, patient_id, rule, rule_version, severity, state, source, origin,
            authored_at, received_at, late, opened_at, due_at, told, position)
        SELECT clinic_id, id, kind.rule, '1', kind.severity, kind.state, gen_random_uuid(), 'simulated', at, at, false,
            at, at + interval '1 day', 0, 0
        FROM people_patient, LATERAL (SELECT %(now)s - (id %% 900) * interval '1 minute' AS at) AS clock,
            (VALUES ('PAIN-1', 2, 'open', 20, 3), ('SUI-1', 4, 'open', 200, 5), ('ADH-1', 1, 'acknowledged', 50, 7),
                ('PAIN-2', 3, 'resolved', 10, 1)) AS kind (rule, severity, state, every, place)
        WHERE id %% kind.every = kind.place
        ORDER BY id
        """,
        {"now": now},
    )
    cursor.execute(
        """
        INSERT INTO outcomes_alert_event (clinic_id, patient_id, alert_id, kind, at, note)
        SELECT clinic_id, patient_id, id, 'raised', opened_at, '' FROM outcomes_alert
        """
    )


def _schedules(cursor: CursorWrapper, today: date) -> None:
    """The evening diary of everybody, planned for a week."""
    import msgspec

    from backend.reminders.slots import Days, Rule, Window

    rule = Rule(
        windows=(Window(datetime.min.time().replace(hour=18), datetime.min.time().replace(hour=23)),), pattern=Days()
    )
    cursor.execute(
        """
        INSERT INTO reminders_schedule (id, clinic_id, patient_id, asks, code, rule, version, active, origin,
            planned_until)
        SELECT uuidv7(), clinic_id, id, 'instrument', 'daily-diary', %s, 1, true, 'simulated', %s
        FROM people_patient WHERE status = 'active' ORDER BY id
        """,
        [msgspec.json.encode(rule).decode(), today + timedelta(days=6)],
    )
    cursor.execute(
        """
        INSERT INTO reminders_slot (patient_id, schedule_id, local_date, n, rev, opens_at, closes_at, missed_at,
            clinic_id, nudge, state, reason)
        SELECT patient_id, id, day, 0, 1, day + time '18:00', day + time '23:00', day + interval '2 days', clinic_id, 0,
            'upcoming', ''
        FROM reminders_schedule, generate_series(%s::date, %s, '1 day') AS day
        ORDER BY patient_id, id, day
        """,
        [today + timedelta(days=1), today + timedelta(days=6)],
    )


def _programmes(cursor: CursorWrapper, clinic: int, now: datetime) -> None:
    """A home programme for each patient of the large clinic, from the templates in turn."""
    from backend.people.models import Origin, Patient
    from exercises.models import Prescription
    from exercises.prescribing import prescribe
    from exercises.templates import templates

    shipped = [templates()[slug] for slug in ("yoga", "pilates", "motor-control")]
    for one, template in zip(Patient.objects.filter(clinic=clinic).order_by("pk"), shipped, strict=False):
        prescribe(
            one,
            template.plan,
            by=None,
            now=now,
            starts_on=one.programme_started_on,
            template=template.slug,
            origin=Origin.SIMULATED,
        )
    own = {"id", "patient_id", "programme", "starts_on"}
    same = [
        str(field.column)
        for field in Prescription._meta.concrete_fields
        if field.column not in own and not field.generated
    ]
    columns, shipped_columns = ", ".join(same), ", ".join(f"shipped.{name}" for name in same)
    cursor.execute(
        f"""
        WITH shipped AS (SELECT *, row_number() OVER (ORDER BY id) - 1 AS place, count(*) OVER () AS many
            FROM exercises_prescription)
        INSERT INTO exercises_prescription (id, patient_id, programme, starts_on, {columns})
        SELECT uuidv7(), patient.id, gen_random_uuid(), patient.programme_started_on, {shipped_columns}
        FROM people_patient AS patient JOIN shipped ON shipped.place = patient.id %% shipped.many
        WHERE patient.clinic_id = %s AND NOT EXISTS (
            SELECT FROM exercises_prescription WHERE patient_id = patient.id)
        """,  # noqa: S608  names of columns
        [clinic],
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", nargs="?", type=Path, help="for the database, unless DATABASE_URL names one")
    parser.add_argument("--patients", type=int, default=100_000)
    options = parser.parse_args()
    with database(options.folder):
        print(fill(options.patients))
        if options.folder:
            print(f"DATABASE_URL={os.environ['DATABASE_URL']} REDIS_URL={os.environ['REDIS_URL']}", flush=True)
            signal.pause()


if __name__ == "__main__":
    main()
