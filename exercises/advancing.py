"""What the rules of progression propose for a patient, what of it applies at once, and the clinician's yes or no."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from hashlib import blake2b

import msgspec
from django.db import transaction
from uuid_utils.compat import uuid7

from backend.people.models import User
from backend.people.writes import next_revisions
from exercises import progression, words
from exercises.entry import Exercise
from exercises.models import Pause, Prescription, Proposal, Session
from exercises.past import Past, Version, read_past
from exercises.plan import Item, Plan
from exercises.prescribing import BlockedError, RefusedError, change, entries_of, find_exercises, pause, today_of
from exercises.steps import LADDER, Step


def advance(patient_id: int, now: datetime) -> list[Proposal]:
    """Let the rules look at each programme of a patient that is in force; gives what they newly propose.

    One that begins tomorrow, perhaps because today's session was answered already, can only be stopped. What the
    signed limits allow is applied at once. Runs in the caller's transaction; proposes nothing twice. One statement
    where nothing is proposed.
    """
    past = read_past(patient_id, now)
    made = []
    for version in past.current():
        declined, begun = past.declined(version), past.has_begun(version)
        proposals = (each for each in progression.proposals(past.situation(version)) if begun or each.action == "stop")
        proposal = next((each for each in proposals if _digest(each, version) not in declined), None)
        if proposal and (row := _keep(proposal, version, past, now)):
            made.append(row)
    return made


def _digest(proposal: progression.Proposal, about: Version) -> bytes:
    content = (proposal.rule, proposal.version, proposal.action, proposal.inputs, proposal.steps, about.version)
    return blake2b(msgspec.json.encode(content), digest_size=16).digest()


def _keep(proposal: progression.Proposal, version: Version, past: Past, now: datetime) -> Proposal | None:
    """Store a proposal and do at once what may be done at once. None if it was proposed before."""
    digest = _digest(proposal, version)
    if any(each.digest == digest for each in past.proposals if each.programme == version.programme):
        return None
    about = Prescription.objects.select_related("patient").get(pk=version.id)
    patient = about.patient
    exercises = entries_of(about) | _others(about, proposal.steps)
    latest = [each for each in past.sessions if each.programme == about.programme and not each.skipped]
    with transaction.atomic():
        rev = next_revisions([patient.pk])[patient.pk]
        Proposal.objects.filter(patient=patient, programme=about.programme, state=Proposal.State.WAITING).update(
            state=Proposal.State.OVERTAKEN, rev=rev
        )
        row = Proposal(
            id=uuid7(),
            clinic_id=patient.clinic_id,
            patient=patient,
            programme=about.programme,
            prescription=about,
            rev=rev,
            rule=proposal.rule,
            rule_version=proposal.version,
            action=proposal.action,
            state=Proposal.State.APPLIED if proposal.applies else Proposal.State.WAITING,
            inputs=msgspec.to_builtins(proposal.inputs),
            steps=msgspec.to_builtins(proposal.steps),
            session=latest[-1].id if latest else None,
            digest=digest,
            words=words.for_patient(proposal, exercises, patient.language),
            words_for_clinician=words.for_clinician(proposal, exercises, patient.language),
            made_at=now,
        )
        if proposal.applies and not _applied(row, proposal.steps, about, now):
            row.state = Proposal.State.WAITING
        row.save(force_insert=True)
    return row


def _applied(row: Proposal, steps: Sequence[Step], about: Prescription, now: datetime) -> bool:
    """Whether what a proposal says could be done at once; a phone's push never fails for it."""
    try:
        return _apply(row, steps, about, now, by=None)
    except RefusedError:
        return False


def _apply(row: Proposal, steps: Sequence[Step], about: Prescription, now: datetime, *, by: User | None) -> bool:
    """Do what a proposal says; False where the safety gate stands in the way of a step up."""
    if row.action == "stop":
        pause(about, by=by, now=now, reason=Pause.Reason.SAFETY)
    elif steps:
        today = today_of(about.patient, now)
        trained = Session.objects.filter(
            patient=about.patient_id, programme=about.programme, local_day=today, live=True, skipped=""
        )
        plan = stepped(msgspec.convert(about.plan, Plan), steps, row.action, _others(about, steps))
        try:
            change(
                about,
                plan,
                by=by,
                now=now,
                reason=row.rule,
                rule=row.rule,
                from_day=today + timedelta(days=1) if trained.exists() else today,
                gated=row.action == "step-up",
            )
        except BlockedError:
            return False
    return True


def _others(about: Prescription, steps: Sequence[Step]) -> dict[str, Exercise]:
    """The exercises that steps lead to."""
    others = {step.to for step in steps if step.to and step.variable != LADDER}
    return find_exercises(others, about.clinic_id) if others else {}


def stepped(plan: Plan, steps: Sequence[Step], action: str, others: Mapping[str, Exercise]) -> Plan:
    """The plan with each step taken: another dose, another exercise, or the same one in its easier or harder form."""
    if up := next((step for step in steps if step.variable == LADDER), None):
        return _climbed(plan, up)
    by_slug = {step.exercise: step for step in steps}
    items: list[Item] = []
    for item in plan.items:
        step = by_slug.get(item.exercise)
        if step is None:
            items.append(item)
        elif step.dose is not None:
            items.append(msgspec.structs.replace(item, dose=step.dose))
        elif step.to is not None and step.to in others:
            dose = msgspec.structs.replace(others[step.to].dose, sessions_per_week=item.dose.sessions_per_week)
            items.append(Item(exercise=step.to, dose=dose, note=item.note))
        else:
            items.append(msgspec.structs.replace(item, form="harder" if action == "step-up" else "easier"))
    once = {item.exercise: item for item in reversed(items)}
    return msgspec.structs.replace(plan, items=tuple(item for item in items if once[item.exercise] is item))


def _climbed(plan: Plan, step: Step) -> Plan:
    """The plan at the rung that the step leads to; the task is looked up, because the ladder may have been mended."""
    if plan.exposure is None:
        return plan
    at = next((place for place, rung in enumerate(plan.exposure.ladder) if rung.task == step.to), plan.exposure.at)
    return msgspec.structs.replace(plan, exposure=msgspec.structs.replace(plan.exposure, at=at))


def proposed_plan(proposal: Proposal) -> Plan:
    """The plan as it would be with the proposal's steps taken."""
    about = proposal.prescription
    steps = msgspec.convert(proposal.steps, list[Step])
    return stepped(msgspec.convert(about.plan, Plan), steps, proposal.action, _others(about, steps))


def decide(proposal: Proposal, *, accepted: bool, by: User, now: datetime, reason: str = "") -> None:
    """The clinician's yes or no to a proposal that waits. Raises RefusedError."""
    with transaction.atomic():
        rev = next_revisions([proposal.patient_id])[proposal.patient_id]
        row = Proposal.objects.select_for_update().select_related("prescription__patient").get(pk=proposal.pk)
        if row.state != Proposal.State.WAITING:
            raise RefusedError("state", "not_waiting", "This proposal waits no more.")
        if accepted:
            steps = msgspec.convert(row.steps, list[Step])
            if not _apply(row, steps, row.prescription, now, by=by):
                raise RefusedError(
                    "steps", "blocked", "The safety gate stands in the way: change the programme itself."
                )
        row.state = Proposal.State.ACCEPTED if accepted else Proposal.State.DECLINED
        row.rev, row.decided_by, row.decided_at, row.reason = rev, by, now, reason
        row.save()
