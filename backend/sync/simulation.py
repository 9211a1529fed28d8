"""Made-up people with low back pain and what their phones would have sent: a seeded generator, without the database.

Each person has a course (where the pain is heading), habits (how faithfully they log and train), a home zone, and
perhaps a journey. The numbers are chosen to look like diaries of people with chronic low back pain, nothing more: they
are no source for anything clinical.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from random import Random
from uuid import UUID
from zoneinfo import ZoneInfo

from exercises.dose import Sets
from exercises.items import DoneItem, ExposureItem, FollowupItem, Reason, SessionItem
from exercises.library import library
from exercises.plan import Plan
from outcomes.intake import ResponseItem

Item = ResponseItem | SessionItem | FollowupItem

DAYS = 180
FOLLOWED = 10  # people, as many as there are programmes
BEFORE_PROGRAMME = 14  # days of diary from which the baseline is taken

# Of 42 people; what is over starts again from the left.
COURSES = (
    *["improver"] * 12,
    *["plateau"] * 8,
    *["flares"] * 7,
    *["steady"] * 6,
    *["worsening"] * 5,
    *["relapse"] * 4,
)
ZONES = (*["Europe/Zurich"] * 9, *["Europe/London"] * 2, "Europe/Helsinki", "America/New_York", "Asia/Kolkata")
ABROAD = ("America/Sao_Paulo", "Asia/Tokyo", "Australia/Adelaide", "Atlantic/Azores")
SKIPPED: tuple[Reason, ...] = ("pain", "fear", "time", "time", "forgot", "forgot", "ill", "too-hard")


@dataclass(frozen=True)
class Flare:
    first: int
    length: int
    height: float

    def at(self, day: int) -> float:
        """Up within two days, then slowly down."""
        since = day - self.first
        if not 0 <= since < self.length:
            return 0
        return self.height * min(1, (since + 1) / 2) * (1 - since / self.length)


@dataclass(frozen=True)
class Person:
    """One made-up patient. Days are counted from `first_day`; `silent` days have no entries at all."""

    number: int
    course: str
    zone: str
    first_day: date
    days: int
    pain: float
    low_mood: float  # where PHQ-9 hovers
    fear: float
    faithful: float  # the share of days with a diary entry
    diligent: float  # the share of due sessions that are done
    size: float  # how far the course goes, in points of pain
    pace: float  # days in which most of an improvement comes
    silent: frozenset[int] = frozenset()
    flares: tuple[Flare, ...] = ()
    journey: tuple[int, int, str] | None = None  # from day, to day, zone
    dark: bool = False  # the last PHQ-9 says yes to item 9
    weekdays: tuple[int, ...] = (1, 3, 5)

    @property
    def programme_day(self) -> date:
        return self.first_day + timedelta(days=BEFORE_PROGRAMME)

    @property
    def looks(self) -> frozenset[int]:
        """The days after which the rules of progression look: as a flare comes, when it has gone, and now and then.

        Only the first are followed so; the others' phones bring everything at once, or a demo would take too long.
        """
        if self.number > FOLLOWED:
            return frozenset()
        regularly = range(BEFORE_PROGRAMME + 28, self.days, 42)
        flares = (day for flare in self.flares[:2] for day in (flare.first + 1, flare.first + flare.length + 3))
        return frozenset(day for day in (*regularly, *flares) if day > BEFORE_PROGRAMME)

    @property
    def rests(self) -> tuple[tuple[int, int, str], ...]:
        """From day, to day and reason of when the programme is paused."""
        away = ((self.journey[0], self.journey[1], "holiday"),) if self.journey and self.number % 3 else ()
        ill = ((60, 68, "illness"),) if self.number % 5 == 1 and self.days > 90 else ()
        return (*away, *ill)

    def zone_on(self, day: int) -> str:
        return self.journey[2] if self.journey and self.journey[0] <= day < self.journey[1] else self.zone

    def in_flare(self, day: int) -> bool:
        return any(flare.at(day) > 0.5 for flare in self.flares)

    def expected_pain(self, day: int) -> float:
        """Where pain would be without the noise of the day, on 0–10."""
        since = max(0, day - BEFORE_PROGRAMME)
        change = {
            "improver": -self.size * (1 - math.exp(-since / self.pace)),
            "plateau": -0.5 * self.size * (1 - math.exp(-since / 12)),
            "flares": -0.2 * self.size * (1 - math.exp(-since / self.pace)),
            "steady": 0.0,
            "worsening": 0.7 * self.size * since / DAYS,
            "relapse": -self.size * math.sin(math.pi * min(1.0, since / 120)),
        }[self.course]
        return self.pain + change + sum(flare.at(day) for flare in self.flares)


def people(count: int, last_day: date, seed: int) -> list[Person]:
    """So many people, the same for the same seed. Most have the whole half year, some joined later."""
    return [_person(number, last_day, Random(f"{seed} person {number}")) for number in range(1, count + 1)]


def _person(number: int, last_day: date, random: Random) -> Person:
    course = COURSES[(number * 5) % len(COURSES)]  # 5 and 42 have no common factor: all courses, well mixed
    days = DAYS if random.random() < 0.8 else random.randint(60, 150)
    silent: set[int] = set()
    if number % 7 == 3:  # gives up
        silent.update(range(random.randint(35, max(40, days - 30)), days + 1))
    if random.random() < 0.35:  # forgets the phone for a while
        for _ in range(random.randint(1, 3)):
            start = random.randint(20, days)
            silent.update(range(start, start + random.randint(6, 24)))
    every = 25 if course == "flares" else 90
    flares = []
    day = round(random.expovariate(1 / every))
    while day < days:
        flares.append(Flare(day, random.randint(5, 13), random.uniform(2, 3.8)))
        day += flares[-1].length + round(random.expovariate(1 / every))
    journey = None
    if number % 8 == 2 and days > 100:
        start = random.randint(40, days - 40)
        journey = (start, start + random.randint(10, 25), random.choice(ABROAD))
    return Person(
        number=number,
        course=course,
        zone=random.choice(ZONES),
        first_day=last_day - timedelta(days=days - 1),
        days=days,
        pain=min(7.5, max(3.0, random.gauss(5.4, 1.1))),
        low_mood=min(18.0, max(1.0, random.gauss(8, 4))),
        fear=min(9.0, max(1.0, random.gauss(5, 1.8))),
        faithful=random.betavariate(7, 2),
        diligent=random.betavariate(5, 2.5),
        size=random.uniform(2.4, 4.0),
        pace=random.uniform(25, 55),
        silent=frozenset(silent),
        flares=tuple(flares),
        journey=journey,
        dark=number % 14 == 5,
        weekdays=random.choice([(1, 3, 5), (2, 4, 6), (1, 2, 4, 6), (1, 4)]),
    )


@dataclass
class Phone:
    """Writes one person's items, up to `now`."""

    person: Person
    now: datetime
    seed: int
    random: Random = field(init=False)
    noise: float = 0.0

    def __post_init__(self) -> None:
        self.random = Random(f"{self.seed} phone {self.person.number}")

    def items(self, prescription: UUID, plan: Plan) -> Iterator[Item]:
        """Everything that the person logged: diaries, questionnaires, sessions and how the day after was."""
        for day in range(self.person.days):
            yield from self.on(day, prescription, plan)

    def on(self, day: int, prescription: UUID, plan: Plan) -> Iterator[Item]:
        """What the person logged of one day. To be asked for day by day, in order."""
        person = self.person
        # Today is a little like yesterday.
        self.noise = 0.45 * self.noise + self.random.gauss(0, 0.9)
        pain = min(10.0, max(0.0, person.expected_pain(day) + self.noise))
        draws = Random(self.random.random())  # a day's own, so that what is left out today changes no other day
        if day in person.silent:
            return
        for item in (
            *self._diary(day, pain, draws),
            *self._questionnaires(day, draws),
            *self._session(day, pain, prescription, plan, draws),
        ):
            if _authored(item) <= self.now:
                yield item

    def _at(self, day: int, clock: time) -> datetime:
        zone = ZoneInfo(self.person.zone_on(day))
        return datetime.combine(self.person.first_day + timedelta(days=day), clock, zone)

    def _response(
        self, code: str, day: int, clock: time, answers: dict[str, int | None], late: int = 0
    ) -> ResponseItem:
        at = self._at(day + late, clock)
        zone = self.person.zone_on(day + late)
        return ResponseItem(_id(at, self.random), code, "1", at, zone, dict(answers))

    def _diary(self, day: int, pain: float, draws: Random) -> Iterator[Item]:
        person = self.person
        if draws.random() > person.faithful:
            return
        relief = pain - person.pain
        fear = person.fear + 0.5 * relief + draws.gauss(0, 0.9)
        mood = 0.4 * person.low_mood + 0.35 * relief + draws.gauss(0, 1)
        answers: dict[str, int | None] = {
            "pain-now": _scale(pain + draws.gauss(0, 0.8)),
            "pain-average": _scale(pain),
            "pain-worst": _scale(pain + abs(draws.gauss(1.5, 0.8))),
            "fear": _scale(fear),
            "mood": _scale(mood),
            "sleep": _scale(0.6 * pain + draws.gauss(1.5, 1.3)),
            "work": _scale(0.7 * pain + draws.gauss(0.5, 1.2)),
            # Felt, not computed: most flare days are called one, and a few others too.
            "flare": int(draws.random() < (0.7 if person.in_flare(day) else 0.02)),
        }
        if draws.random() < 0.04:
            answers[draws.choice(["fear", "mood", "sleep", "work"])] = None
        if draws.random() < 0.04:  # after midnight, about the day before
            yield self._response("daily-diary", day, time(0, draws.randint(5, 55)), answers, late=1)
        else:
            yield self._response("daily-diary", day, time(draws.randint(18, 22), draws.randint(0, 59)), answers)

    def _questionnaires(self, day: int, draws: Random) -> Iterator[Item]:
        person = self.person
        relief = person.expected_pain(day) - person.pain
        clock = time(draws.randint(9, 20), draws.randint(0, 59))
        dark = person.dark and day + 14 >= person.days
        if day % 14 == 0 and (draws.random() < 0.9 or dark):
            each = max(0.0, (person.low_mood + 1.1 * relief) / 9)
            answers: dict[str, int | None] = {str(item): _scale(draws.gauss(each, 0.6), 3) for item in range(1, 9)}
            answers["9"] = int(dark)
            if draws.random() < 0.03:
                answers[str(draws.randint(1, 8))] = None
            yield self._response("phq-9", day, clock, answers)
        if day % 28 == 7 and draws.random() < 0.85:
            each = 1 + 3 * min(1.0, max(0.0, (person.fear + 0.6 * relief) / 10))
            yield self._response(
                "tsk-11", day, clock, {str(item): 1 + _scale(draws.gauss(each, 0.7) - 1, 3) for item in range(1, 12)}
            )
        if day - BEFORE_PROGRAMME in (28, 84, 140):
            # 1 very much improved … 4 no change … 7 very much worse
            yield self._response("pgic", day, clock, {"change": 1 + _scale(3 + relief + draws.gauss(0, 0.6), 6)})

    def _session(self, day: int, pain: float, prescription: UUID, plan: Plan, draws: Random) -> Iterator[Item]:
        person = self.person
        date_ = person.first_day + timedelta(days=day)
        if day < BEFORE_PROGRAMME or date_.isoweekday() not in person.weekdays:
            return
        if any(first <= day < last for first, last, _ in person.rests):
            return
        tiring = math.exp(-(day - BEFORE_PROGRAMME) / 400) * (0.5 if person.in_flare(day) else 1)
        start = self._at(day, time(draws.randint(7, 19), draws.randint(0, 59)))
        zone = person.zone_on(day)
        session_id = _id(start, self.random)
        if draws.random() > person.diligent * tiring:
            if draws.random() < 0.4:
                yield SessionItem(
                    session_id, zone, prescription, authored_at=start, skipped=draws.choice(SKIPPED)
                )  # fmt: skip
            return
        minutes = max(5, round(draws.gauss(22, 5)))
        worse = max(0.0, draws.gauss(0.4, 0.8))
        moving = 0.75 * pain  # to move eases, for the most part
        short = draws.random() < 0.15
        yield SessionItem(
            session_id,
            zone,
            prescription,
            started_at=start,
            finished_at=start + timedelta(minutes=minutes),
            rpe=_scale(draws.gauss(_effort(plan), 1)),
            pain_before=_scale(pain),
            pain_during=_scale(moving + worse),
            pain_after=_scale(moving + worse / 2),
            exercises=_done(plan, short, strong=person.course == "improver" and draws.random() < 0.3),
            exposures=_faced(plan, pain, draws),
        )
        if draws.random() < 0.6 and day + 1 < person.days and day + 1 not in person.silent:
            morning = self._at(day + 1, time(8, draws.randint(0, 59)))
            yield FollowupItem(_id(morning, self.random), session_id, morning, _scale(pain + draws.gauss(-0.5, 0.6)))


