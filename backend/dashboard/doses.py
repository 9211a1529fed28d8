"""A dose as a clinician would write it."""

from __future__ import annotations

from django.utils.translation import gettext, ngettext

from backend.dashboard.templatetags.dashboard import number
from exercises.dose import Dose, Intervals, Minutes, Sets, Steps


def dose_words(dose: Dose) -> str:
    """Such as "3 × 6 each side, hold 5 s, rest 30 s"."""
    match dose:
        case Sets():
            parts = [_sets(dose)]
            if dose.hold_seconds:
                parts.append(gettext("hold %(n)s s") % {"n": dose.hold_seconds})
            if dose.lowering_seconds:
                parts.append(gettext("lower over %(n)s s") % {"n": dose.lowering_seconds})
            if dose.rest_seconds:
                parts.append(gettext("rest %(n)s s") % {"n": dose.rest_seconds})
            return ", ".join(parts)
        case Intervals():
            words = {
                "rounds": dose.rounds,
                "work": dose.work_seconds,
                "rest": dose.rest_seconds,
                "low": dose.work_rpe[0],
                "high": dose.work_rpe[1],
            }
            return gettext("%(rounds)s × (%(work)s s hard at effort %(low)s–%(high)s, %(rest)s s easy)") % words
        case Minutes():
            minutes = gettext("%(n)s min") % {"n": dose.minutes}
            return minutes if dose.bouts == 1 else f"{dose.bouts} × {minutes}"
        case Steps():
            if dose.steps is None:
                return gettext("%(n)s steps above baseline") % {"n": number(dose.over_baseline, 0)}
            return gettext("%(n)s steps a day") % {"n": number(dose.steps, 0)}


def _sets(dose: Sets) -> str:
    if dose.reps is not None:
        once = str(dose.reps)
    elif dose.seconds is not None:
        once = gettext("%(n)s s") % {"n": dose.seconds}
    else:
        once = ngettext("%(n)s breath", "%(n)s breaths", dose.breaths or 0) % {"n": dose.breaths}
    words = f"{dose.sets} × {once}"
    return gettext("%(dose)s each side") % {"dose": words} if dose.each_side else words
