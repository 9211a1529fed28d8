"""A small clinic with a bit of everything, around the present moment."""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from django.utils import timezone

from backend.people.models import Clinic, Patient, Role, User
from outcomes.models import Alert, Baseline, Measure, Trend
from tests.backend.dashboard import builders


@dataclass
class Scenario:
    clinic: Clinic
    clinician: User
    worst: Patient
    everybody: list[Patient]
    waiting: int = 3
    """Alerts that nobody has taken on."""


def made(people: int = 14) -> Scenario:
    chance = random.Random(7)
    now = timezone.now()
    today = now.date()
    clinic = builders.clinic("Example Back Clinic", simulated=True, languages=["en"])
    builders_team = builders.team(clinic, "Team North")
    other = builders.team(clinic, "Team South")
    clinician = builders.colleague(clinic, builders_team, other)
    second = builders.clinic("Second Example Clinic")
    second.membership_set.create(user=clinician, role=Role.CLINICIAN)
    labels = ["worsened", "possibly-worsened", "no-clear-change", "possibly-improved", "improved", "unknown"]
    everybody = []
    for n in range(people):
        one = builders.patient(
            other if n % 3 == 0 else builders_team,
            f"Example Person {n + 1:02}",
            date_of_birth=today - timedelta(days=365 * (30 + 3 * n)),
            programme_started_on=today - timedelta(days=7 * n + 3) if n % 4 else None,
        )
        everybody.append(one)
        pain = [min(10, max(0, 6 - 0.04 * n * day / 4 + chance.gauss(0, 1))) for day in range(28)]
        series = [round(value) if chance.random() < 0.85 else None for value in pain]
        builders.scores(one, "daily-diary.pain-average", series, last=today)
        builders.scores(one, "daily-diary.fear", [value and max(value - 2, 0) for value in series], last=today)
        builders.scores(
            one, "adherence.day", [min(100.0, 40 + 5 * n + chance.gauss(0, 8)) for _ in range(28)], last=today
        )
        builders.scores(
            one, "phq-9.total", {today - timedelta(days=24): 9 + n % 4, today - timedelta(days=10): 7 + n % 5}
        )
        for code in ("daily-diary.pain-average", "daily-diary.fear", "phq-9.total", "adherence.day"):
            if n != 2:
                builders.trend(one, code, last_day=today)
        builders.summary(
            one,
            last_entry_day=today - timedelta(days=[0, 1, 0, 9, 2][n % 5]),
            pain=next(value for value in reversed(series) if value is not None),
            pain_change=chance.uniform(-3, 2),
            pain_label=labels[(n + 2) % 6],
            fear=4.0,
            fear_label="unknown",
            depression=7 + n % 5,
            depression_change=-2.0,
            depression_label="no-clear-change" if n % 4 else "possibly-worsened",
            adherence=min(100.0, 40 + 5 * n),
            adherence_change=4.0,
            adherence_label=labels[(n + 1) % 6],
        )
    worst = everybody[2]
    builders.alert(
        worst,
        opened_at=now,
        authored_at=now - timedelta(minutes=20),
        received_at=now - timedelta(minutes=15),
        due_at=now + timedelta(minutes=45),
    )
    builders.alert(worst, "DEP-1", severity=Alert.Severity.HIGH, opened_at=now, due_at=now + timedelta(hours=20))
    builders.alert(everybody[5], "PAIN-1", severity=Alert.Severity.MEDIUM, due_at=now - timedelta(hours=3), late=True)
    builders.alert(everybody[8], state="acknowledged", opened_at=now - timedelta(hours=5))
    builders.refused(worst, b'{"type": "response", "instrument": "nope", "version": "1", "answers": {"1": 2}}')
    builders.refused(everybody[4], b"not even JSON", kind="", status="conflict", errors=[])
    _history(worst, now)
    _trends(worst, now)
    return Scenario(clinic, clinician, worst, everybody)


def _history(of: Patient, now: datetime) -> None:
    """Two years with a gap, a flare and a correction."""
    chance = random.Random(11)
    last = now.date() - timedelta(days=29)
    average, worst, asleep = [], [], []
    for day in range(700):
        kept = chance.random() < 0.9 and not 300 < day < 340
        level = 5 + 2 * (day > 500) - 1.5 * (day < 200)
        value = min(10, max(0, round(chance.gauss(level, 1.1))))
        average.append(float(value) if kept else None)
        worst.append(float(min(10, value + chance.randint(0, 3))) if kept else None)
        asleep.append(float(max(0, value - chance.randint(0, 4))) if kept else None)
    builders.scores(of, "daily-diary.pain-average", average, last=last)
    builders.scores(of, "daily-diary.pain-worst", worst, last=last)
    builders.scores(of, "daily-diary.sleep", asleep, last=last)
    builders.scores(of, "daily-diary.flare", {now.date() - timedelta(days=n): 1.0 for n in (12, 13, 40)})
    totals = {now.date() - timedelta(days=n): float(chance.randint(6, 16)) for n in range(38, 700, 14)}
    builders.scores(of, "phq-9.total", totals)
    first = builders.response(
        of, "phq-9", {str(n): n % 4 for n in range(1, 10)}, now - timedelta(days=11), status="prorated"
    )
    answers = {str(n): n % 3 for n in range(1, 9)} | {"9": None}
    second = builders.response(of, "phq-9", answers, now - timedelta(days=10), replaces=first.id, clock_skew=1200)
    first.replaced_by, first.live = second.id, False
    first.save()
    diary = {
        "pain-now": 4,
        "pain-average": 5,
        "pain-worst": 7,
        "fear": 3,
        "mood": 2,
        "sleep": 6,
        "work": None,
        "flare": 1,
    }
    builders.response(of, "daily-diary", diary, now - timedelta(days=1))


def _trends(of: Patient, now: datetime) -> None:
    today = now.date()
    rows = [
        ("daily-diary.pain-average", 7.0, 6.6, 4.1, 2.5, "possibly-worsened"),
        ("daily-diary.fear", 5.0, 4.8, 4.0, 0.8, "unknown"),
        ("phq-9.total", 9.0, 8.7, 15.0, -6.0, "improved"),
        ("adherence.day", 71.0, 68.0, 65.0, 3.0, "no-clear-change"),
    ]
    for code, last, level, baseline, change, label in rows:
        measure = Measure.objects.get_or_create(code=code)[0]
        Trend.objects.create(
            clinic=of.clinic,
            patient=of,
            measure=measure,
            n=28,
            first_day=today - timedelta(days=80),
            last_day=today - timedelta(days=1),
            last_value=last,
            baseline=baseline,
            level=level,
            slope_per_week=0.21,
            slope_low=0.05,
            slope_high=0.4,
            change=change,
            change_label=label,
            enough_data=True,
            computed_at=now.astimezone(UTC),
        )
        Baseline.objects.create(
            clinic=of.clinic,
            patient=of,
            measure=measure,
            value=baseline,
            from_day=today - timedelta(days=80),
            to_day=today - timedelta(days=73),
        )
