"""Whether a home programme moves up, holds or steps back, by rules that clinician and patient can read.

Pure functions on plain values. Rules in this order, the first that fits decides: stop, flare, red, quota or
pain-contingent by the prescription's mode, 2-for-2, deload. Sources stand in `SOURCES`; `exercises.words` says a
proposal in words. A hold or a step back applies at once within the limits that the clinician signed, and never to
zero; a step up waits for the clinician unless those limits allow it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from typing import Literal

from exercises.adherence import LOAD_JUMP, load_jump, volume
from exercises.plan import Exposure, Limits, Mode, Rung
from exercises.steps import LADDER, Item, Step, back_to, easier, harder, lighten, raised

VERSION = "1"

GREEN_UP_TO = 3  # pain 0–3 of 10: go on
RED_ABOVE = 5  # pain 4–5 is amber, above 5 is red
RETEST_AFTER, RETEST_BEFORE = timedelta(hours=48), timedelta(hours=72)
SILENT_FLARE = timedelta(days=7)  # a flare of which nothing more was said goes on for so long: own default
QUOTA_EVERY = timedelta(days=7)
AFTER_FLARE = timedelta(days=14)  # pain-contingent for so long
FEAR_DOWN_TO = 0.5  # of what the ladder says: then the next task
PAIN_LESS_BY = 2  # than expected of 10: the least that is more than chance (Ostelo 2008, NRS); own default
EXTRA_REPS, EXTRA_SESSIONS = 2, 2  # the 2-for-2 rule
LEAST_ADHERENCE = 0.5  # below this share of the due sessions in two weeks the dose is not escalated

SOURCES = {
    "stop": "clinical reference, section 5: cauda equina signs, syncope, chest pain; night pain or neurological sign",
    "flare": "Costa 2019 (a flare is asked for, not inferred); −30–50 % volume, re-test after 48–72 h: own default",
    "red": "Thomeé 1997, Silbernagel (pain monitoring): above 5, or not back to baseline within 24 hours",
    "quota": "Fordyce; Lindström 1992: +10–20 % a week, whatever the pain up to 5",
    "pain-contingent": "Thomeé 1997, Silbernagel: 4–5 hold; adjusted to symptoms in the two weeks after a flare",
    "exposure": "Vlaeyen 2001; clinical reference, section 5: until fear is down by half or the expectation violated",
    "2-for-2": "two extra repetitions at the target effort in the last set, in two sessions: one variable up",
    "deload": "session-RPE × minutes (Foster 2001); a week more than 30 % above the four before: own default",
    "red-flag-open": "clinical reference, section 5: no step up while a red flag of the stopping kinds is open",
    "frozen": "clinical reference, section 5: progression is frozen and a clinician decides",
}

Action = Literal["stop", "step-back", "hold", "step-up"]


@dataclass(frozen=True, slots=True)
class Done:
    """What was done of one exercise. `extra` is by how much the last set went beyond the prescribed repetitions."""

    extra: int = 0
    too_hard: bool = False


@dataclass(frozen=True, slots=True)
class Faced:
    """A feared task that was faced: fear after it (0–100), the pain that was expected and that came (0–10)."""

    fear_after: int | None = None
    feared: int | None = None
    actual: int | None = None
    came_true: bool | None = None


@dataclass(frozen=True, slots=True)
class Log:
    """One session that took place. `handled`: an earlier step back was already about this session."""

    day: date
    done: Mapping[str, Done]
    rpe: int | None = None
    pain_before: int | None = None
    pain_during: int | None = None
    pain_after: int | None = None
    pain_next_day: int | None = None
    faced: Mapping[str, Faced] = field(default_factory=dict)
    handled: bool = False

    @property
    def worst(self) -> int | None:
        known = [pain for pain in (self.pain_during, self.pain_after) if pain is not None]
        return max(known, default=None)

    @property
    def settled(self) -> bool | None:
        """Whether pain was back to where it began within a day; None where that is not known."""
        if self.pain_next_day is None or self.pain_before is None:
            return None
        return self.pain_next_day <= self.pain_before

    @property
    def red(self) -> bool:
        return (self.worst is not None and self.worst > RED_ABOVE) or self.settled is False


@dataclass(frozen=True, slots=True)
class Sign:
    """A red flag by its code, and the day on which it was reported."""

    code: str
    day: date


@dataclass(frozen=True, slots=True)
class Situation:
    """All that the rules look at. `sessions` are in order; `flares` are days on which the patient said "flare".

    `calm_on` is the last day on which they said that there is none. `new_signs` are stopping signs that no proposal has
    been about yet, `open_flags` all stopping ones that are open; `frozen_since` is when item 9 froze progression.
    `weekly_load` is this week's, `loads_before` the four before. `due` and `attended` count the sessions of the last
    two weeks. The ladder's task of now was prescribed from `on_rung_since` on. On `declined` a clinician last said no
    to a quota's step.
    """

    today: date
    mode: Mode
    limits: Limits
    items: Sequence[Item]
    sessions: Sequence[Log] = ()
    flares: Sequence[date] = ()
    calm_on: date | None = None
    new_signs: Sequence[Sign] = ()
    open_flags: Sequence[Sign] = ()
    frozen_since: date | None = None
    last_step_back: date | None = None
    weekly_load: float = 0
    loads_before: Sequence[float] = ()
    due: int = 0
    attended: int = 0
    exposure: Exposure | None = None
    on_rung_since: date = date.min
    declined: date | None = None


@dataclass(frozen=True, slots=True)
class Input:
    """Something that a proposal rests on, and the day it is from."""

    name: str
    value: float | str
    day: date


@dataclass(frozen=True, slots=True)
class Proposal:
    """What a rule proposes. `applies`: within the signed limits, so at once; otherwise it waits for the clinician."""

    rule: str
    action: Action
    inputs: tuple[Input, ...]
    steps: tuple[Step, ...] = ()
    applies: bool = True
    version: str = field(default=VERSION)

    @property
    def source(self) -> str:
        return SOURCES[self.rule]


def propose(now: Situation) -> Proposal | None:
    """The first rule's word on this situation, or None where nothing needs to be said."""
    return next(proposals(now), None)