def _effort(plan: Plan) -> float:
    """The middle of what the exercises ask for."""
    aims = [sum(library().exercises[item.exercise].rpe) / 2 for item in plan.items]
    return sum(aims) / len(aims)


def _done(plan: Plan, short: bool, strong: bool) -> list[DoneItem]:
    """As prescribed; on a short day only the first exercise, on a strong one two repetitions more."""
    done = []
    for place, item in enumerate(plan.items):
        reps = item.dose.reps if isinstance(item.dose, Sets) else None
        more = reps + 2 if strong and reps and not short else None
        done.append(DoneItem(item.exercise, completed=not (short and place), reps=more))
    return done


def _faced(plan: Plan, pain: float, draws: Random) -> list[ExposureItem]:
    """The task that the ladder of fear is at: some of the fear goes, and mostly it hurts less than expected."""
    if plan.exposure is None:
        return []
    rung = plan.exposure.rung
    before = _scale(draws.gauss(rung.fear, 8), 100)
    return [
        ExposureItem(
            rung.task,
            fear_before=before,
            fear_after=_scale(before * draws.uniform(0.4, 1), 100),
            feared=_scale(pain + draws.gauss(2, 1)),
            actual=_scale(pain + draws.gauss(0.5, 0.8)),
        )
    ]


def _authored(item: Item) -> datetime:
    at = item.finished_at or item.authored_at if isinstance(item, SessionItem) else item.authored_at
    if at is None:
        raise ValueError("a session says when it ended, or when it was skipped")
    return at


def _scale(value: float, highest: int = 10) -> int:
    return min(highest, max(0, round(value)))


def _id(at: datetime, random: Random) -> UUID:
    """A UUIDv7 as the phone would have made it then, the same for the same seed."""
    milliseconds = int(at.timestamp() * 1000)
    return UUID(int=milliseconds << 80 | 0x7 << 76 | random.getrandbits(12) << 64 | 0b10 << 62 | random.getrandbits(62))
