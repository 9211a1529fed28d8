"""Home programmes written, changed, paused and stopped. What was prescribed on past days stays as it was."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

import msgspec
from django.db import transaction
from django.db.models import Q
from django.dispatch import Signal
from uuid_utils.compat import uuid7

from backend.people.models import Origin, Patient, User
from backend.people.writes import next_revisions
from backend.rest.problems import in_words
from exercises.dose import Steps
from exercises.entry import Exercise
from exercises.gate import STOPPING, TALKED_ABOUT, Block, Finding, look, not_overridden
from exercises.library import library
from exercises.models import Clearance, Condition, Pause, Prescription, Proposal
from exercises.models import Exercise as Row
from exercises.plan import Plan
from exercises.series import Span, refresh
from exercises.uploads import hung
from outcomes.intake import local_day
from outcomes.models import Alert, Trend
from outcomes.store import mark_due

# A day further off than a long life is a slip of the hand, and no calendar reaches far beyond year 9999.
FURTHEST = timedelta(days=120 * 366)

# For the floors above, inside the transaction that wrote: `programme` is one of its versions, `now` the instant.
programme_changed = Signal()


class RefusedError(ValueError):
    """A programme that can't be written so; `field` and `code` say why."""

    def __init__(self, field: str, code: str, detail: str) -> None:
        self.field, self.code, self.detail = field, code, in_words(detail)
        super().__init__(self.detail)


class BlockedError(Exception):
    """The safety gate stands in the way; each of `blocks` needs a written reason to be overridden."""

    def __init__(self, blocks: list[Block]) -> None:
        super().__init__(", ".join(block.key for block in blocks))
        self.blocks = blocks


def today_of(patient: Patient, now: datetime) -> date:
    """The patient's day at this instant; like a session's it turns at 04:00."""
    return local_day(now.astimezone(ZoneInfo(patient.time_zone)), daily=True)


def check_near(today: date, **days: date | None) -> None:
    """Raises RefusedError that names the first of these days that is nowhere near."""
    for field, day in days.items():
        if day is not None and abs(day - today) > FURTHEST:
            raise RefusedError(field, "out_of_range", "This is more than a lifetime away.")


def check_begun(today: date, **days: date | None) -> None:
    """Raises RefusedError that names a day still to come; somewhere it is tomorrow already."""
    for field, day in days.items():
        if day is not None and day > today + timedelta(days=1):
            raise RefusedError(field, "in_the_future", "This day is still to come.")


def find_exercises(
    slugs: Iterable[str], clinic_id: int, kept: Mapping[str, Exercise] | None = None
) -> dict[str, Exercise]:
    """Entries that may be prescribed in this clinic, with its pictures and clips; its own come before shared ones.

    `kept` are those of a programme that goes on: there they stay, though nobody else is given them any more.
    """
    wanted = set(slugs)
    rows = Row.objects.filter(Q(clinic=None) | Q(clinic=clinic_id), slug__in=wanted, retired=False)
    ordered = sorted(rows, key=lambda row: row.clinic_id is not None)
    found = {row.slug: msgspec.convert(row.content, Exercise) for row in ordered}
    for slug, media in hung([clinic_id], found).items():
        found[slug] = msgspec.structs.replace(found[slug], media=(*found[slug].media, *media))
    return {slug: entry for slug, entry in (kept or {}).items() if slug in wanted} | found


def entries_of(version: Prescription) -> dict[str, Exercise]:
    """The entries as they were prescribed with this version, the easier ones too."""
    return msgspec.convert(version.exercises, dict[str, Exercise])


def check(patient: Patient, plan: Plan, now: datetime) -> Finding:
    """What the safety gate says of this plan for this patient. Raises RefusedError."""
    exercises = _exercises_of(patient, plan)
    return gate(patient, [exercises[item.exercise] for item in plan.items], now)


def gate(patient: Patient, exercises: Iterable[Exercise], now: datetime) -> Finding:
    """What the safety gate says of these exercises for this patient."""
    today = today_of(patient, now)
    cleared = Clearance.objects.filter(patient=patient, cleared_on__lte=today, valid_until__gte=today).exists()
    closed = [Alert.State.RESOLVED, Alert.State.REVIEW]
    flags = Alert.objects.filter(patient=patient, rule__in=(*STOPPING, *TALKED_ABOUT)).exclude(state__in=closed)
    return look(exercises, conditions_of(patient), cleared=cleared, red_flags=flags.values_list("rule", flat=True))


def conditions_of(patient: Patient) -> frozenset[str]:
    """The patient's conditions at present, with all that they imply."""
    standing = Condition.objects.filter(patient=patient, ended_on=None).values_list("code", flat=True)
    return library().with_implied(frozenset(standing))


