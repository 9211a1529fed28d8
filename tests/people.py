"""People for tests: clinics, staff and patients, and the phone or browser they come with."""

import time
from datetime import UTC, date, datetime
from itertools import count
from typing import Any

from django.test import Client
from uuid_utils.compat import uuid7

from backend.people.models import (
    CareTeam,
    Clinic,
    ClinicText,
    Consent,
    Device,
    Membership,
    Patient,
    PatientRev,
    Role,
    User,
)
from backend.people.tokens import start_session

number = count(1)
LONG_AGO = datetime(2026, 1, 1, tzinfo=UTC)


def make_clinic(**fields: Any) -> Clinic:
    fields = {"name": f"Clinic {next(number)}", "time_zone": "Europe/Zurich", "languages": ["de", "en"]} | fields
    clinic = Clinic.objects.create(**fields)
    ClinicText.objects.create(clinic=clinic, kind="consent", language="de", version=1, body="Ich willige ein.")
    return clinic


def make_team(clinic: Clinic) -> CareTeam:
    return CareTeam.objects.create(clinic=clinic, name=f"Team {next(number)}")


def make_user(**fields: Any) -> User:
    return User.objects.create_user(f"user-{next(number)}@example.org", **fields)


def make_staff(clinic: Clinic, role: Role = Role.CLINICIAN, *teams: CareTeam) -> User:
    user = make_user()
    Membership.objects.create(clinic=clinic, user=user, role=role).teams.set(teams)
    return user


def make_patient(team: CareTeam, **fields: Any) -> Patient:
    """An enrolled patient with an account and a consent in force."""
    fields = {
        "identifier": f"P-{next(number)}",
        "user": make_user(),
        "status": Patient.Status.ACTIVE,
        "date_of_birth": date(1980, 5, 17),
        "language": "de",
        "time_zone": "Europe/Zurich",
        "enrolled_at": LONG_AGO,
    } | fields
    patient = Patient.objects.create(clinic=team.clinic, care_team=team, **fields)
    PatientRev.objects.create(patient=patient)
    text = ClinicText.objects.get(clinic=team.clinic, kind="consent", language="de", version=1)
    Consent.objects.create(clinic=team.clinic, patient=patient, text=text, given_at=LONG_AGO)
    return patient


def make_device(patient: Patient) -> tuple[Device, str]:
    """A signed-in phone and its access token."""
    assert patient.user is not None
    key, (access, _) = start_session(patient.user)
    device = Device.objects.create(id=uuid7(), clinic=patient.clinic, patient=patient, session_key=key)
    return device, access


def phone(patient: Patient) -> Client:
    """A client that asks as the patient's phone does."""
    return Client(headers={"authorization": f"Bearer {make_device(patient)[1]}"})


def browser(user: User, *, second_factor: bool = True) -> Client:
    """A client that asks as the browser of somebody who has signed in with password and authenticator app."""
    client = Client()
    client.force_login(user)
    if second_factor:
        session = client.session
        session["account_authentication_methods_user"] = str(user.pk)
        session["account_authentication_methods"] = [{"method": "mfa", "type": "totp", "at": time.time()}]
        session.save()
    return client
