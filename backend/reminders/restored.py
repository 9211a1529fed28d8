"""What of this room comes back with the records of an export: what is asked when, and what was answered of it.

Nothing that was said is said again, and no reminder of a window that stood open is.
"""

from __future__ import annotations

from datetime import datetime

from backend.people.restoring import Table, WrongError
from backend.reminders.models import Absence, ReminderSettings, Schedule, Seen, Slot, Week
from backend.reminders.scheduling import ScheduleError, check_assignable


def _may_be_asked(schedule: Schedule, _now: datetime) -> None:
    """As when it is set: an answer that must be read promptly is asked for only where somebody does."""
    if schedule.active and schedule.asks == Schedule.Asks.INSTRUMENT:
        try:
            check_assignable(schedule.patient, schedule.code)
        except ScheduleError as error:
            raise WrongError(f"code: {error}") from None


def _silent(slot: Slot, _now: datetime) -> None:
    slot.remind_at = None


TABLES = (
    Table(Schedule, check=_may_be_asked),
    Table(Slot, parent="schedule", check=_silent),
    Table(ReminderSettings, key=()),
    Table(Absence),
    Table(Week),
    Table(Seen),
)