def proposals(now: Situation) -> Iterator[Proposal]:
    """What each rule says, in the order of precedence: a later one counts where a clinician declined the first."""
    for rule in (_stop, _flare, _red, _by_mode, _two_for_two, _deload):
        if proposal := rule(now):
            yield _restrained(proposal, now)


def _restrained(proposal: Proposal, now: Situation) -> Proposal:
    """Red flags stand above every rule: no step up while one is open, and nothing by itself while item 9 is."""
    if proposal.action == "stop":
        return proposal
    if now.frozen_since:
        since = Input("frozen", "yes", now.frozen_since)
        if proposal.action == "step-up":
            return Proposal("frozen", "hold", (since,))
        return replace(proposal, inputs=(*proposal.inputs, since), applies=proposal.action == "hold")
    if proposal.action == "step-up":
        if now.open_flags:
            flags = tuple(Input("open flag", flag.code, flag.day) for flag in now.open_flags)
            return Proposal("red-flag-open", "hold", flags)
        return replace(proposal, applies=now.limits.step_up)
    if proposal.action == "step-back":
        cut = max((_cut(step, now) for step in proposal.steps), default=0)
        return replace(proposal, applies=cut <= now.limits.step_back / 100 and now.limits.step_back > 0)
    return proposal


def _stop(now: Situation) -> Proposal | None:
    if not now.new_signs:
        return None
    return Proposal("stop", "stop", tuple(Input("sign", sign.code, sign.day) for sign in now.new_signs))


def _flare(now: Situation) -> Proposal | None:
    days = sorted(day for day in now.flares if day <= now.today)
    if not days:
        return None
    said_over = now.calm_on is not None and now.calm_on > days[-1]
    if now.today - days[-1] > (RETEST_BEFORE if said_over else SILENT_FLARE):
        return None
    start = days[-1]
    for day in reversed(days):
        if start - day > RETEST_BEFORE:
            break
        start = day
    inputs = (Input("flare", "said so", days[-1]),)
    if now.last_step_back and now.last_step_back >= start:
        return Proposal("flare", "hold", inputs)
    return _step_back("flare", inputs, [step for item in now.items if (step := lighten(item, now.limits))])


def _red(now: Situation) -> Proposal | None:
    latest = _latest(now)
    if latest is None or latest.handled or not latest.red:
        return None
    by_slug = {item.exercise.slug: item for item in now.items}
    done = [by_slug[slug] for slug in latest.done if slug in by_slug]
    hard = [item for item in done if latest.done[item.exercise.slug].too_hard]
    newest = max((item.last_step for item in done), default=None)
    meant = hard or ([item for item in done if item.last_step == newest] if len(done) > 1 else done)
    steps = [step for item in meant if (step := easier(item))]
    return _step_back("red", _pain(latest), steps)


def _by_mode(now: Situation) -> Proposal | None:
    """A step on the ladder of fear asks for no less pain, but waits while pain leads and says hold."""
    after_flare = any(timedelta(0) <= now.today - day <= AFTER_FLARE for day in now.flares)
    if after_flare or now.mode == "pain-contingent":
        return _pain_contingent(now) or _exposure(now)
    return _exposure(now) or _quota(now)


