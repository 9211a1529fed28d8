"""Home programmes as schedules: the versions of a prescription say on which days and between which hours."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, time

import msgspec
from uuid_utils.compat import uuid7

from backend.reminders.models import Schedule
from backend.reminders.slots import Remind, Rule, Weeks, Window
from exercises.models import Prescription

# A session is asked for once in the morning and once more in the afternoon. Own default, for a clinic to ratify.
SESSIONS = Rule(anchor="prescription", remind=Remind(after=0, nudges=1, every=480))


@dataclass(frozen=True)
class Stretch:
    """The days on which one version of a programme was in force, if on any, and what it asks for on them."""

    first: date
    last: date | None
    weekdays: tuple[int, ...]
    window: Window

    @property
    def was_in_force(self) -> bool:
        return self.last is None or self.last >= self.first

    def rule(self, schedules: Rule) -> Rule:
        """This version's days and hours, with the reminders and the grace of its schedule's rule."""
        return msgspec.structs.replace(
            schedules,
            anchor="date",
            windows=(self.window,),
            pattern=Weeks(on=self.weekdays),
            to_day=None if self.last is None else (self.last - self.first).days,
        )


def read_programmes(schedules: Iterable[Schedule]) -> dict[tuple[int, str], list[Stretch]]:
    """By patient and programme, its versions. One statement, none where no schedule asks for sessions."""
    asked = [schedule for schedule in schedules if schedule.rule.get("anchor") == "prescription"]
    found: dict[tuple[int, str], list[Stretch]] = defaultdict(list)
    if not asked:
        return found
    rows = Prescription.objects.filter(
        patient__in={schedule.patient_id for schedule in asked}, programme__in={schedule.code for schedule in asked}
    )
    for row in rows.only("patient_id", "programme", "starts_on", "ends_on", "plan").order_by("version"):
        window = Window(time.fromisoformat(row.plan["opens"]), time.fromisoformat(row.plan["closes"]))
        stretch = Stretch(row.starts_on, row.ends_on, tuple(row.plan["weekdays"]), window)
        found[row.patient_id, str(row.programme)].append(stretch)
    return found


def ask_for_sessions(programme: Prescription, now: datetime) -> None:
    """Let a programme be asked for, once: a schedule that the clinic has ended stays ended."""
    asked = {"patient_id": programme.patient_id, "asks": Schedule.Asks.SESSION, "code": str(programme.programme)}
    if not Schedule.objects.filter(**asked).exists():
        Schedule.objects.create(
            id=uuid7(),
            clinic_id=programme.clinic_id,
            rule=SESSIONS.to_json(),
            origin=programme.origin,
            created_by_id=programme.prescribed_by_id,
            created_at=now,
            **asked,
        )
