"""The way of a session into the record, with its adherence and alarms, in a fixed number of statements.

All of it runs in the caller's transaction, after `next_revisions` has locked the patients. What gets `rejected` or
`conflict` is left for the caller to put into quarantine.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

import msgspec

from backend.people.writes import Door
from backend.rest.verdicts import Easier, FieldError, Verdict
from exercises import alarms, store
from exercises.done import session_met_minutes, session_share
from exercises.items import AdverseEventItem, Draft, FollowupItem, SessionWithdrawalItem, examine_event
from exercises.series import refresh, spans_of
from outcomes.alerts import Finding, raise_for
from outcomes.clinic_rules import rules_of
from outcomes.intake import digest_of, local_day


def store_sessions(drafts: Sequence[Draft], door: Door, revisions: Mapping[int, int]) -> list[Verdict]:
    """Store examined sessions, done or skipped, and write the adherence that follows from them.

    The verdict of a stored session tells the adherence of its day as far as that is settled.
    """
    if not drafts:
        return []
    keys = [(draft.patient_id, draft.item.id) for draft in drafts]
    replaced = [(draft.patient_id, draft.item.replaces) for draft in drafts if draft.item.replaces]
    standing = store.standing_sessions([*keys, *replaced])
    prescribed = store.prescriptions({(draft.patient_id, draft.item.prescription) for draft in drafts})
    verdicts = []
    new: dict[tuple[int, UUID], Draft] = {}
    for key, draft in zip(keys, drafts, strict=True):
        stands = standing.get(key)
        found = _prescribed(draft, prescribed)
        draft.programme = found.programme if found else None
        if stands is not None:
            verdicts.append(_stands(draft.item.id, same=stands.digest == draft.digest))
        elif errors := _errors(draft, standing, prescribed):
            verdicts.append(Verdict(id=draft.item.id, status="rejected", errors=errors))
        else:
            new[key] = draft
            standing[key] = store.Standing(
                draft.digest, draft.local_day, live=True, withdrawn=False, time_zone=draft.item.time_zone
            )
            if draft.item.replaces:
                old = (draft.patient_id, draft.item.replaces)
                standing[old] = msgspec.structs.replace(standing[old], live=False)
            verdict = Verdict(id=draft.item.id, status="stored", complete=not draft.going_on)
            verdict.easier = _easier(draft, found)
            verdicts.append(verdict)
    values = _write(list(new.values()), prescribed, standing, door, revisions)
    for key, draft, verdict in zip(keys, drafts, verdicts, strict=True):
        value = values.get((key[0], "adherence.day", draft.local_day))
        if verdict.status == "stored" and value is not None:
            verdict.scores = {"adherence.day": value}
    return verdicts


def _prescribed(draft: Draft, prescribed: Mapping[tuple[int, UUID], store.Prescribed]) -> store.Prescribed | None:
    return prescribed.get((draft.patient_id, draft.item.prescription)) if draft.item.prescription else None


def _stands(client_id: UUID, *, same: bool) -> Verdict:
    if same:
        return Verdict(id=client_id, status="duplicate")
    error = FieldError("id", "conflict", "Something else is already stored under this id; it stays.")
    return Verdict(id=client_id, status="conflict", errors=[error])


def _errors(
    draft: Draft,
    standing: Mapping[tuple[int, UUID], store.Standing],
    prescribed: Mapping[tuple[int, UUID], store.Prescribed],
) -> list[FieldError]:
    item, patient = draft.item, draft.patient_id
    errors = []
    if item.prescription and (patient, item.prescription) not in prescribed:
        errors.append(FieldError("prescription", "unknown_prescription", "This patient has no such prescription."))
    if item.replaces:
        old = standing.get((patient, item.replaces))
        if old is None:
            errors.append(FieldError("replaces", "unknown_session", "There is no such session of this patient."))
        elif not old.live:
            errors.append(FieldError("replaces", "not_live", "That session was already replaced or withdrawn."))
    return errors


def _write(
    drafts: Sequence[Draft],
    prescribed: Mapping[tuple[int, UUID], store.Prescribed],
    standing: Mapping[tuple[int, UUID], store.Standing],
    door: Door,
    revisions: Mapping[int, int],
) -> dict[tuple[int, str, date], float]:
    if not drafts:
        return {}
    overlapping = store.overlapping(drafts)
    rows = []
    for draft in drafts:
        item = draft.item
        found = _prescribed(draft, prescribed)
        marks = [*draft.marks, *_marks(draft, found)]
        if (draft.patient_id, item.id) in overlapping:
            marks.append("overlapping")
        share = met_minutes = 0.0
        if found and not item.skipped:
            share = session_share(found.plan, item.exercises, draft.minutes)
            met_minutes = session_met_minutes(found.plan, found.exercises, item.exercises, draft.minutes)
        rows.append(store.row_of(draft, found, share, met_minutes, marks, revisions[draft.patient_id]))
    store.insert_sessions(rows, door)
    store.retire_sessions(
        [
            (draft.patient_id, draft.item.replaces, revisions[draft.patient_id], draft.item.id)
            for draft in drafts
            if draft.item.replaces
        ]
    )
    touched = [(draft.patient_id, draft.local_day) for draft in drafts]
    touched += [
        (draft.patient_id, standing[draft.patient_id, draft.item.replaces].local_day)
        for draft in drafts
        if draft.item.replaces
    ]
    today = {draft.patient_id: _today(door, draft.item.time_zone) for draft in drafts}
    return refresh(spans_of(touched, today))


def _today(door: Door, time_zone: str) -> date:
    return local_day(door.received_at.astimezone(ZoneInfo(time_zone)), daily=True)


def _marks(draft: Draft, found: store.Prescribed | None) -> list[str]:
    """What is odd about a session beside its prescription. It is kept all the same."""
    if found is None:
        return ["not-prescribed"]
    marks = []
    if draft.local_day < found.starts_on:
        marks.append("before-prescription")
    if found.ends_on and draft.local_day > found.ends_on:
        marks.append("after-prescription")
    prescribed = {item.exercise for item in found.plan.items}
    if any(done.exercise not in prescribed for done in draft.item.exercises):
        marks.append("extra-exercise")
    ladder = found.plan.exposure.ladder if found.plan.exposure else ()
    if any(faced.task not in {rung.task for rung in ladder} for faced in draft.item.exposures):
        marks.append("extra-task")
    return marks


def store_withdrawals(
    items: Sequence[SessionWithdrawalItem], patient_id: int, door: Door, revisions: Mapping[int, int]
) -> list[Verdict]:
    """Take sessions of one patient back, and their adherence with them. Withdrawing one twice changes nothing."""
    if not items:
        return []
    standing = store.standing_sessions((patient_id, item.session) for item in items)
    verdicts = []
    rows: dict[UUID, tuple[int, UUID, int, str]] = {}
    for item in items:
        old = standing.get((patient_id, item.session))
        if old is None:
            error = FieldError("session", "unknown_session", "There is no such session of this patient.")
            verdicts.append(Verdict(id=item.id, status="rejected", errors=[error]))
        elif old.withdrawn or item.session in rows:
            verdicts.append(Verdict(id=item.id, status="duplicate"))
        else:
            verdicts.append(Verdict(id=item.id, status="stored"))
            rows[item.session] = (patient_id, item.session, revisions[patient_id], item.reason)
    store.withdraw_sessions(list(rows.values()), door)
    touched = [standing[patient_id, session] for session in rows]
    if touched:
        today = max(_today(door, old.time_zone) for old in touched)
        refresh(spans_of([(patient_id, old.local_day) for old in touched], {patient_id: today}))
    return verdicts


def store_followups(
    items: Sequence[FollowupItem], patient_id: int, clinic_id: int, door: Door, revisions: Mapping[int, int]
) -> list[Verdict]:
    """Store how one patient's sessions were the day after. A second one for a session counts as its latest."""
    if not items:
        return []
    stored = store.standing_followups(patient_id, [item.id for item in items])
    known = store.standing_sessions((patient_id, item.session) for item in items)
    verdicts, rows = [], []
    for item in items:
        digest = digest_of(item)
        errors = examine_event(item, door.received_at)
        if (patient_id, item.session) not in known:
            errors.append(FieldError("session", "unknown_session", "There is no such session of this patient."))
        if item.id in stored:
            verdicts.append(_stands(item.id, same=stored[item.id] == digest))
        elif errors:
            verdicts.append(Verdict(id=item.id, status="rejected", errors=errors))
        else:
            stored[item.id] = digest
            rows.append((item, digest))
            verdicts.append(Verdict(id=item.id, status="stored", complete=True))
    store.insert_followups(rows, patient_id, clinic_id, door, revisions[patient_id])
    return verdicts