def _exposure(now: Situation) -> Proposal | None:
    """The next task once the one that is practised has lost half of its fear, or was not as bad as expected."""
    ladder = now.exposure
    if ladder is None or ladder.above is None or ladder.at is None:
        return None
    task = ladder.rung.task
    faced = next((log for log in reversed(now.sessions) if task in log.faced and log.day >= now.on_rung_since), None)
    if faced is None or not (found := _overcome(ladder.rung, faced.faced[task])):
        return None
    inputs = (
        Input("fear on the ladder", ladder.rung.fear, now.on_rung_since),
        *(_input(*each, faced) for each in found),
    )
    step = Step(task, LADDER, ladder.at, ladder.at + 1, to=ladder.above.task)
    return Proposal("exposure", "step-up", inputs, (step,))


def _overcome(rung: Rung, faced: Faced) -> list[tuple[str, float | str]]:
    """What speaks for the next task; nothing where fear stands as it was and the worst was expected rightly."""
    found: list[tuple[str, float | str]] = []
    if faced.fear_after is not None and faced.fear_after <= FEAR_DOWN_TO * rung.fear:
        found.append(("fear after", faced.fear_after))
    if faced.feared is not None and faced.actual is not None and faced.feared - faced.actual >= PAIN_LESS_BY:
        found += [("pain expected", faced.feared), ("pain that came", faced.actual)]
    if faced.came_true is False:
        found.append(("what was feared", "did not come true"))
    return found


def _input(name: str, value: float | str, log: Log) -> Input:
    return Input(name, value, log.day)


def _quota(now: Situation) -> Proposal | None:
    if not now.due or now.attended / now.due < LEAST_ADHERENCE:
        return None
    if any(now.today - item.last_step < QUOTA_EVERY for item in now.items):
        return None  # one variable of one exercise a week
    no = (Input("declined", "by the clinician", now.declined),) if now.declined else ()
    if now.declined and now.today - now.declined < QUOTA_EVERY:
        return None  # a no holds for a week, and other rules have their say
    for item in sorted(now.items, key=lambda item: item.last_step):
        if step := raised(item):
            last = Input("last step", item.exercise.slug, item.last_step)
            return Proposal("quota", "step-up", (last, *no), (step,))
    return None


def _pain_contingent(now: Situation) -> Proposal | None:
    latest = _latest(now)
    if latest is None or latest.worst is None:
        return None
    if latest.worst > GREEN_UP_TO:
        return Proposal("pain-contingent", "hold", _pain(latest))
    eased = [item for item in now.items if item.eased_from is not None]
    calm = all(now.today - day >= RETEST_AFTER for day in now.flares)
    if eased and calm and all(latest.day > item.last_step for item in eased):
        steps = tuple(step for item in eased if (step := back_to(item)))
        return Proposal("pain-contingent", "step-up", _pain(latest), steps) if steps else None
    return None


def _two_for_two(now: Situation) -> Proposal | None:
    for item in now.items:
        slug, target = item.exercise.slug, item.exercise.rpe[1]
        if now.mode == "quota" and now.today - item.last_step < QUOTA_EVERY:
            continue
        mine = [log for log in now.sessions if slug in log.done and log.day > item.last_step][-EXTRA_SESSIONS:]
        if len(mine) == EXTRA_SESSIONS and all(
            log.done[slug].extra >= EXTRA_REPS and log.rpe is not None and log.rpe <= target for log in mine
        ):
            inputs = tuple(Input(f"extra repetitions of {slug}", log.done[slug].extra, log.day) for log in mine)
            return Proposal("2-for-2", "step-up", inputs, (harder(item),))
    return None


def _deload(now: Situation) -> Proposal | None:
    jump = load_jump(now.weekly_load, list(now.loads_before))
    if jump is None or jump <= LOAD_JUMP:
        return None
    inputs = (
        Input("load of this week", now.weekly_load, now.today),
        Input("mean of the four before", sum(now.loads_before) / 4, now.today),
    )
    if now.last_step_back and now.today - now.last_step_back < QUOTA_EVERY:
        return Proposal("deload", "hold", inputs)
    return _step_back("deload", inputs, [step for item in now.items if (step := lighten(item, now.limits))])


def _step_back(rule: str, inputs: tuple[Input, ...], steps: list[Step]) -> Proposal:
    """A step back, or a hold where nothing is left that could be taken away."""
    return Proposal(rule, "step-back", inputs, tuple(steps)) if steps else Proposal(rule, "hold", inputs)


def _latest(now: Situation) -> Log | None:
    return now.sessions[-1] if now.sessions else None


def _pain(log: Log) -> tuple[Input, ...]:
    known = ("pain_before", "pain_during", "pain_after", "pain_next_day")
    return tuple(
        Input(name.replace("_", " "), value, log.day + timedelta(days=name == "pain_next_day"))
        for name in known
        if (value := getattr(log, name)) is not None
    )


def _cut(step: Step, now: Situation) -> float:
    """Which share of its volume a step back takes away; another entry or a named change takes no volume away."""
    if step.dose is None or step.to is not None:
        return 0
    before = next(item.dose for item in now.items if item.exercise.slug == step.exercise)
    return round(1 - volume(step.dose) / volume(before), 6)
