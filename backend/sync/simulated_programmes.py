"""Home programmes of made-up patients: each modality in turn, and what rules and clinician made of them over time."""

from __future__ import annotations

from datetime import datetime, timedelta

import msgspec

from backend.people.models import Origin, Patient, User
from backend.sync.simulation import Person
from exercises.advancing import advance, decide
from exercises.models import Clearance, Prescription, Proposal
from exercises.plan import Exposure, Plan, Rung
from exercises.prescribing import pause, prescribe
from exercises.templates import Template, templates

# The flare week is for a week, not for half a year.
TURNS = tuple(slug for slug in sorted(templates()) if slug != "flare-week")
LADDER = Exposure(
    ladder=(
        Rung(task="Sit through a film", fear=25),
        Rung(task="Tie my shoes standing", fear=45),
        Rung(task="Carry two full shopping bags", fear=60),
        Rung(task="Lift a box from the floor", fear=80),
    )
)
SAYS_NO = 4  # to each so manieth


def template_of(person: Person) -> Template:
    return templates()[TURNS[person.number % len(TURNS)]]


def plan_of(person: Person) -> Plan:
    """The template's plan, on the person's own days."""
    template = template_of(person)
    items = [
        msgspec.structs.replace(item, dose=msgspec.structs.replace(item.dose, sessions_per_week=len(person.weekdays)))
        for item in template.plan.items
    ]
    return msgspec.structs.replace(
        template.plan,
        title=f"Simulated: {template.title}",
        items=tuple(items),
        weekdays=person.weekdays,
        exposure=LADDER if template.slug == "graded-exposure" else None,
    )


def begin(patient: Patient, person: Person, by: User, now: datetime) -> Prescription:
    """Prescribe, with the clearance that hard exercise asks for, and with the pauses that are to come."""
    template = template_of(person)
    if template.modality == "hiit":
        Clearance.objects.create(
            clinic_id=patient.clinic_id,
            patient=patient,
            screen="Simulated screen",
            cleared_by="Simulated clinician",
            cleared_on=person.programme_day,
            valid_until=person.programme_day + timedelta(days=365),
        )
    programme = prescribe(
        patient,
        plan_of(person),
        by=by,
        now=now,
        starts_on=person.programme_day,
        template=template.slug,
        origin=Origin.SIMULATED,
    )
    for first, last, reason in person.rests:
        from_day, to_day = (person.first_day + timedelta(days=day) for day in (first, last - 1))
        pause(programme, by=by, now=now, reason=reason, from_day=from_day, to_day=to_day)
    return programme


def look(patient: Patient, at: datetime, now: datetime, clinician: User) -> Prescription:
    """Let the rules look at what was logged up to `at`; the clinician answers all but what waits now."""
    advance(patient.pk, at)
    waiting = Proposal.objects.filter(patient=patient, state=Proposal.State.WAITING).first()
    if waiting and at < now:
        yes = Proposal.objects.exclude(decided_at=None).count() % SAYS_NO != SAYS_NO - 1
        decide(waiting, accepted=yes, by=clinician, now=at, reason="" if yes else "Simulated: not yet.")
    return Prescription.objects.filter(patient=patient).latest("version")
