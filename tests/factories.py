"""Small generated people for tests; each call makes new ones."""

from __future__ import annotations

from functools import cache
from itertools import count

from django.contrib.auth.hashers import make_password

from backend.people.models import CareTeam, Clinic, Membership, Patient, Role, User

_numbers = count(1)


def a_clinic(**fields: object) -> Clinic:
    return Clinic.objects.create(
        **{"name": f"Test clinic {next(_numbers)}", "time_zone": "Europe/Zurich", "languages": ["en"]} | fields
    )


def a_team(clinic: Clinic | None = None) -> CareTeam:
    return CareTeam.objects.create(clinic=clinic or a_clinic(), name=f"Team {next(_numbers)}")


@cache
def _password_hash() -> str:
    """One for all: a good hash takes long to make, by intent."""
    return make_password("a long enough test password")


def a_user(**fields: object) -> User:
    user = User(email=f"user{next(_numbers)}@example.org", password=_password_hash(), **fields)
    user.save()
    return user


def a_clinician(team: CareTeam) -> User:
    membership = Membership.objects.create(clinic=team.clinic, user=a_user(), role=Role.CLINICIAN)
    team.members.add(membership)
    return membership.user


def an_admin(clinic: Clinic) -> User:
    return Membership.objects.create(clinic=clinic, user=a_user(), role=Role.ADMIN).user


def a_patient(team: CareTeam | None = None, **fields: object) -> Patient:
    team = team or a_team()
    return Patient.objects.create(
        **{
            "clinic": team.clinic,
            "care_team": team,
            "user": a_user(),
            "identifier": f"T{next(_numbers):05}",
            "time_zone": "Europe/Zurich",
            "status": Patient.Status.ACTIVE,
        }
        | fields
    )
