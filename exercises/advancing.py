"""Progression against the database: what the rules see of a patient, what they propose, and what applies at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from hashlib import blake2b
from itertools import pairwise
from uuid import UUID

import msgspec
from django.db import connection, transaction
from django.db.models import Q
from uuid_utils.compat import uuid7

from backend.people.models import Patient, User
from backend.people.writes import next_revisions
from exercises import progression, words
from exercises.dose import Dose
from exercises.entry import Exercise
from exercises.gate import STOPPING, TALKED_ABOUT
from exercises.items import DoneItem, ExposureItem
from exercises.models import Pause, Prescription, Proposal, Session, SessionFollowup
from exercises.plan import Item, Plan
from exercises.prescribing import BlockedError, RefusedError, change, find_exercises, pause, today_of
from exercises.progression import LADDER, Done, Faced, Log, Sign, Situation
from outcomes.models import Alert, Score

LOOKS_BACK = timedelta(days=35)  # this week and the four before it


def advance(patient_id: int, now: datetime) -> list[Proposal]:
    """Let the rules look at each programme of a patient that is in force; gives what they newly propose.

    What the signed limits allow is applied at once. Runs in the caller's transaction; proposes nothing twice.
    """
    if not _is_running(patient_id, now):
        return []
    running = list(
        Prescription.objects.filter(patient=patient_id, starts_on__lte=now.date() + timedelta(days=1))
        .filter(Q(ends_on=None) | Q(ends_on__gte=now.date() - timedelta(days=1)))
        .select_related("patient")
        .order_by("programme", "version")
    )
    newest = {row.programme: row for row in running}
    patient = running[0].patient
    today = today_of(patient, now)
    past = _Past(patient, today)
    made = []
    for prescription in newest.values():
        if prescription.starts_on > today or (prescription.ends_on and prescription.ends_on < today):
            continue
        declined = past.declined(prescription)
        proposals = progression.proposals(past.situation(prescription))
        proposal = next((each for each in proposals if _digest(each, prescription) not in declined), None)
        if proposal and (row := _keep(proposal, prescription, past, now)):
            made.append(row)
    return made


def _is_running(patient_id: int, now: datetime) -> bool:
    """Whether any programme may be in force, wherever the patient is. Asked after every push, so written out."""
    today = now.date()
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT FROM exercises_prescription
            WHERE patient_id = %s AND starts_on <= %s AND (ends_on IS NULL OR ends_on >= %s) LIMIT 1
            """,
            [patient_id, today + timedelta(days=1), today - timedelta(days=1)],
        )
        return cursor.fetchone() is not None


