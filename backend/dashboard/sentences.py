"""Where a patient stands, in two sentences made from the trends' labels. No judgement is added here."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from django.utils.formats import date_format
from django.utils.translation import gettext

from backend.dashboard.templatetags.dashboard import days, number
from backend.dashboard.wording import LABELS


@dataclass(frozen=True)
class Standing:
    """One measure of one patient: its title within a sentence, and what its trend says. None: not enough data."""

    title: str
    label: str
    value: float | None = None
    baseline: float | None = None
    since: date | None = None
    """The last day of the baseline."""
    decimals: int = 1
    share: bool = False
    """A level that says itself where things stand, as a share of what was prescribed."""
    last_day: date | None = None


# A share that is older tells its day.
FRESH_DAYS = 14

# What is said first.
_WEIGHT = ["worsened", "possibly-worsened", "improved", "possibly-improved"]


def sentences(standings: Iterable[Standing], last_entry: date | None, today: date) -> tuple[str, str]:
    """What has changed, then what has not, what can't be told, and how fresh all of it is."""
    standings = list(standings)
    changed = sorted((each for each in standings if each.label in _WEIGHT), key=lambda each: _WEIGHT.index(each.label))
    first = "; ".join(_changed(each) for each in changed)
    first = _capital(first or gettext("nothing has clearly changed since the baseline")) + "."

    same = [each for each in standings if each.label == "no-clear-change"]
    unclear = [each for each in standings if each.label == "unknown"]
    told = [each for each in unclear if each.value is not None and (each.share or each.baseline is not None)]
    unknown = [each for each in unclear if each not in told and not each.share]
    parts = []
    if same:
        named = _listed([_with_value(each) for each in same])
        parts.append(gettext("no clear change in %(measures)s") % {"measures": named})
    if unknown:
        named = _listed([_with_value(each) for each in unknown])
        parts.append(gettext("not enough data to tell about %(measures)s") % {"measures": named})
    parts += [_unjudged(each, today) for each in told]
    parts.append(_freshness(last_entry, today))
    return first, _capital("; ".join(parts)) + "."


def _changed(standing: Standing) -> str:
    words = {
        "title": standing.title,
        "label": LABELS[standing.label],
        "value": number(standing.value, standing.decimals),
        "baseline": number(standing.baseline, standing.decimals),
        "day": date_format(standing.since, "j F Y") if standing.since else "",
    }
    if standing.since is None:
        return gettext("%(title)s has %(label)s from %(baseline)s to %(value)s") % words
    return gettext("%(title)s has %(label)s from %(baseline)s (%(day)s) to %(value)s") % words


def _unjudged(standing: Standing, today: date) -> str:
    """Of what is known well enough, only that nobody can say how much of a change matters."""
    words = {
        "title": standing.title,
        "value": number(standing.value, standing.decimals),
        "baseline": number(standing.baseline, standing.decimals),
        "day": date_format(standing.last_day, "j F Y") if standing.last_day else "",
    }
    if not standing.share:
        return gettext("%(title)s went from %(baseline)s to %(value)s, with no threshold known") % words
    if standing.last_day is None or (today - standing.last_day).days <= FRESH_DAYS:
        return gettext("%(title)s is at %(value)s %% of what was prescribed") % words
    return gettext("%(title)s was at %(value)s %% of what was prescribed, until %(day)s") % words


def _with_value(standing: Standing) -> str:
    if standing.value is None:
        return standing.title
    words = {"title": standing.title, "value": number(standing.value, standing.decimals)}
    return gettext("%(title)s (%(value)s)") % words


def _freshness(last_entry: date | None, today: date) -> str:
    if last_entry is None:
        return gettext("no entry so far")
    day = date_format(last_entry, "j F Y")
    ago = (today - last_entry).days
    if ago <= 0:
        return gettext("last entry today, %(day)s") % {"day": day}
    return gettext("last entry %(days)s ago, %(day)s") % {"days": days(ago), "day": day}


def _listed(words: Sequence[str]) -> str:
    if len(words) < 2:
        return "".join(words)
    return gettext("%(first)s and %(last)s") % {"first": ", ".join(words[:-1]), "last": words[-1]}


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