def prescribe(
    patient: Patient,
    plan: Plan,
    *,
    by: User | None,
    now: datetime,
    starts_on: date | None = None,
    overrides: Mapping[str, str] | None = None,
    template: str = "",
    origin: Origin = Origin.CLINIC,
    programme: UUID | None = None,
) -> Prescription:
    """Start a home programme. Raises RefusedError or BlockedError.

    `overrides` gives a written reason for each block by its key; the reasons are kept. Under a `programme` that the
    caller names it is started once: asked again, as by a second click, that one is given back.
    """
    today = today_of(patient, now)
    starts_on = starts_on or today
    check_near(today, starts_on=starts_on)
    if starts_on < today and origin is Origin.CLINIC:
        raise RefusedError("starts_on", "in_the_past", "A programme can't start on a day that is over.")
    new = _version(patient, plan, by=by, now=now, starts_on=starts_on, overrides=overrides or {}, origin=origin)
    new.template = template
    new.programme = programme or uuid7()
    with transaction.atomic():
        new.rev = next_revisions([patient.pk])[patient.pk]
        if programme and (started := Prescription.objects.filter(patient=patient, programme=programme).first()):
            return started
        new.save(force_insert=True)
        _begin(patient, starts_on)
        _written(new, starts_on, today, now)
    return new


def _begin(patient: Patient, day: date) -> None:
    """The first day of the first programme: what lies before it is what later change is counted from."""
    later = Q(programme_started_on=None) | Q(programme_started_on__gt=day)
    if Patient.objects.filter(later, pk=patient.pk).update(programme_started_on=day):
        patient.programme_started_on = day
        measures = Trend.objects.filter(patient=patient).values_list("measure", flat=True)
        mark_due((patient.pk, measure, patient.clinic_id) for measure in measures)


def change(
    old: Prescription,
    plan: Plan,
    *,
    by: User | None,
    now: datetime,
    reason: str,
    from_day: date | None = None,
    overrides: Mapping[str, str] | None = None,
    rule: str = "",
    gated: bool = True,
) -> Prescription:
    """Let another plan follow this version from today or a later day on. Raises RefusedError or BlockedError.

    A step back is not `gated`: no condition and no red flag may keep a dose high. What a `rule` changes lasts as long
    as the version it changes: what is planned for later, another version or the end, stays.
    """
    patient = old.patient
    today = today_of(patient, now)
    from_day = from_day or today
    check_near(today, from_day=from_day)
    if from_day < today and old.origin == Origin.CLINIC:
        raise RefusedError("from_day", "in_the_past", "Days that are over keep what was prescribed.")
    reasons = {each["key"]: each["reason"] for each in old.overrides}
    new = _version(
        patient,
        plan,
        by=by,
        now=now,
        starts_on=from_day,
        overrides=reasons | dict(overrides or {}),
        origin=old.origin,
        kept=entries_of(old),
        gated=gated,
    )
    new.programme, new.template, new.reason, new.rule = old.programme, old.template, reason, rule
    with transaction.atomic():
        new.rev = rev = next_revisions([patient.pk])[patient.pk]
        if rule:
            _take_over(new, old)
        elif _in_force(old).pk != old.pk:
            raise RefusedError("id", "not_latest", "Somebody has changed this programme meanwhile: read it again.")
        new.version = old.version + 1
        # What a rule proposed was about the version before; whoever changes it has decided.
        Proposal.objects.filter(patient=patient, programme=old.programme, state=Proposal.State.WAITING).update(
            state=Proposal.State.OVERTAKEN, rev=rev, decided_by=by, decided_at=now, reason=reason
        )
        _cut(old, from_day - timedelta(days=1), rev, until=new.ends_on)
        new.save(force_insert=True)
        _written(new, from_day, today, now)
    return new


def stop(old: Prescription, *, now: datetime, reason: str, last_day: date | None = None) -> None:
    """End a programme with `last_day`, by default yesterday: nothing is due any more from today on."""
    today = today_of(old.patient, now)
    last_day = last_day or today - timedelta(days=1)
    if not reason.strip():
        raise RefusedError("reason", "required", "Say why the programme ends.")
    check_near(today, last_day=last_day)
    if last_day < today - timedelta(days=1):
        raise RefusedError("last_day", "in_the_past", "Days that are over keep what was prescribed.")
    with transaction.atomic():
        rev = next_revisions([old.patient_id])[old.patient_id]
        standing = _in_force(old)
        _cut(old, last_day, rev)
        Prescription.objects.filter(pk=standing.pk).update(ends_on=last_day, rev=rev, stop_reason=reason)
        _written(old, last_day, today, now)


def pause(
    programme: Prescription,
    *,
    by: User | None,
    now: datetime,
    reason: str,
    from_day: date | None = None,
    to_day: date | None = None,
) -> Pause:
    """Let a programme rest until `to_day`, or until it is resumed. Past days may be named: one is told late.

    The same pause is entered once: two colleagues heard of it, or somebody clicked twice.
    """
    today = today_of(programme.patient, now)
    from_day = from_day or today
    check_near(today, from_day=from_day, to_day=to_day)
    if to_day and to_day < from_day:
        raise RefusedError("to_day", "before_start", "The pause ends before it begins.")
    with transaction.atomic():
        rev = next_revisions([programme.patient_id])[programme.patient_id]
        days = {"programme": programme.programme, "from_day": from_day, "to_day": to_day, "reason": reason}
        if entered := Pause.objects.filter(patient=programme.patient_id, **days).first():
            return entered
        row = Pause.objects.create(
            id=uuid7(),
            clinic_id=programme.patient.clinic_id,  # where they are now, wherever it was prescribed
            patient_id=programme.patient_id,
            rev=rev,
            programme=programme.programme,
            from_day=from_day,
            to_day=to_day,
            reason=reason,
            entered_by=by,
        )
        _written(programme, from_day, today, now)
    return row


