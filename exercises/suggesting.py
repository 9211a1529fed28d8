"""Which modalities and templates fit a patient, ranked, with reasons. A suggestion is never a plan by itself.

The patterns are those of the clinical reference, section 5. Ties are broken by what the patient likes and by how well
they kept to a modality before.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta

import msgspec

from exercises.gate import look
from exercises.library import library
from exercises.templates import Template, templates

VERSION = "1"
# Scores older than this say little about now; own default.
FRESH = timedelta(days=90)
NO_MODE_IS_SUPERIOR = (
    "No mode of exercise is proven superior for chronic low back pain; single modes are mostly of very low certainty. "
    "Preference and adherence decide."
)
NO_MODE_SOURCE = "WHO evidence review (PMC10684665); Owen 2020; Fernández-Rodríguez 2022"
HUMAN_FIRST = ("SUI-1", "CES-1", "RF-1", "AE-1")


class Basis(msgspec.Struct, frozen=True):
    """What a suggestion rests on: a measure, an age or a condition, and the day it is from."""

    name: str
    value: float | str
    day: date | None = None


class Reason(msgspec.Struct, frozen=True):
    rule: str
    text: str
    source: str
    basis: tuple[Basis, ...]


class Suggestion(msgspec.Struct):
    """A modality or a template; the first is the best fit. `blocked` says what the safety gate would say."""

    kind: str
    code: str
    reasons: list[Reason]
    liked: bool
    disliked: bool
    kept_to: float | None
    blocked: list[str]


class Suggestions(msgspec.Struct):
    """`advice` goes beside any plan. Where `human_first` is not empty nothing is suggested: somebody talks first."""

    version: str
    note: str
    note_source: str
    human_first: list[Reason]
    advice: list[Reason]
    modalities: list[Suggestion]
    templates: list[Suggestion]


@dataclass(frozen=True)
class Known:
    """What is known of a patient. `scores` are the latest by measure, `kept_to` past adherence by modality."""

    today: date
    age: int | None = None
    scores: Mapping[str, tuple[float, date]] = field(default_factory=dict)
    conditions: frozenset[str] = frozenset()
    red_flags: tuple[str, ...] = ()
    cleared: bool = False
    liked: tuple[str, ...] = ()
    disliked: tuple[str, ...] = ()
    kept_to: Mapping[str, float] = field(default_factory=dict)
    adherence: tuple[int, int] = (0, 0)  # due and attended in the last two weeks

    def at_least(self, measure: str, threshold: float) -> tuple[Basis, ...]:
        return self._holds(measure, lambda value: value >= threshold)

    def above(self, measure: str, threshold: float) -> tuple[Basis, ...]:
        return self._holds(measure, lambda value: value > threshold)

    def below(self, measure: str, threshold: float) -> tuple[Basis, ...]:
        return self._holds(measure, lambda value: value < threshold)

    def _holds(self, measure: str, test: Callable[[float], bool]) -> tuple[Basis, ...]:
        value, day = self.scores.get(measure, (None, None))
        if value is None or day is None or self.today - day > FRESH or not test(value):
            return ()
        return (Basis(measure, value, day),)

    def has(self, *codes: str) -> tuple[Basis, ...]:
        return tuple(Basis("condition", code) for code in codes if code in self.conditions)


@dataclass(frozen=True)
class Pattern:
    """When `finds` gives a basis, `suggests` (best first) fits, `advises` is said, or somebody talks first."""

    rule: str
    finds: Callable[[Known], tuple[Basis, ...]]
    text: str
    source: str
    suggests: tuple[str, ...] = ()
    advises: bool = False
    stops: bool = False


def _depressed(known: Known) -> tuple[Basis, ...]:
    return known.at_least("phq-9.total", 10) or known.at_least("phq-8.total", 10)


def _very_depressed(known: Known) -> tuple[Basis, ...]:
    return known.at_least("phq-9.total", 20) or known.at_least("phq-8.total", 20)


def _fearful(known: Known) -> tuple[Basis, ...]:
    return (
        *known.at_least("tsk-11.total", 29),
        *known.above("tsk-17.total", 37),
        *known.at_least("pcs.total", 30),
        *known.above("fabq.physical-activity", 14),
    )


def _older(known: Known) -> tuple[Basis, ...]:
    old = (Basis("age", known.age),) if known.age is not None and known.age >= 65 else ()
    return (*old, *known.has("frailty", "falls-risk"))


def _keeps_to_little(known: Known) -> tuple[Basis, ...]:
    due, attended = known.adherence
    little = (Basis("sessions done of due in 14 days", f"{attended}/{due}", known.today),)
    return (*known.below("ears.total", 17), *(little if due and attended / due < 0.5 else ()))


PATTERNS = (
    Pattern(
        "red-flag",
        lambda known: tuple(Basis("open alert", rule) for rule in known.red_flags if rule in HUMAN_FIRST),
        "A red flag is open: no automatic plan, somebody talks with the patient first.",
        "clinical reference, section 5",
        stops=True,
    ),
    Pattern(
        "severe-depression",
        _very_depressed,
        "Depression is severe: no automatic plan, somebody talks with the patient first.",
        "PHQ-9 of 20 and more: Kroenke 2001",
        stops=True,
    ),
    Pattern(
        "fear",
        _fearful,
        "Fear of movement is high: explain pain, expose step by step, add calm movement or mindfulness.",
        "Neblett 2016 (TSK-11); reviews: prefrontal cortex and fear, a hypothesis",
        suggests=("graded-exposure", "yoga", "qigong", "mindfulness"),
    ),
    Pattern(
        "mood",
        _depressed,
        "Mood is low: aerobic exercise first; hard intervals only behind the gate.",
        "Owen 2020 (aerobic and resistance best for mental health); reviews: hippocampus and mood, a hypothesis",
        suggests=("aerobic", "hiit"),
    ),
    Pattern(
        "mood-referral",
        lambda known: known.at_least("phq-9.total", 15) or known.at_least("phq-8.total", 15),
        "Offer behavioural activation or CBT beside exercise.",
        "clinical reference, section 5",
        advises=True,
    ),
    Pattern(
        "older",
        _older,
        "Older, frail or at risk of falls: qigong, walking or water, slow lowering with a rail; no hard intervals.",
        "reviews: ageing, a hypothesis; Yu 2025",
        suggests=("older-or-frail", "qigong", "aerobic", "eccentric"),
    ),
    Pattern(
        "movement-control",
        lambda known: known.has("movement-control-deficit"),
        "Movement control is poor on testing: movement control first, then Pilates, then everyday tasks.",
        "Saragiotto 2016; reviews: cortical excitability, a hypothesis",
        suggests=("motor-control", "pilates"),
    ),
    Pattern(
        "flare",
        lambda known: known.has("acute-flare"),
        "A flare at present: less and easier, never nothing.",
        "Costa 2019; clinical reference, section 5",
        suggests=("flare-week",),
    ),
    Pattern(
        "sleep",
        lambda known: known.at_least("isi.total", 15),
        "Sleep is poor: a sleep plan, and mindfulness in the evening.",
        "ISI of 15 and more",
        suggests=("mindfulness",),
        advises=True,
    ),
    Pattern(
        "little-adherence",
        _keeps_to_little,
        "Little of the programme is done: one or two exercises that the patient likes, reminders, and no more dose.",
        "EARS below 17: de Lira 2020; under half of the sessions: own default",
        advises=True,
    ),
)


def suggest(known: Known) -> Suggestions:
    """Ranked suggestions for what is known of a patient."""
    points: dict[str, int] = {}
    reasons: dict[str, list[Reason]] = {}
    human_first, advice = [], []
    for pattern in PATTERNS:
        basis = pattern.finds(known)
        if not basis:
            continue
        reason = Reason(pattern.rule, pattern.text, pattern.source, basis)
        if pattern.stops:
            human_first.append(reason)
        if pattern.advises:
            advice.append(reason)
        for place, code in enumerate(pattern.suggests):
            points[code] = points.get(code, 0) + len(pattern.suggests) - place
            reasons.setdefault(code, []).append(reason)
    modalities = [] if human_first else _ranked(known, "modality", _modalities(known), points, reasons)
    programmes = [] if human_first else _ranked(known, "template", _templates(known), points, reasons)
    return Suggestions(VERSION, NO_MODE_IS_SUPERIOR, NO_MODE_SOURCE, human_first, advice, modalities, programmes)


def _modalities(known: Known) -> dict[str, tuple[str, list[str]]]:
    """By code: its modality, and what blocks its own template."""
    return {each.modality: (each.modality, _blocked(known, each)) for each in templates().values() if each.modality}


def _templates(known: Known) -> dict[str, tuple[str, list[str]]]:
    return {each.slug: (each.modality, _blocked(known, each)) for each in templates().values()}


def _blocked(known: Known, template: Template) -> list[str]:
    exercises = [library().exercises[item.exercise] for item in template.plan.items]
    conditions = library().with_implied(known.conditions)
    finding = look(exercises, conditions, cleared=known.cleared, red_flags=known.red_flags)
    return [block.key for block in finding.blocks]


def _ranked(
    known: Known,
    kind: str,
    candidates: Mapping[str, tuple[str, list[str]]],
    points: Mapping[str, int],
    reasons: Mapping[str, list[Reason]],
) -> list[Suggestion]:
    """Best first: what nothing blocks, then points, liking, past adherence. Hard intervals never head an older list."""
    found = []
    for code, (modality, blocked) in candidates.items():
        suggestion = Suggestion(
            kind=kind,
            code=code,
            reasons=list(reasons.get(code, ())),
            liked=modality in known.liked,
            disliked=modality in known.disliked,
            kept_to=known.kept_to.get(modality),
            blocked=blocked,
        )
        fit = 0 if modality == "hiit" and _older(known) else points.get(code, 0)
        liking = suggestion.liked - suggestion.disliked
        found.append((bool(blocked), -fit, -liking, -(suggestion.kept_to or 0), code, suggestion))
    return [each[-1] for each in sorted(found, key=lambda each: each[:-1])]


def age_on(day: date, born: date | None) -> int | None:
    """Whole years."""
    if born is None:
        return None
    return day.year - born.year - ((day.month, day.day) < (born.month, born.day))


def latest(rows: Iterable[tuple[str, float, date]]) -> dict[str, tuple[float, date]]:
    """The last value of each measure; rows come in the order of their time."""
    return {measure: (value, day) for measure, value, day in rows}
