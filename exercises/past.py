"""What the rules of progression see of a patient: what was prescribed, proposed, done and said of late."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, datetime, timedelta
from itertools import pairwise
from uuid import UUID
from zoneinfo import ZoneInfo

import msgspec
from django.db import connection

from exercises import steps
from exercises.dose import Dose
from exercises.entry import Exercise
from exercises.gate import STOPPING, TALKED_ABOUT
from exercises.items import DoneItem, ExposureItem
from exercises.plan import Item, Plan
from exercises.progression import Done, Faced, Log, Sign, Situation
from outcomes.intake import local_day

LOOKS_BACK = timedelta(days=35)  # this week and the four before it
FLARE_DIARY = "daily-diary"  # which asks for a flare


class Version(msgspec.Struct, frozen=True):
    """One version of a programme. `exercises` are its entries where it may be in force, else none."""

    id: UUID
    programme: UUID
    version: int
    starts_on: date
    ends_on: date | None
    plan: Plan
    rule: str
    exercises: dict[str, Exercise] | None


class Proposed(msgspec.Struct, frozen=True):
    """An earlier proposal, and what became of it."""

    programme: UUID
    rule: str
    action: str
    state: str
    session: UUID | None
    digest: bytes
    made_at: datetime
    decided_at: datetime | None


class _Content(msgspec.Struct, frozen=True):
    exercises: list[DoneItem] = []
    exposures: list[ExposureItem] = []


class Trained(msgspec.Struct, frozen=True):
    """A session of late, done or skipped. `pain_next_day` is what its latest follow-up tells."""

    id: UUID
    programme: UUID | None
    prescription: UUID | None
    local_day: date
    minutes: float | None
    skipped: str
    content: _Content
    rpe: int | None
    pain_before: int | None
    pain_during: int | None
    pain_after: int | None
    pain_next_day: int | None


class Past(msgspec.Struct, frozen=True):
    """All of it, for all programmes of one patient; in the order of their making."""

    today: date
    time_zone: str
    versions: list[Version]
    proposals: list[Proposed]
    sessions: list[Trained]
    flags: list[tuple[str, datetime]]  # open alerts that stop or freeze: rule, since when
    flares: dict[date, float]  # by day, what the diary said last
    shares: list[float]  # of each day's dose, in two weeks

    def current(self) -> Iterator[Version]:
        """The newest version of each programme that is in force today or begins tomorrow."""
        newest = {version.programme: version for version in self.versions if version.exercises is not None}
        for version in newest.values():
            if version.ends_on is None or version.ends_on >= max(self.today, version.starts_on):
                yield version

    def has_begun(self, version: Version) -> bool:
        return version.starts_on <= self.today

    def declined(self, version: Version) -> set[bytes]:
        """What the clinician has said no to."""
        return {each.digest for each in self._proposals_for(version) if each.state == "declined"}

    def situation(self, version: Version) -> Situation:
        plan, exercises = version.plan, version.exercises or {}
        mine = [session for session in self.sessions if session.programme == version.programme]
        before = self._proposals_for(version)
        backs = [each for each in before if each.action == "step-back"]
        stopped_at = max((each.made_at for each in before if each.action == "stop"), default=None)
        noes = [each.decided_at for each in before if each.rule == "quota" and each.state == "declined"]
        stopping = [(rule, at) for rule, at in self.flags if rule in STOPPING]
        loads = self._loads(mine)
        return Situation(
            today=self.today,
            mode=plan.mode,
            limits=plan.limits,
            items=[self._item(version, item, exercises[item.exercise]) for item in plan.items],
            sessions=[self._log(each, {back.session for back in backs}) for each in mine if not each.skipped],
            flares=sorted(day for day, value in self.flares.items() if value),
            calm_on=max((day for day, value in self.flares.items() if not value), default=None),
            new_signs=[Sign(rule, self._day(at)) for rule, at in stopping if stopped_at is None or at > stopped_at],
            open_flags=[Sign(rule, self._day(at)) for rule, at in stopping],
            frozen_since=min((self._day(at) for rule, at in self.flags if rule in TALKED_ABOUT), default=None),
            last_step_back=max((self._day(each.made_at) for each in backs), default=None),
            weekly_load=loads[-1],
            loads_before=loads[:-1] if self._ran_since(version) <= self.today - LOOKS_BACK else (),
            due=len(self.shares),
            attended=sum(share > 0 for share in self.shares),
            exposure=plan.exposure,
            on_rung_since=self._on_rung_since(version),
            declined=max((self._day(at) for at in noes if at), default=None),
        )

    def _day(self, at: datetime) -> date:
        return local_day(at.astimezone(ZoneInfo(self.time_zone)), daily=True)

    def _proposals_for(self, version: Version) -> list[Proposed]:
        return [each for each in self.proposals if each.programme == version.programme]

    def _ran_since(self, version: Version) -> date:
        return min(row.starts_on for row in self.versions if row.programme == version.programme)

    def _loads(self, sessions: Sequence[Trained]) -> list[float]:
        """RPE × minutes of five weeks of seven days, the last one up to today."""
        loads = [0.0] * 5
        for each in sessions:
            week = (self.today - each.local_day).days // 7
            if 0 <= week < 5:
                loads[4 - week] += (each.rpe or 0) * (each.minutes or 0)
        return loads

    def _until(self, version: Version) -> list[Version]:
        """The versions of a programme up to this one."""
        return [row for row in self.versions if row.programme == version.programme and row.version <= version.version]

    def _item(self, version: Version, item: Item, exercise: Exercise) -> steps.Item:
        """The exercise with the day of its last step, and its dose before a flare if that was the last step."""
        history = [(row, _item_of(row, item.exercise)) for row in self._until(version)]
        last, eased = history[0][0], None
        for (_, old), (row, new) in pairwise(history):
            if old != new:
                last = row
                eased = old.dose if old and row.rule == "flare" else None
        return steps.Item(exercise, item.dose, last.starts_on, eased)

    def _on_rung_since(self, version: Version) -> date:
        """The first day of the versions, counted back from this one, whose ladder stands where it stands now."""
        since = version.starts_on
        for row in reversed(self._until(version)):
            if row.plan.exposure != version.plan.exposure:
                break
            since = row.starts_on
        return since

    def _log(self, session: Trained, handled: set[UUID | None]) -> Log:
        version = next((row for row in self.versions if row.id == session.prescription), None)
        done = {}
        for each in session.content.exercises:
            item = _item_of(version, each.exercise) if version else None
            done[each.exercise] = Done(_extra(item.dose if item else None, each), each.too_hard)
        return Log(
            day=session.local_day,
            done=done,
            rpe=session.rpe,
            pain_before=session.pain_before,
            pain_during=session.pain_during,
            pain_after=session.pain_after,
            pain_next_day=session.pain_next_day,
            faced={
                each.task: Faced(each.fear_after, each.feared, each.actual, each.came_true)
                for each in session.content.exposures
            },
            handled=session.id in handled,
        )


def _item_of(version: Version, slug: str) -> Item | None:
    return next((item for item in version.plan.items if item.exercise == slug), None)


def _extra(prescribed: Dose | None, done: DoneItem) -> int:
    """Repetitions or breaths in the last set beyond what was prescribed."""
    for name in ("reps", "breaths"):
        asked, did = getattr(prescribed, name, None), getattr(done, name)
        if asked and did is not None:
            return int(did - asked)
    return 0


def read_past(patient_id: int, now: datetime) -> Past:
    """One statement, which looks no further where no programme may be in force. After every push, so written out."""
    with connection.cursor() as cursor:
        cursor.execute(
            _PAST,
            {
                "patient": patient_id,
                "now": now,
                "flags": [*STOPPING, *TALKED_ABOUT],
                "looks_back": LOOKS_BACK.days,
                "flare": f"{FLARE_DIARY}.flare",
            },
        )
        found = cursor.fetchone()
    if found is None:
        return Past(now.date(), "UTC", [], [], [], [], {}, [])
    return _past.decode(found[0])


_past = msgspec.json.Decoder(Past)
# The patient's day turns at 04:00, as in `outcomes.intake.local_day`.
_PAST = """
WITH me AS (
    SELECT id, time_zone, (%(now)s::timestamptz AT TIME ZONE time_zone - interval '4 hours')::date AS today
    FROM people_patient WHERE id = %(patient)s
)
SELECT json_build_object(
    'today', today,
    'time_zone', time_zone,
    'versions', (
        SELECT json_agg(json_build_object('id', id, 'programme', programme, 'version', version, 'starts_on', starts_on,
            'ends_on', ends_on, 'plan', plan, 'rule', rule,
            'exercises', CASE
                WHEN starts_on <= today + 1 AND (ends_on IS NULL OR ends_on >= today) THEN exercises
            END) ORDER BY programme, version)
        FROM exercises_prescription WHERE patient_id = me.id),
    'proposals', coalesce((
        SELECT json_agg(json_build_object('programme', programme, 'rule', rule, 'action', action, 'state', state,
            'session', session, 'digest', encode(digest, 'base64'), 'made_at', made_at, 'decided_at', decided_at)
            ORDER BY made_at)
        FROM exercises_proposal WHERE patient_id = me.id), '[]'),
    'sessions', coalesce((
        SELECT json_agg(json_build_object('id', id, 'programme', programme, 'prescription', prescription,
            'local_day', local_day, 'minutes', minutes, 'skipped', skipped, 'content', content, 'rpe', rpe,
            'pain_before', pain_before, 'pain_during', pain_during, 'pain_after', pain_after, 'pain_next_day', (
                SELECT pain_next_day FROM exercises_session_followup AS after
                WHERE after.patient_id = me.id AND after.session = done.id
                ORDER BY authored_at DESC, id DESC LIMIT 1)) ORDER BY authored_at, id)
        FROM exercises_session AS done
        WHERE patient_id = me.id AND live AND local_day >= today - %(looks_back)s::int), '[]'),
    'flags', coalesce((
        SELECT json_agg(json_build_array(rule, opened_at) ORDER BY opened_at)
        FROM outcomes_alert
        WHERE patient_id = me.id AND rule = ANY(%(flags)s::text[]) AND state NOT IN ('resolved', 'review')), '[]'),
    'flares', coalesce((
        SELECT json_object_agg(local_day, value) FROM (
            SELECT DISTINCT ON (local_day) local_day, value FROM outcomes_score
            WHERE patient_id = me.id AND live AND local_day >= today - %(looks_back)s::int
                AND measure_id = (SELECT id FROM outcomes_measure WHERE code = %(flare)s)
            ORDER BY local_day, at DESC) AS said), '{}'),
    'shares', coalesce((
        SELECT json_agg(value) FROM outcomes_score
        WHERE patient_id = me.id AND live AND local_day > today - 14
            AND measure_id = (SELECT id FROM outcomes_measure WHERE code = 'adherence.day')), '[]')
)::text
FROM me
WHERE EXISTS (
    SELECT FROM exercises_prescription
    WHERE patient_id = me.id AND starts_on <= today + 1 AND (ends_on IS NULL OR ends_on >= today)
)
"""