class _Past:
    """What was logged and said of late, read once for all programmes of a patient."""

    def __init__(self, patient: Patient, today: date) -> None:
        self.patient, self.today, self.since = patient, today, today - LOOKS_BACK
        versions = Prescription.objects.filter(patient=patient).defer("exercises")  # which are most of a version
        self.versions = list(versions.order_by("programme", "version"))
        self.proposals = list(Proposal.objects.filter(patient=patient).order_by("made_at"))
        self.sessions = list(
            Session.objects.filter(patient=patient, live=True, local_day__gte=self.since).order_by("authored_at", "id")
        )
        followups = SessionFollowup.objects.filter(patient=patient, authored_at__date__gte=self.since)
        self.next_day = dict(followups.order_by("authored_at").values_list("session", "pain_next_day"))
        closed = [Alert.State.RESOLVED, Alert.State.REVIEW]
        flags = Alert.objects.filter(patient=patient, rule__in=(*STOPPING, *TALKED_ABOUT)).exclude(state__in=closed)
        self.flags = list(flags.values_list("rule", "opened_at"))
        said = Score.objects.filter(
            patient=patient, measure__code="daily-diary.flare", live=True, local_day__gte=self.since
        )
        days = dict(said.order_by("at").values_list("local_day", "value"))
        self.flares = sorted(day for day, value in days.items() if value)
        self.calm_on = max((day for day, value in days.items() if not value), default=None)
        adherence = Score.objects.filter(
            patient=patient, measure__code="adherence.day", live=True, local_day__gt=today - timedelta(days=14)
        )
        shares = list(adherence.values_list("value", flat=True))
        self.due, self.attended = len(shares), sum(share > 0 for share in shares)

    def declined(self, prescription: Prescription) -> set[bytes]:
        """What the clinician has said no to."""
        return {
            bytes(each.digest)
            for each in self.proposals
            if each.programme == prescription.programme and each.state == Proposal.State.DECLINED
        }

    def situation(self, prescription: Prescription) -> Situation:
        plan = msgspec.convert(prescription.plan, Plan)
        exercises = msgspec.convert(prescription.exercises, dict[str, Exercise])
        mine = [session for session in self.sessions if session.programme == prescription.programme]
        before = [each for each in self.proposals if each.programme == prescription.programme]
        backs = [each for each in before if each.action == "step-back"]
        stopped_at = max((each.made_at for each in before if each.action == "stop"), default=None)
        noes = [each.decided_at for each in before if each.rule == "quota" and each.state == Proposal.State.DECLINED]
        stopping = [(rule, at) for rule, at in self.flags if rule in STOPPING]
        loads = self._loads(mine)

        def day(at: datetime) -> date:
            return today_of(self.patient, at)

        return Situation(
            today=self.today,
            mode=plan.mode,
            limits=plan.limits,
            items=[self._item(prescription, item, exercises[item.exercise]) for item in plan.items],
            sessions=[self._log(each, {back.session for back in backs}) for each in mine if not each.skipped],
            flares=self.flares,
            calm_on=self.calm_on,
            new_signs=[Sign(rule, day(at)) for rule, at in stopping if stopped_at is None or at > stopped_at],
            open_flags=[Sign(rule, day(at)) for rule, at in stopping],
            frozen_since=min((day(at) for rule, at in self.flags if rule in TALKED_ABOUT), default=None),
            last_step_back=max((day(each.made_at) for each in backs), default=None),
            weekly_load=loads[-1],
            loads_before=loads[:-1] if self._ran_since(prescription) <= self.since else (),
            due=self.due,
            attended=self.attended,
            exposure=plan.exposure,
            on_rung_since=self._on_rung_since(prescription),
            declined=max((day(at) for at in noes if at), default=None),
        )

    def _ran_since(self, prescription: Prescription) -> date:
        return min(row.starts_on for row in self.versions if row.programme == prescription.programme)

    def _loads(self, sessions: Sequence[Session]) -> list[float]:
        """RPE × minutes of five weeks of seven days, the last one up to today."""
        loads = [0.0] * 5
        for each in sessions:
            week = (self.today - each.local_day).days // 7
            if 0 <= week < 5:
                loads[4 - week] += (each.rpe or 0) * (each.minutes or 0)
        return loads

    def _item(self, prescription: Prescription, item: Item, exercise: Exercise) -> progression.Item:
        """The exercise with the day of its last step, and its dose before a flare if that was the last step."""
        versions = [row for row in self.versions if row.programme == prescription.programme]
        history = [(row, _item_of(row, item.exercise)) for row in versions if row.version <= prescription.version]
        last, eased = history[0][0], None
        for (_, old), (row, new) in pairwise(history):
            if old != new:
                last = row
                eased = old.dose if old and row.rule == "flare" else None
        return progression.Item(exercise, item.dose, last.starts_on, eased)

    def _on_rung_since(self, prescription: Prescription) -> date:
        """The first day of the versions, counted back from this one, whose ladder stands where it stands now."""
        since = prescription.starts_on
        for row in reversed(self.versions):
            if row.programme == prescription.programme and row.version <= prescription.version:
                if row.plan.get("exposure") != prescription.plan.get("exposure"):
                    break
                since = row.starts_on
        return since

    def _log(self, session: Session, handled: set[UUID | None]) -> Log:
        version = next((row for row in self.versions if row.pk == session.prescription), None)
        done = {}
        for each in msgspec.convert(session.content.get("exercises", []), list[DoneItem]):
            item = _item_of(version, each.exercise) if version else None
            done[each.exercise] = Done(_extra(item.dose if item else None, each), each.too_hard)
        return Log(
            day=session.local_day,
            done=done,
            rpe=session.rpe,
            pain_before=session.pain_before,
            pain_during=session.pain_during,
            pain_after=session.pain_after,
            pain_next_day=self.next_day.get(session.id),
            faced={
                each.task: Faced(each.fear_after, each.feared, each.actual, each.came_true)
                for each in msgspec.convert(session.content.get("exposures", []), list[ExposureItem])
            },
            handled=session.id in handled,
        )


