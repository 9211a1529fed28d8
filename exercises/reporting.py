"""A patient's adherence as a clinician reads it: day by day, by week, by modality and as a whole."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any
from uuid import UUID

import msgspec
import numpy as np
from django.db.models import Max, Q

from exercises import adherence
from exercises.adherence import Days, Periods, Sessions, State, load_jump, settle, weeks
from exercises.done import share_by_modality
from exercises.entry import Exercise
from exercises.items import DoneItem
from exercises.models import Pause, Prescription, Session
from exercises.plan import Plan


class Day(msgspec.Struct):
    """A due day and what became of it; `share` is of the dose, 0 to 1."""

    day: date
    state: str
    share: float


class Week(msgspec.Struct):
    """Sessions due and done (at least partly), the mean share of the dose, and the load (RPE × minutes).

    `load_jump` is how much the load exceeds the mean of the four weeks before: 0.3 is 30 % more; null without them.
    """

    monday: date
    due: int
    done: int
    dose: float | None
    load: float
    load_jump: float | None
    met_minutes: float


class Report(msgspec.Struct):
    """One programme from its first day on. `streak` counts back from the last settled day; pauses are left out."""

    programme: UUID
    due: int
    done: int
    dose: float | None
    streak: int
    longest_streak: int
    longest_gap: int
    by_modality: dict[str, float]
    days: list[Day]
    weeks: list[Week]


class Logged(msgspec.Struct, frozen=True):
    """What a report needs of a session. What was done of each exercise is in `done`, without note and feared tasks."""

    programme: UUID
    prescription: UUID | None
    local_day: date
    share: float
    going_on: bool
    skipped: str
    rpe: int | None
    minutes: float | None
    met_minutes: float
    done: list[dict[str, Any]] | None


def reports(patient_id: int, today: date, newest: int | None = None) -> list[Report]:
    """The programmes of a patient, the newest first, or only so many of them; three statements.

    Of each session only what its report needs is read, and nothing of programmes that aren't reported.
    """
    rows = Prescription.objects.filter(patient=patient_id).only(
        "programme", "version", "starts_on", "ends_on", "weekdays", "plan", "exercises"
    )
    if newest is not None:
        begun = Prescription.objects.filter(patient=patient_id).values("programme").annotate(last=Max("starts_on"))
        rows = rows.filter(programme__in=begun.order_by("-last", "programme").values("programme")[:newest])
    versions: dict[UUID, list[Prescription]] = {}
    for row in rows.order_by("-starts_on", "version"):
        versions.setdefault(row.programme, []).append(row)
    pauses = list(Pause.objects.filter(patient=patient_id, programme__in=versions))
    logged = Session.objects.filter(patient=patient_id, live=True, programme__in=versions).order_by("local_day")
    sessions = [Logged(*row) for row in logged.values_list(*Logged.__struct_fields__[:-1], "content__exercises")]
    return [
        _report(
            programme,
            sorted(rows, key=lambda row: row.version),
            [each for each in pauses if each.programme == programme],
            [each for each in sessions if each.programme == programme],
            today,
        )
        for programme, rows in versions.items()
    ]


def _report(
    programme: UUID,
    versions: Sequence[Prescription],
    pauses: Sequence[Pause],
    sessions: Sequence[Logged],
    today: date,
) -> Report:
    end = today.toordinal() + 7
    days = settle(
        Periods.of(
            (0, row.starts_on.toordinal(), row.ends_on.toordinal() if row.ends_on else end, row.weekdays)
            for row in versions
        ),
        Periods.of((0, row.from_day.toordinal(), row.to_day.toordinal() if row.to_day else end, 0) for row in pauses),
        Sessions.of((0, row.local_day.toordinal(), row.share, row.going_on, bool(row.skipped)) for row in sessions),
        adherence.monday(min(row.starts_on for row in versions).toordinal()),
        np.array([today.toordinal()]),
    )
    whole = adherence.overall(days, 0)
    return Report(
        programme=programme,
        due=whole.due,
        done=whole.done,
        dose=whole.dose,
        streak=whole.streak,
        longest_streak=whole.longest_streak,
        longest_gap=whole.longest_gap,
        by_modality=_by_modality(versions, sessions),
        days=_days(days),
        weeks=_weeks(days, sessions, today),
    )


def _weeks(days: Days, sessions: Sequence[Logged], today: date) -> list[Week]:
    by_week = weeks(days)
    settled = {
        int(monday): (int(due), int(done), float(dose))
        for monday, due, done, dose in zip(by_week.monday, by_week.due, by_week.done, by_week.dose, strict=True)
    }
    loads: dict[int, float] = {}
    met_minutes: dict[int, float] = {}
    for row in sessions:
        monday = adherence.monday(row.local_day.toordinal())
        loads[monday] = loads.get(monday, 0) + (row.rpe or 0) * (row.minutes or 0)
        met_minutes[monday] = met_minutes.get(monday, 0) + row.met_minutes
    found = sorted(settled.keys() | loads.keys())
    result = []
    for monday in range(found[0], adherence.monday(today.toordinal()) + 1, 7) if found else ():
        due, done, dose = settled.get(monday, (0, 0, None))
        before = [loads.get(monday - 7 * back, 0.0) for back in (4, 3, 2, 1) if monday - 7 * back >= found[0]]
        result.append(
            Week(
                monday=date.fromordinal(monday),
                due=due,
                done=done,
                dose=dose,
                load=loads.get(monday, 0),
                load_jump=load_jump(loads.get(monday, 0), before),
                met_minutes=round(met_minutes.get(monday, 0), 1),
            )
        )
    return result


def _by_modality(versions: Sequence[Prescription], sessions: Sequence[Logged]) -> dict[str, float]:
    """The mean share of the dose over the sessions that took place, for each modality."""
    known = {
        row.pk: (msgspec.convert(row.plan, Plan), msgspec.convert(row.exercises, dict[str, Exercise]))
        for row in versions
    }
    shares: dict[str, list[float]] = {}
    for session in sessions:
        if session.skipped or session.prescription not in known:
            continue
        plan, exercises = known[session.prescription]
        done = msgspec.convert(session.done or [], list[DoneItem])
        for modality, share in share_by_modality(plan, exercises, done, session.minutes).items():
            shares.setdefault(modality, []).append(share)
    return {modality: round(sum(each) / len(each), 3) for modality, each in sorted(shares.items())}


def kept(patient_id: int, first: date, last: date, today: date) -> tuple[list[Day], dict[date, float]]:
    """What became of the due days of these whole weeks, of all programmes, and the minutes trained on each day.

    Three statements that read these weeks alone. `first` is a Monday and `last` a Sunday.
    """
    overlapping = Q(ends_on=None) | Q(ends_on__gte=first)
    versions = Prescription.objects.filter(overlapping, patient=patient_id, starts_on__lte=last)
    periods = list(versions.values_list("programme", "starts_on", "ends_on", "weekdays"))
    number = {programme: place for place, programme in enumerate(dict.fromkeys(row[0] for row in periods))}
    resting = Pause.objects.filter(Q(to_day=None) | Q(to_day__gte=first), patient=patient_id, from_day__lte=last)
    pauses = [row for row in resting.values_list("programme", "from_day", "to_day") if row[0] in number]
    logged = list(
        Session.objects.filter(patient=patient_id, live=True, local_day__range=(first, last)).values_list(
            "programme", "local_day", "share", "going_on", "skipped", "minutes"
        )
    )
    days = settle(
        Periods.of(
            (number[programme], start.toordinal(), min(end or last, last).toordinal(), weekdays)
            for programme, start, end, weekdays in periods
        ),
        Periods.of((number[row[0]], row[1].toordinal(), min(row[2] or last, last).toordinal(), 0) for row in pauses),
        Sessions.of(
            (number[programme], day.toordinal(), share, going_on, bool(skipped))
            for programme, day, share, going_on, skipped, _minutes in logged
            if programme in number
        ),
        first.toordinal(),
        np.full(len(number), today.toordinal(), np.int64),
    )
    minutes: dict[date, float] = {}
    for _programme, day, _share, _going_on, skipped, trained in logged:
        if not skipped:
            minutes[day] = minutes.get(day, 0) + (trained or 0)
    return _days(days), minutes


def _days(days: Days) -> list[Day]:
    return [
        Day(date.fromordinal(int(day)), State(state).name.lower().replace("_", "-"), round(float(share), 3))
        for day, state, share in zip(days.day, days.state, days.share, strict=True)
    ]
