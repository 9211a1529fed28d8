"""When something is asked for, in words."""

from __future__ import annotations

from datetime import time

from django.utils.dates import WEEKDAYS_ABBR
from django.utils.translation import gettext, ngettext

from backend.reminders.slots import Days, Points, Rule, Weeks

MOST_POINTS = 8
"""Time points that are named one by one."""


def rule_words(rule: Rule) -> str:
    """Such as "every day, 18:00–23:59"."""
    if rule.anchor == "prescription":
        return gettext("as the programme says")
    windows = ", ".join(window_words(window.opens, window.closes, window.days) for window in rule.windows)
    parts = [_pattern(rule.pattern), windows]
    if rule.burst:
        words = {"days": rule.burst.days, "months": rule.burst.months}
        parts.append(gettext("for %(days)s days every %(months)s months") % words)
    return ", ".join(part for part in parts if part)


def window_words(opens: time, closes: time, days: int) -> str:
    """Such as "09:00–20:00", or "09:00–09:00 next day": without its day a window could seem to close as it opens."""
    words = f"{opens:%H:%M}–{closes:%H:%M}"
    if days == 0:
        return words
    said = {"window": words, "n": days}
    return ngettext("%(window)s next day", "%(window)s, %(n)s days later", days) % said


def _pattern(pattern: Days | Weeks | Points) -> str:
    match pattern:
        case Days(every=every):
            return ngettext("every day", "every %(n)s days", every) % {"n": every}
        case Weeks(every=every, on=on):
            words = ngettext("every week", "every %(n)s weeks", every) % {"n": every}
            days = ", ".join(str(WEEKDAYS_ABBR[day - 1]) for day in on)
            return f"{words} ({days})" if days else words
        case Points(days=days, months=months):
            named = [gettext("day %(n)s") % {"n": day} for day in days]
            named += [gettext("month %(n)s") % {"n": month} for month in months]
            return ", ".join(named[:MOST_POINTS]) + (" …" if len(named) > MOST_POINTS else "")