def store_adverse_events(
    items: Sequence[AdverseEventItem], patient_id: int, clinic_id: int, door: Door, revisions: Mapping[int, int]
) -> list[Verdict]:
    """Store adverse events; one of the serious kinds raises its alarm and calls for the clinic's text at once."""
    if not items:
        return []
    stored = store.standing_adverse_events(patient_id, [item.id for item in items])
    verdicts, rows = [], []
    for item in items:
        digest = digest_of(item)
        if item.id in stored:
            verdict = _stands(item.id, same=stored[item.id] == digest)
        elif errors := examine_event(item, door.received_at):
            verdict = Verdict(id=item.id, status="rejected", errors=errors)
        else:
            stored[item.id] = digest
            rows.append((item, digest))
            verdict = Verdict(id=item.id, status="stored", complete=True)
        if item.kind in alarms.SERIOUS and alarms.AE_1.text:
            verdict.safety = [alarms.AE_1.text]
        verdicts.append(verdict)
    store.insert_adverse_events(rows, patient_id, clinic_id, door, revisions[patient_id])
    raise_for(
        [
            Finding(patient_id, clinic_id, item.id, item.authored_at, [alarms.AE_1])
            for item, _ in rows
            if item.kind in alarms.SERIOUS
        ],
        door,
    )
    return verdicts


def raise_painful_sessions(patient_ids: Sequence[int], door: Door) -> None:
    """Raise EX-1 where sessions hurt too much too often, by the numbers of the patient's clinic.

    Called once after sessions and follow-ups are stored. A session raises it once.
    """
    sessions = store.pain_of_sessions(patient_ids, door.received_at - timedelta(days=28))
    if not sessions:
        return
    said = store.said_of_exercise(patient_ids)
    rules = rules_of(clinic for _, clinic in sessions)
    raise_for(
        [
            Finding(patient, clinic, each.id, each.authored_at, [rules[clinic]["EX-1"]])
            for (patient, clinic), pains in sessions.items()
            if (each := alarms.painful(rules[clinic]["EX-1"], pains)) and (patient, each.id) not in said
        ],
        door,
    )


def _easier(draft: Draft, found: store.Prescribed | None) -> list[Easier]:
    """For who skips because it hurts, frightens or is too hard: the easier form of each exercise.

    The phone has the words for it, and the easier exercises, with the prescription.
    """
    if found is None or draft.item.skipped not in ("pain", "fear", "too-hard"):
        return []
    known = (found.exercises.get(item.exercise) for item in found.plan.items)
    return [Easier(each.slug, each.regression.to) for each in known if each]
