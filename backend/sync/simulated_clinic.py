"""Writes the made-up clinic into the database, by the doors that real patients come through.

Everything bears origin `simulated` and a name that says so: nobody takes it for a patient, and what would go to their
phones goes to the console.
"""

from __future__ import annotations

import time as clock
from datetime import UTC, date, datetime, time, timedelta

import msgspec
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal import auth as totp
from allauth.mfa.utils import decrypt
from django.db import transaction

from backend.people import enrolment
from backend.people.models import (
    CareTeam,
    Clinic,
    ClinicText,
    Consent,
    Invitation,
    Membership,
    OnCall,
    OpeningHours,
    Origin,
    Patient,
    Role,
    User,
    ZoneHistory,
)
from backend.people.writes import Door
from backend.reminders.models import Schedule
from backend.reminders.scheduling import set_schedule
from backend.reminders.slots import Days, Rule, Weeks, Window
from backend.sync.push import push
from backend.sync.simulated_background import make_background
from backend.sync.simulated_programmes import begin, look
from backend.sync.simulation import Item, Person, Phone, people
from exercises import plan as prescribed
from exercises.library import library
from exercises.plan import Plan
from exercises.prescribing import prescribe

NAME = "Simulated clinic"
ZONE = "Europe/Zurich"
STAFF = {"clinician": Role.CLINICIAN, "admin": Role.ADMIN}
TRIAL_PROGRAMME = ("pelvic-tilt", "heel-slide", "baseline-walk")
# Asked from the day that the clinic is made; what lies before comes from the made-up phones.
SCHEDULES = (
    ("daily-diary", Rule(windows=(Window(time(18), time(23, 30)),), pattern=Days())),
    ("phq-9", Rule(windows=(Window(time(9), time(9), days=3),), pattern=Weeks(every=2), grace_hours=168)),
)
# Open all day, so that whoever tries this out is asked, and reminded, at once.
TRIAL = (("daily-diary", Rule(windows=(Window(time(0), time(23, 59)),), pattern=Days())),)
BORN = date(1980, 5, 17)  # what a trial patient's phone must say to enrol
PUSH = 500  # items, the most that a phone sends at once


def email(name: str) -> str:
    """An address that can't be anybody's."""
    return f"{name}@steadyback.example"


def find() -> Clinic | None:
    return Clinic.objects.filter(name=NAME, simulated=True).first()


@transaction.atomic
def make(now: datetime, count: int, seed: int, password: str) -> Clinic:
    """Make the clinic with so many patients and all that they logged up to `now`; all of it or nothing."""
    clinic = Clinic.objects.create(
        name=NAME, time_zone=ZONE, languages=["en"], simulated=True, fallback_email="reception@steadyback.example"
    )
    for kind in ClinicText.Kind:
        body = f"Simulated text ({kind.value}). Here a real clinic says in its own words what its patients should read."
        ClinicText.objects.create(clinic=clinic, kind=kind, language="en", version=1, body=body)
    team = CareTeam.objects.create(clinic=clinic, name="Simulated care team")
    staff = [_staff(clinic, name, role, password) for name, role in STAFF.items()]
    team.members.set(staff)
    OnCall.objects.create(clinic=clinic, membership=staff[0], position=1, hours="simulated: at all hours")
    for weekday in range(5):
        OpeningHours.objects.create(clinic=clinic, weekday=weekday, opens=time(8), closes=time(18))
    _user("operator", password, is_staff=True, is_superuser=True)
    made = _patients(team, people(count, now.date(), seed), now)
    for person, patient in made:
        _live(patient, Phone(person, now, seed), staff[0].user)
        if person.days not in person.silent:  # whoever gave up is asked no more
            for code, rule in SCHEDULES:
                set_schedule(patient, Schedule.Asks.INSTRUMENT, code, rule, now)
    make_background(made, staff[0].user, now)
    return clinic


def _staff(clinic: Clinic, name: str, role: Role, password: str) -> Membership:
    return Membership.objects.create(clinic=clinic, user=_user(name, password), role=role)


def _user(name: str, password: str, *, is_staff: bool = False, is_superuser: bool = False) -> User:
    user = User.objects.create_user(
        email(name), password, name=f"Simulated {name}", is_staff=is_staff, is_superuser=is_superuser
    )
    totp.TOTP.activate(user, totp.generate_totp_secret())
    return user


