"""Plain words for what the database says in codes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.utils.translation import gettext_lazy as _

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise


LABELS: dict[str, _StrPromise] = {
    "improved": _("improved"),
    "possibly-improved": _("possibly improved"),
    "no-clear-change": _("no clear change"),
    "possibly-worsened": _("possibly worsened"),
    "worsened": _("worsened"),
    "unknown": _("not enough data"),
}
NO_THRESHOLD = _("no threshold known")
"""Of a change that is known, in a measure for which nobody has said how much is a change."""
NO_BASELINE = _("no baseline")
SHARE = _("% of the dose due")
"""Of a level that has no baseline to change from, and is read against what was prescribed."""

MARKS = {
    "improved": "✓✓",
    "possibly-improved": "✓",
    "no-clear-change": "=",
    "possibly-worsened": "!",
    "worsened": "!!",
    "unknown": "·",
}
"""A shape beside the colour. It says better or worse, not up or down: more adherence is better, more pain is not."""

SEVERITIES: dict[int, _StrPromise] = {
    0: _("for information"),
    1: _("low"),
    2: _("medium"),
    3: _("high"),
    4: _("critical"),
}

STATES: dict[str, _StrPromise] = {
    "review": _("for review"),
    "open": _("open"),
    "acknowledged": _("acknowledged"),
    "contacted": _("contacted"),
    "no-answer": _("no answer"),
    "escalated": _("escalated"),
    "resolved": _("resolved"),
    "raised": _("raised"),
    "repeated": _("raised again"),
    "told": _("next in the chain told"),
    "card-shown": _("safety text shown on the phone"),
}

STEPS: dict[str, _StrPromise] = {
    "acknowledged": _("Take it on"),
    "contacted": _("Contacted"),
    "no-answer": _("No answer"),
    "escalated": _("Escalate"),
    "resolved": _("Resolve"),
}

DAY_STATES: dict[str, _StrPromise] = {
    "done": _("done"),
    "partly-done": _("partly done"),
    "declined": _("declined"),
    "missed": _("missed"),
    "paused": _("paused"),
    "in-progress": _("under way"),
    "not-started": _("due"),
}
"""What became of a due session."""

DAY_MARKS = {
    "done": "●",
    "partly-done": "◐",
    "declined": "–",
    "missed": "○",
    "paused": "‖",
    "in-progress": "…",
    "not-started": "□",
}

SKIPPED: dict[str, _StrPromise] = {
    "pain": _("pain"),
    "fear": _("fear"),
    "time": _("no time"),
    "forgot": _("forgot"),
    "ill": _("ill"),
    "too-hard": _("too hard"),
    "bored": _("bored"),
    "other": _("another reason"),
}
"""Why a session was not done, as the patient said."""

SLOTS: dict[str, _StrPromise] = {
    "upcoming": _("to come"),
    "open": _("open"),
    "completed": _("answered"),
    "late": _("answered, came late"),
    "declined": _("not today"),
    "missed": _("missed"),
    "paused": _("paused"),
    "withdrawn": _("no longer asked"),
}

MESSAGES: dict[str, _StrPromise] = {
    "pending": _("waits to be sent"),
    "claimed": _("is being sent"),
    "sent": _("sent"),
    "cancelled": _("not needed any more"),
    "skipped": _("not sent"),
    "dead": _("could not be delivered"),
}
"""How a reminder went."""

ACTIONS: dict[str, _StrPromise] = {
    "stop": _("stop"),
    "step-back": _("step back"),
    "hold": _("hold"),
    "step-up": _("step up"),
}
"""What a rule of progression proposes."""

PROPOSALS: dict[str, _StrPromise] = {
    "waiting": _("waits for you"),
    "applied": _("applied within the signed limits"),
    "accepted": _("accepted"),
    "declined": _("declined"),
    "overtaken": _("overtaken by a change"),
}

ALERTS: dict[str, _StrPromise] = {
    "SUI-1": _("Item 9 answered above zero"),
    "SUI-2": _("Item 9 left out"),
    "DEP-1": _("Severe depression score"),
    "DEP-2": _("Depression score newly raised"),
    "CES-1": _("Cauda equina sign"),
    "RF-1": _("Red flag"),
    "PAIN-1": _("Severe pain for days"),
    "PAIN-2": _("Pain well above baseline"),
    "FLARE": _("Flare reported"),
    "EX-1": _("Pain after exercise"),
    "ADH-1": _("Low adherence"),
    "MISS-1": _("Silent after a high score"),
    "MISS-2": _("Asked for weeks, nothing heard"),
    "AE-1": _("Adverse event"),
}


def alert_title(rule: str) -> str:
    return str(ALERTS.get(rule, rule))


BANDS: dict[str, _StrPromise] = {
    "none": _("none"),
    "minimal": _("minimal"),
    "mild": _("mild"),
    "moderate": _("moderate"),
    "moderately-severe": _("moderately severe"),
    "severe": _("severe"),
    "lowest": _("lowest"),
    "low": _("low"),
    "normal": _("normal"),
    "high": _("high"),
    "positive": _("positive"),
    "negative": _("negative"),
    "at-risk": _("at risk"),
    "below-cut-off": _("below the cut-off"),
    "subthreshold": _("below the threshold"),
    "very-severe": _("very severe"),
    "extreme": _("extreme"),
    "not-low": _("not low"),
    "minimal-impairment": _("minimal impairment"),
    "mild-impairment": _("mild impairment"),
    "moderate-impairment": _("moderate impairment"),
    "severe-impairment": _("severe impairment"),
    "clinically-relevant": _("clinically relevant"),
    "poor-outcome-likely": _("poor outcome likely"),
    "responder": _("responder"),
    "non-responder": _("non-responder"),
    "adherent": _("adherent"),
}
"""Of scores, as their instruments' files name them."""
