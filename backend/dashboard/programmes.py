"""A patient's home programmes as a clinician reads them: what holds now, what held before, and what changed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

import msgspec
from django.utils.translation import gettext

from backend.dashboard.doses import dose_words
from backend.dashboard.gatekeeping import Obstacle, overridden
from backend.people.models import Patient
from exercises.entry import Exercise
from exercises.models import Pause, Prescription, Proposal, Session, SessionFollowup
from exercises.plan import Exposure, Item, Plan
from exercises.progression import SOURCES

PROPOSALS = 20


@dataclass
class Version:
    """One version; `changes` say how it differs from the one before it."""

    row: Prescription
    plan: Plan
    exercises: Mapping[str, Exercise]
    language: str
    changes: list[str]

    @property
    def items(self) -> list[dict[str, str]]:
        return [
            {"name": self.name(item.exercise), "dose": dose_words(item.dose), "form": item.form, "note": item.note}
            for item in self.plan.items
        ]

    @property
    def held(self) -> bool:
        """Whether it holds, or held, on any day: what was planned may be changed or stopped before it begins."""
        return self.row.ends_on is None or self.row.ends_on >= self.row.starts_on

    @property
    def overridden(self) -> list[Obstacle]:
        return overridden(self.row, self.exercises, self.language)

    def name(self, slug: str) -> str:
        return _name(slug, self.exercises, self.language)


@dataclass
class Programme:
    """All versions of a programme, the latest first."""

    versions: list[Version]
    pauses: list[Pause]
    today: date

    @property
    def latest(self) -> Version:
        return self.versions[0]

    @property
    def now(self) -> Version:
        """The version in force today; the first, while all are still to come, and the last once it is over."""
        begun = (each for each in self.versions if each.held and each.row.starts_on <= self.today)
        return next(begun, self.versions[-1])

    @property
    def planned(self) -> list[Version]:
        """Versions that follow the one in force on a later day, the next one first."""
        return [each for each in reversed(self.versions) if each.held and each.row.version > self.now.row.version]

    @property
    def stopped(self) -> bool:
        return self.over and bool(self.latest.row.stop_reason)

    @property
    def over(self) -> bool:
        ends_on = self.latest.row.ends_on
        return ends_on is not None and ends_on < self.today

    @property
    def to_come(self) -> bool:
        return self.now.row.starts_on > self.today

    @property
    def pause(self) -> Pause | None:
        """The pause that is under way."""
        here = (each for each in self.pauses if each.from_day <= self.today)
        return next((each for each in here if each.to_day is None or each.to_day >= self.today), None)

    @property
    def week(self) -> int | None:
        first = self.versions[-1].row.starts_on
        return (self.today - first).days // 7 + 1 if first <= self.today else None

    @property
    def phase(self) -> Any:
        """The phase of this week."""
        week = self.week or 1
        for phase in self.now.plan.phases:
            if week <= phase.weeks:
                return phase
            week -= phase.weeks
        return None


def programmes_of(patient: Patient, today: date, language: str) -> list[Programme]:
    """Those in force first, then the newest; two statements."""
    rows = Prescription.objects.filter(patient=patient).select_related("prescribed_by").order_by("-version")
    versions: dict[UUID, list[Prescription]] = {}
    for row in rows:
        versions.setdefault(row.programme, []).append(row)
    pauses: dict[UUID, list[Pause]] = {}
    for pause in Pause.objects.filter(patient=patient).order_by("-from_day", "-id"):
        pauses.setdefault(pause.programme, []).append(pause)
    found = [
        Programme(_versions(each, language), pauses.get(programme, []), today) for programme, each in versions.items()
    ]
    return sorted(found, key=lambda each: (each.over, -each.versions[-1].row.starts_on.toordinal()))


def _versions(rows: list[Prescription], language: str) -> list[Version]:
    found: list[Version] = []
    for row in reversed(rows):
        plan = msgspec.convert(row.plan, Plan)
        exercises = msgspec.convert(row.exercises, dict[str, Exercise])
        before = found[-1] if found else None
        known = {**before.exercises, **exercises} if before else exercises
        changes = differences(before.plan, plan, known, language) if before else []
        found.append(Version(row, plan, exercises, language, changes))
    return found[::-1]


def differences(old: Plan, new: Plan, exercises: Mapping[str, Exercise], language: str) -> list[str]:
    """What changed from one plan to the next, a few words each."""
    before, after = ({item.exercise: item for item in plan.items} for plan in (old, new))
    found = []
    for slug in dict.fromkeys([*before, *after]):
        words = _difference(before.get(slug), after.get(slug))
        if words:
            found.append(f"{_name(slug, exercises, language)}: {words}")
    both = [[slug for slug in items if slug in before and slug in after] for items in (before, after)]
    whole = (
        (both[0] != both[1], gettext("another order")),
        (old.weekdays != new.weekdays, gettext("other weekdays")),
        ((old.opens, old.closes) != (new.opens, new.closes), gettext("other times")),
        ((old.mode, old.limits) != (new.mode, new.limits), gettext("other limits")),
        (old.phases != new.phases, gettext("other phases")),
        (old.exposure != new.exposure, _climbed(old.exposure, new.exposure)),
    )
    return found + [words for changed, words in whole if changed]


def _climbed(old: Exposure | None, new: Exposure | None) -> str:
    """What changed on the ladder of feared tasks."""
    if old and new and old.ladder == new.ladder:
        return gettext("now practises “%(task)s”") % {"task": new.rung.task}
    return gettext("another ladder of feared tasks")


def _difference(old: Item | None, new: Item | None) -> str:
    if new is None:
        return gettext("taken out")
    if old is None:
        return gettext("added, %(dose)s") % {"dose": dose_words(new.dose)}
    one, other = dose_words(old.dose), dose_words(new.dose)
    if one != other:
        return f"{one} → {other}"
    return gettext("now in its %(form)s form") % {"form": new.form} if old.form != new.form else ""


def _name(slug: str, exercises: Mapping[str, Exercise], language: str) -> str:
    entry = exercises.get(slug)
    return entry.words_in(language).name if entry else slug


@dataclass
class Proposed:
    row: Proposal
    source: str


def proposals_of(patient: Patient) -> tuple[list[Proposed], list[Proposed]]:
    """Those that wait for somebody, and the latest that don't; two statements."""
    rows = Proposal.objects.filter(patient=patient).select_related("decided_by").order_by("-made_at", "-id")
    waiting = rows.filter(state=Proposal.State.WAITING)
    settled = rows.exclude(state=Proposal.State.WAITING)[:PROPOSALS]
    return list(_with_source(waiting)), list(_with_source(settled))


def _with_source(rows: Iterable[Proposal]) -> Iterable[Proposed]:
    return (Proposed(row, SOURCES.get(row.rule, "")) for row in rows)


SESSIONS = 12


@dataclass
class Trained:
    """A session as it was logged, with the pain of the day after."""

    row: Session
    next_day: int | None

    @property
    def note(self) -> str:
        return str(self.row.content.get("note") or "")

    @property
    def title(self) -> str:
        """What was done, as the phone named it."""
        return ", ".join(each["exercise"].replace("-", " ") for each in self.row.content.get("exercises") or [])


def sessions_of(patient: Patient) -> list[Trained]:
    """The latest sessions; two statements."""
    rows = list(Session.objects.filter(patient=patient, live=True).order_by("-local_day", "-authored_at")[:SESSIONS])
    after = SessionFollowup.objects.filter(patient=patient, session__in=[row.id for row in rows])
    next_day = dict(after.order_by("authored_at").values_list("session", "pain_next_day"))
    return [Trained(row, next_day.get(row.id)) for row in rows]