def _patients(team: CareTeam, found: list[Person], now: datetime) -> list[tuple[Person, Patient]]:
    consent = ClinicText.objects.get(clinic=team.clinic, kind=ClinicText.Kind.CONSENT)
    patients = Patient.objects.bulk_create(
        Patient(
            clinic=team.clinic,
            care_team=team,
            identifier=f"SIM-{person.number:03}",
            name=f"Simulated patient {person.number:03}",
            time_zone=person.zone_on(person.days),
            status=Patient.Status.ACTIVE,
            origin=Origin.SIMULATED,
            programme_started_on=person.programme_day,
            enrolled_at=_midnight(person, 0),
        )
        for person in found
    )
    made = list(zip(found, patients, strict=True))
    Consent.objects.bulk_create(
        Consent(clinic=team.clinic, patient=patient, text=consent, given_at=_midnight(person, 0))
        for person, patient in made
    )
    ZoneHistory.objects.bulk_create(
        ZoneHistory(clinic=team.clinic, patient=patient, since=_midnight(person, day), time_zone=zone)
        for person, patient in made
        for day, zone in _zones(person)
    )
    return made


def _zones(person: Person) -> list[tuple[int, str]]:
    """From which day on the person was in which zone."""
    away = [(person.journey[0], person.journey[2]), (person.journey[1], person.zone)] if person.journey else []
    return [(0, person.zone), *away]


def _midnight(person: Person, day: int) -> datetime:
    return datetime.combine(person.first_day + timedelta(days=day), time(), UTC)


def _live(patient: Patient, phone: Phone, clinician: User) -> None:
    """All that a person logged, day by day; now and then the rules look at it, and the next days follow them."""
    person, now = phone.person, phone.now
    programme = begin(patient, person, clinician, now)
    plan = msgspec.convert(programme.plan, Plan)
    logged: list[Item] = []
    for day in range(person.days):
        logged += phone.on(day, programme.pk, plan)
        last = day == person.days - 1
        if last or day in person.looks:
            _push(patient, [msgspec.json.encode(item) for item in logged], now)
            logged = []
            at = now if last else min(now, _midnight(person, day + 1) + timedelta(hours=10))
            programme = look(patient, at, now, clinician)
            plan = msgspec.convert(programme.plan, Plan)


def _push(patient: Patient, items: list[bytes], now: datetime) -> None:
    door = Door(origin=Origin.SIMULATED, received_at=now)
    for start in range(0, len(items), PUSH):
        raw = [msgspec.Raw(item) for item in items[start : start + PUSH]]
        for verdict in push(raw, patient.pk, patient.clinic_id, door, advance=False):
            if verdict.status != "stored":
                raise AssertionError(f"a made-up phone sent what intake calls {verdict.status}: {verdict.errors}")


def invite(clinic: Clinic, now: datetime) -> tuple[Patient, str]:
    """One more patient, for the phone of whoever tries this out, and the code by which it enrols.

    What that phone sends is not made up by us, so it doesn't count as simulated: reminders and alerts come as they do.
    """
    number = clinic.patient_set.filter(identifier__startswith="PHONE-").count() + 1
    clinician = User.objects.get(email=email("clinician"))
    patient = Patient.objects.create(
        clinic=clinic,
        care_team=clinic.careteam_set.get(),
        identifier=f"PHONE-{number:03}",
        name=f"Trial patient {number}",
        date_of_birth=BORN,
        time_zone=ZONE,
    )
    items = tuple(prescribed.Item(exercise=slug, dose=library().exercises[slug].dose) for slug in TRIAL_PROGRAMME)
    plan = Plan(title="Simulated programme: control", items=items, weekdays=(1, 2, 3, 4, 5, 6, 7))
    prescribe(patient, plan, by=clinician, now=now)
    for code, rule in TRIAL:
        set_schedule(patient, Schedule.Asks.INSTRUMENT, code, rule, now)
    code, _ = enrolment.invite(patient, Invitation.Purpose.ENROL, clinician.pk, now)
    return patient, code


def staff() -> list[User]:
    """The made-up people who sign in with a password; real ones, in whatever database, are never among them."""
    return list(User.objects.filter(email__in=[email(name) for name in (*STAFF, "operator")]).order_by("email"))


def set_password(password: str) -> None:
    """See that the made-up staff sign in with this one."""
    for user in staff():
        if not user.check_password(password):
            user.set_password(password)
            user.save()


def codes() -> dict[str, str]:
    """What the authenticator app of each of the made-up staff shows now, by e-mail."""
    counter = int(clock.time()) // totp.app_settings.TOTP_PERIOD
    found = Authenticator.objects.filter(user__in=staff(), type=Authenticator.Type.TOTP).select_related("user")
    return {
        one.user.email: totp.format_hotp_value(totp.hotp_value(decrypt(one.data["secret"]), counter)) for one in found
    }