def resume(programme: Prescription, *, now: datetime) -> None:
    """End the pauses of a programme that are under way with yesterday; one that began today never was."""
    patient = programme.patient
    today = today_of(patient, now)
    with transaction.atomic():
        rev = next_revisions([patient.pk])[patient.pk]
        under_way = Pause.objects.filter(patient=patient, programme=programme.programme, from_day__lte=today).filter(
            Q(to_day=None) | Q(to_day__gte=today)
        )
        if not under_way.update(to_day=today - timedelta(days=1), rev=rev):
            raise RefusedError("id", "not_paused", "This programme is not paused.")
        _written(programme, today, today, now)


def _version(
    patient: Patient,
    plan: Plan,
    *,
    by: User | None,
    now: datetime,
    starts_on: date,
    overrides: Mapping[str, str],
    origin: str,
    kept: Mapping[str, Exercise] | None = None,
    gated: bool = True,
) -> Prescription:
    exercises = _exercises_of(patient, plan, kept)
    finding = gate(patient, [exercises[item.exercise] for item in plan.items], now)
    if gated and (blocks := not_overridden(finding, overrides)):
        raise BlockedError(blocks)
    return Prescription(
        id=uuid7(),
        clinic_id=patient.clinic_id,
        patient=patient,
        starts_on=starts_on,
        weekdays=plan.weekday_bits,
        plan=msgspec.to_builtins(plan),
        exercises=msgspec.to_builtins(exercises),
        overrides=[
            {"key": block.key, "reason": overrides[block.key]} for block in finding.blocks if block.key in overrides
        ],
        origin=origin,
        prescribed_by=by,
        prescribed_at=now,
    )


def _exercises_of(patient: Patient, plan: Plan, kept: Mapping[str, Exercise] | None = None) -> dict[str, Exercise]:
    """The plan's exercises, and the easier ones that a phone offers with no network. Raises RefusedError."""
    wanted = [item.exercise for item in plan.items]
    found = find_exercises(wanted, patient.clinic_id, kept)
    for position, item in enumerate(plan.items):
        if item.exercise not in found:
            raise RefusedError(f"items.{position}.exercise", "unknown_exercise", "There is no such exercise.")
        # What a programme has may go on as it was, though the entry counts in another kind by now.
        entries = [found[item.exercise], *([kept[item.exercise]] if kept and item.exercise in kept else [])]
        if not any(type(item.dose) is type(entry.dose) for entry in entries):
            kind = found[item.exercise].dose.__struct_config__.tag
            raise RefusedError(
                f"items.{position}.dose.kind",
                "other_kind",
                in_words("This exercise has a dose in %(kind)s.", kind=kind),
            )
        if isinstance(item.dose, Steps) and item.dose.steps is None:
            raise RefusedError(f"items.{position}.dose.steps", "required", "Name the daily goal.")
    easier = {each.regression.to for each in found.values() if each.regression.to} - set(found)
    return found | (find_exercises(easier, patient.clinic_id, kept) if easier else {})


def _take_over(new: Prescription, old: Prescription) -> None:
    """Let `new` have what is left of the days of `old`; versions that are planned for later days count one up."""
    old.refresh_from_db(fields=["ends_on", "stop_reason", "version"])
    if old.ends_on and old.ends_on < new.starts_on:
        raise RefusedError("id", "not_latest", "Somebody has changed this programme meanwhile: read it again.")
    new.ends_on, new.stop_reason = old.ends_on, old.stop_reason
    later = Prescription.objects.filter(patient=old.patient_id, programme=old.programme, version__gt=old.version)
    for pk, version in later.order_by("-version").values_list("pk", "version"):
        Prescription.objects.filter(pk=pk).update(version=version + 1, rev=new.rev)


def _cut(old: Prescription, last_day: date, rev: int, until: date | None = None) -> None:
    """End with `last_day` whatever of the programme goes beyond it; what begins after `until` stays."""
    versions = Prescription.objects.filter(patient=old.patient_id, programme=old.programme)
    beyond = versions.filter(Q(ends_on=None) | Q(ends_on__gt=last_day))
    (beyond.filter(starts_on__lte=until) if until else beyond).update(ends_on=last_day, stop_reason="", rev=rev)


def _in_force(old: Prescription) -> Prescription:
    versions = Prescription.objects.filter(patient=old.patient_id, programme=old.programme)
    standing = versions.only("version", "stop_reason").order_by("-version").first()
    if standing is None or standing.stop_reason:
        raise RefusedError("id", "stopped", "This programme has been stopped.")
    return standing


def _written(programme: Prescription, from_day: date, today: date, now: datetime) -> None:
    refresh({programme.patient_id: Span(min(from_day, today), max(from_day, today), today)})
    programme_changed.send(Prescription, programme=programme, now=now)