def _item_of(row: Prescription, slug: str) -> Item | None:
    found = next((item for item in row.plan["items"] if item["exercise"] == slug), None)
    return msgspec.convert(found, Item) if found else None


def _extra(prescribed: Dose | None, done: DoneItem) -> int:
    """Repetitions or breaths in the last set beyond what was prescribed."""
    for name in ("reps", "breaths"):
        asked, did = getattr(prescribed, name, None), getattr(done, name)
        if asked and did is not None:
            return int(did - asked)
    return 0


def _digest(proposal: progression.Proposal, about: Prescription) -> bytes:
    content = (proposal.rule, proposal.version, proposal.action, proposal.inputs, proposal.steps, about.version)
    return blake2b(msgspec.json.encode(content), digest_size=16).digest()


def _keep(proposal: progression.Proposal, about: Prescription, past: _Past, now: datetime) -> Proposal | None:
    """Store a proposal and do at once what may be done at once. None if it was proposed before."""
    patient = about.patient
    exercises = msgspec.convert(about.exercises, dict[str, Exercise]) | _others(about, proposal.steps)
    digest = _digest(proposal, about)
    standing = [each for each in past.proposals if each.programme == about.programme]
    if any(bytes(each.digest) == digest for each in standing):
        return None
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
        if proposal.applies and not _apply(row, proposal.steps, about, now, by=None):
            row.state = Proposal.State.WAITING
        row.save(force_insert=True)
    return row


def _apply(
    row: Proposal, steps: Sequence[progression.Step], about: Prescription, now: datetime, *, by: User | None
) -> bool:
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


def _others(about: Prescription, steps: Sequence[progression.Step]) -> dict[str, Exercise]:
    """The exercises that steps lead to."""
    others = {step.to for step in steps if step.to and step.variable != LADDER}
    return find_exercises(others, about.clinic_id) if others else {}


def stepped(plan: Plan, steps: Sequence[progression.Step], action: str, others: Mapping[str, Exercise]) -> Plan:
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


def _climbed(plan: Plan, step: progression.Step) -> Plan:
    """The plan at the rung that the step leads to; the task is looked up, because the ladder may have been mended."""
    if plan.exposure is None:
        return plan
    at = next((place for place, rung in enumerate(plan.exposure.ladder) if rung.task == step.to), plan.exposure.at)
    return msgspec.structs.replace(plan, exposure=msgspec.structs.replace(plan.exposure, at=at))


def proposed_plan(proposal: Proposal) -> Plan:
    """The plan as it would be with the proposal's steps taken."""
    about = proposal.prescription
    steps = msgspec.convert(proposal.steps, list[progression.Step])
    return stepped(msgspec.convert(about.plan, Plan), steps, proposal.action, _others(about, steps))


def decide(proposal: Proposal, *, accepted: bool, by: User, now: datetime, reason: str = "") -> None:
    """The clinician's yes or no to a proposal that waits. Raises RefusedError."""
    with transaction.atomic():
        rev = next_revisions([proposal.patient_id])[proposal.patient_id]
        row = Proposal.objects.select_for_update().select_related("prescription__patient").get(pk=proposal.pk)
        if row.state != Proposal.State.WAITING:
            raise RefusedError("state", "not_waiting", "This proposal waits no more.")
        if accepted:
            steps = msgspec.convert(row.steps, list[progression.Step])
            if not _apply(row, steps, row.prescription, now, by=by):
                raise RefusedError(
                    "steps", "blocked", "The safety gate stands in the way: change the programme itself."
                )
        row.state = Proposal.State.ACCEPTED if accepted else Proposal.State.DECLINED
        row.rev, row.decided_by, row.decided_at, row.reason = rev, by, now, reason
        row.save()
