"""What the templates need to say things plainly."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING

from django import template
from django.utils import timezone
from django.utils.dates import WEEKDAYS_ABBR
from django.utils.formats import date_format, number_format, time_format
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import get_language, gettext, ngettext

from backend.dashboard import wording
from backend.dashboard.asked import window_words

if TYPE_CHECKING:
    from backend.dashboard.rows import Due
    from backend.reminders.timeline import Said

register = template.Library()


@register.filter
def number(value: float | None, decimals: int = 1) -> str:
    """A number in the reader's way; a dash where there is none."""
    return "–" if value is None else _number(_rounded(value, decimals), decimals, get_language())


def _rounded(value: float, decimals: int) -> float:
    """Without the sign of a zero, which a cache can't tell from one without."""
    return round(value, decimals) + 0.0


@lru_cache(10_000)  # a panel writes hundreds, and most scales have few values
def _number(value: float, decimals: int, language: str | None) -> str:
    return number_format(value, decimals).replace("-", "−")


@register.filter
def at(labels: Mapping[str, str], value: float) -> str:
    """What an answer is called."""
    return labels.get(f"{value:g}", "")


@register.filter
def signed(value: float | None, decimals: int = 1) -> str:
    """A change: with its sign, so that +0 and −0 are both 0."""
    return "" if value is None else _signed(_rounded(value, decimals), decimals, get_language())


@lru_cache(10_000)
def _signed(value: float, decimals: int, language: str | None) -> str:
    text = _number(value, decimals, language)
    return f"+{text}" if value > 0 else text


@register.filter
def label(code: str, change: float | None = None) -> str:
    """What became of a measure; with its change, for want of what it is unknown."""
    if code == "unknown" and change is not None:
        return str(wording.NO_THRESHOLD)
    return str(wording.LABELS.get(code, code))


@register.filter
def mark(code: str) -> str:
    return wording.MARKS.get(code, "")


@register.filter
def severity(number_: int) -> str:
    return str(wording.SEVERITIES[number_])


@register.filter
def state(code: str) -> str:
    return str(wording.STATES.get(code, code))


@register.filter
def day_state(code: str) -> str:
    return str(wording.DAY_STATES.get(code, code))


@register.filter
def day_mark(code: str) -> str:
    return wording.DAY_MARKS.get(code, "")


@register.filter
def slot_state(code: str) -> str:
    return str(wording.SLOTS.get(code, code))


@register.filter
def said_words(said: Said) -> str:
    """How a reminder went, or why it did not."""
    state = gettext("opened") if said.opened_at else gettext("delivered") if said.delivered_at else ""
    words = state or str(wording.MESSAGES.get(said.state, said.state))
    channel = f" ({said.channel})" if said.channel else ""
    return f"{words}{channel}: {said.why_not}" if said.why_not else f"{words}{channel}"


@register.filter
def skipped(code: str) -> str:
    return str(wording.SKIPPED.get(code, code))


@register.filter
def action(code: str) -> str:
    return str(wording.ACTIONS.get(code, code))


@register.filter
def proposal(code: str) -> str:
    return str(wording.PROPOSALS.get(code, code))


@register.filter
def weekdays(numbers: Sequence[int]) -> str:
    """ISO weekdays as their short names."""
    return ", ".join(str(WEEKDAYS_ABBR[number - 1]) for number in numbers)


@register.filter
def percent(share: float | None) -> str:
    return "–" if share is None else gettext("%(n)s %%") % {"n": number(100 * share, 0)}


@register.filter
def step(kind: str) -> str:
    return str(wording.STEPS[kind])


@register.filter
def alert_title(rule: str) -> str:
    return wording.alert_title(rule)


@register.filter
def until(due: datetime | None, now: datetime) -> str:
    """How long there is left, or since when the time is over."""
    if due is None:
        return ""
    minutes = round((due - now).total_seconds() / 60)
    if minutes < 0:
        return gettext("was due %(time)s ago") % {"time": span(-minutes)}
    return gettext("due in %(time)s") % {"time": span(minutes)}


@register.filter
def clock(due: datetime | None, now: datetime) -> SafeString:
    """As `until`, and ticking where there is script; who listens is told it once."""
    if due is None:
        return SafeString("")
    said, left, over = until(due, now), gettext("due in %(time)s"), gettext("was due %(time)s ago")
    return format_html(
        '<span aria-hidden="true" data-due="{}" data-left="{}" data-over="{}">{}</span>'
        '<span class="visually-hidden">{}</span>',
        due.isoformat(),
        left % {"time": "{}"},
        over % {"time": "{}"},
        said,
        said,
    )


@register.filter
def ago(at: datetime, now: datetime) -> str:
    return gettext("%(time)s ago") % {"time": span(max(round((now - at).total_seconds() / 60), 0))}


def span(minutes: int) -> str:
    """Minutes up to two hours, hours up to two days, then days."""
    if minutes < 120:
        return gettext("%(n)s min") % {"n": minutes}
    if minutes < 48 * 60:
        return gettext("%(n)s h") % {"n": minutes // 60}
    return days(minutes // (24 * 60))


@register.filter
def minutes(n: float) -> str:
    return span(round(n))


@register.filter
def percent_of(part: int, whole: int) -> int:
    return round(100 * part / whole)


@register.filter
def days(n: int) -> str:
    return ngettext("%(n)s day", "%(n)s days", n) % {"n": n}


@register.filter
def since(n: int | None) -> str:
    """Days since something happened."""
    if n is None:
        return gettext("never")
    return gettext("%(days)s ago") % {"days": days(n)} if n > 0 else gettext("today")


@register.filter
def when(due: Due, now: datetime) -> str:
    """When something is asked: until when, if it can be answered now, else from when."""
    if due.opens_at <= now:
        return gettext("now, until %(time)s") % {"time": _clock(due.closes_at, now)}
    return _clock(due.opens_at, now)


@register.filter(expects_localtime=True)
def to(opens_at: datetime, closes_at: datetime) -> str:
    """From when to when something can be answered, by the clock of the page."""
    closes = timezone.localtime(closes_at)
    return window_words(opens_at.time(), closes.time(), (closes.date() - opens_at.date()).days)


def _clock(at: datetime, now: datetime) -> str:
    """An hour of today or tomorrow, else a day."""
    local, today = timezone.localtime(at), timezone.localtime(now).date()
    hour = time_format(local, "H:i")
    if local.date() == today:
        return gettext("today %(hour)s") % {"hour": hour}
    if local.date() == today + timedelta(days=1):
        return gettext("tomorrow %(hour)s") % {"hour": hour}
    return date_format(local, "j M")


@register.filter
def age(born: date | None, today: date) -> int | None:
    if born is None:
        return None
    return today.year - born.year - ((today.month, today.day) < (born.month, born.day))
