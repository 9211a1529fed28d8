"""The people and things of the access tables."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

from django.test import Client
from django.utils import timezone
from uuid_utils.compat import uuid7

from backend.people.models import CareTeam, Clinic, Device, Patient, Transfer
from backend.people.transferring import accept, agree_on_paper, propose
from tests.backend.dashboard import builders
from tests.backend.reminders.given import a_browser, a_schedule, an_absence
from tests.exercises.programmes import a_condition, a_course, a_picture, a_programme, a_proposal, an_own_exercise
from tests.factories import a_clinician, a_patient, a_team, a_user, an_admin
from tests.outcomes.packs import a_pack
from tests.signin import a_consent, a_device, browser, phone

# none: not signed in; own: the patient whose things are asked about; other: another patient of their team;
# team: a clinician of their care team; else: a clinician of another team of the clinic; admin: an admin of the clinic;
# f-clin, f-admin: staff of another clinic; oper: an operator.
ROLES = ("none", "own", "other", "team", "else", "admin", "f-clin", "f-admin", "oper")


@dataclass
class World:
    team: CareTeam
    patient: Patient

    @cached_property
    def clients(self) -> dict[str, Client]:
        here, elsewhere = self.team.clinic, a_team()
        clients = {
            "none": Client(),
            "own": phone(self.patient),
            "other": phone(consenting(a_patient(self.team))),
            "team": browser(a_clinician(self.team)),
            "else": browser(a_clinician(a_team(here))),
            "admin": browser(an_admin(here)),
            "f-clin": browser(a_clinician(elsewhere)),
            "f-admin": browser(an_admin(elsewhere.clinic)),
            "oper": browser(a_user(is_staff=True, is_superuser=True)),
        }
        for host, client in enumerate(clients.values(), 1):
            client.defaults["REMOTE_ADDR"] = f"192.0.2.{host}"  # each is throttled alone
            client.handler = clients["none"].handler  # each handler loads the middleware anew, which takes its time
        return clients

    @cached_property
    def device(self) -> Device:
        return a_device(self.patient)[0]


def consenting(patient: Patient) -> Patient:
    a_consent(patient)
    return patient


def make_world() -> World:
    team = a_team()
    return World(team, consenting(a_patient(team)))


def an_arrival(clinic: Clinic) -> Transfer:
    """Somebody of another clinic who has agreed to come here."""
    transfer = propose(a_patient(), clinic, a_user().pk, timezone.now())
    agree_on_paper(transfer, a_user().pk, timezone.now())
    return transfer


def one_who_left(team: CareTeam) -> Patient:
    """Somebody who was in this team and is another clinic's by now."""
    there = a_team()
    transfer = propose(a_patient(team), there.clinic, a_user().pk, timezone.now())
    agree_on_paper(transfer, a_user().pk, timezone.now())
    return accept(transfer, there, "moved", a_user().pk, timezone.now())


# What stands in the brackets of a route.
def a_measure_with_a_trend(patient: Patient) -> str:
    known = patient.trend_set.select_related("measure").first()
    return (known or builders.trend(patient, "phq-9.total")).measure.code


OBJECTS: dict[str, Callable[[World], object]] = {
    "patient_id": lambda world: world.patient.pk,
    "clinic_id": lambda world: world.team.clinic_id,
    "team_id": lambda world: world.team.pk,
    "former_id": lambda world: one_who_left(world.team).pk,
    "transfer_id": lambda world: an_arrival(world.team.clinic).pk,
    "member_id": lambda world: a_clinician(world.team).membership_set.get().pk,
    "device_id": lambda world: world.device.pk,
    "alert_id": lambda world: builders.alert(world.patient).pk,
    "item_id": lambda world: builders.refused(world.patient).id,
    "view_id": lambda world: builders.saved_view(builders.colleague(world.team.clinic), world.team.clinic).pk,
    "code": lambda world: "phq-9",
    "file": lambda world: "scores.csv",
    "pack_id": lambda world: a_pack(world.team.clinic, "phq-9", "de").pk,
    "rule_code": lambda world: "PAIN-1",
    "kind": lambda world: "crisis",
    "language": lambda world: "en",
    "slug": lambda world: "cat-cow",
    "condition_id": lambda world: a_condition(world.patient).pk,
    "proposal_id": lambda world: a_proposal(world.patient).pk,
    "treatment_id": lambda world: a_course(world.patient).pk,
    "measure_code": lambda world: a_measure_with_a_trend(world.patient),
    "treatment_kind": lambda world: "surgery",
    "template": lambda world: "yoga",
    "own": lambda world: an_own_exercise(world.team.clinic).slug,
    "media_id": lambda world: a_picture(world.team.clinic).pk,
    "media": lambda world: a_picture(world.team.clinic).file,
    "prescription_id": lambda world: a_programme(world.patient).pk,
    "schedule_id": lambda world: a_schedule(world.patient).pk,
    "browser_id": lambda world: a_browser(a_user(), f"https://push.generated.example/{uuid7()}").pk,
    "absence_id": lambda world: an_absence(world.patient).id,
}

# What is sent, where an empty object says nothing about access.
BODIES: dict[str, Callable[[World], object]] = {}


def fill(address: str, world: World) -> str:
    """The route with `own`'s things in its brackets; what a wildcard line covers gets something that looks right."""

    def thing(match: re.Match[str]) -> str:
        return str(OBJECTS[match[1]](world)) if match[1] in OBJECTS else "1"

    address = re.sub(r"\(\?P<\w+>.*?\)(?=[-/$]|$)", "1", address).rstrip("$")
    return re.sub(r"<(?:\w+:)?(\w+)>", thing, address)
