"""The people and things of the access tables."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

from django.test import Client

from backend.people.models import CareTeam, Clinic, Device, Patient, Role
from tests.people import browser, make_clinic, make_device, make_patient, make_staff, make_team, make_user, phone

# none: not signed in; own: the patient whose things are asked about; other: another patient of their team;
# team: a clinician of their care team; else: a clinician of another team of the clinic; admin: an admin of the clinic;
# f-clin, f-admin: staff of another clinic; oper: an operator.
ROLES = ("none", "own", "other", "team", "else", "admin", "f-clin", "f-admin", "oper")


@dataclass
class World:
    clinic: Clinic
    team: CareTeam
    patient: Patient

    @cached_property
    def clients(self) -> dict[str, Client]:
        there = make_clinic()
        foreign_team = make_team(there)
        clients = {
            "none": Client(),
            "own": phone(self.patient),
            "other": phone(make_patient(self.team)),
            "team": browser(make_staff(self.clinic, Role.CLINICIAN, self.team)),
            "else": browser(make_staff(self.clinic, Role.CLINICIAN, make_team(self.clinic))),
            "admin": browser(make_staff(self.clinic, Role.ADMIN)),
            "f-clin": browser(make_staff(there, Role.CLINICIAN, foreign_team)),
            "f-admin": browser(make_staff(there, Role.ADMIN)),
            "oper": browser(make_user(is_staff=True, is_superuser=True)),
        }
        for host, client in enumerate(clients.values(), 1):
            client.defaults["REMOTE_ADDR"] = f"192.0.2.{host}"  # each is throttled alone
            client.handler = clients["none"].handler  # each handler loads the middleware anew, which takes its time
        return clients

    @cached_property
    def device(self) -> Device:
        return make_device(self.patient)[0]


def make_world() -> World:
    clinic = make_clinic()
    team = make_team(clinic)
    return World(clinic, team, make_patient(team))


# What stands in the brackets of a route.
OBJECTS: dict[str, Callable[[World], object]] = {
    "patient": lambda world: world.patient.pk,
    "clinic": lambda world: world.clinic.pk,
    "team": lambda world: world.team.pk,
    "device": lambda world: world.device.pk,
}

# What is sent, where an empty object says nothing about access.
BODIES: dict[str, Callable[[World], object]] = {}
