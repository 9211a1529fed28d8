"""What the templates need to say things plainly."""

from __future__ import annotations

from datetime import date, datetime

from django import template
from django.utils.formats import number_format
from django.utils.html import format_html, format_html_join
from django.utils.translation import gettext, ngettext

from backend.dashboard import wording
from backend.dashboard.sparklines import HEIGHT, WIDTH, Sparkline

register = template.Library()


@register.filter
def number(value: float | None, decimals: int = 1) -> str:
    """A number in the reader's way; a dash where there is none."""
    return "–" if value is None else number_format(round(value, decimals), decimals).replace("-", "−")


@register.filter
def signed(value: float | None, decimals: int = 1) -> str:
    """A change: with its sign, so that +0 and −0 are both 0."""
    if value is None:
        return ""
    text = number(value, decimals)
    return f"+{text}" if round(value, decimals) > 0 else text.replace("−0", "0") if not round(value, decimals) else text


@register.filter
def drawn(line: Sparkline) -> str:
    """A sparkline as SVG. Two hundred on a page: a template for each would take most of the page's time."""
    paths = format_html_join("", '<path d="{}"/>', ((path,) for path in line.paths))
    dots = format_html_join("", '<circle cx="{}" cy="{}" r="1"/>', line.dots)
    last = format_html_join("", '<circle class="last" cx="{}" cy="{}" r="2"/>', [line.last] if line.last else [])
    return format_html(
        '<svg class="spark" viewBox="0 0 {0} {1}" width="{0}" height="{1}" aria-hidden="true" focusable="false">'
        "{2}{3}{4}</svg>",
        str(WIDTH),
        str(HEIGHT),
        paths,
        dots,
        last,
    )


@register.filter
def label(code: str) -> str:
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
def days(n: int) -> str:
    return ngettext("%(n)s day", "%(n)s days", n) % {"n": n}


@register.filter
def age(born: date | None, today: date) -> int | None:
    if born is None:
        return None
    return today.year - born.year - ((today.month, today.day) < (born.month, born.day))
