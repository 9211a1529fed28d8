"""`docs/alerts.md`, written from the rules' own file."""

from collections.abc import Iterable, Iterator

from outcomes.alert_rules import Bounded, Rule

HEAD = """\
# Alerts

Written by `manage.py alerts_page > docs/alerts.md` from `outcomes/alert_rules.toml`. A source that ends in "general
knowledge, to be checked" was not read for this project; "own design default" is for a clinic to ratify.

An alert is a signal that somebody should look, never a classification of a person: scales do not predict suicide (NICE
NG225), and no screen says how great a risk is.

## What raises one

Most urgent first; a patient who sets off several is shown the clinic's own texts in this order.
"""

CLOCKS = """\
## Clocks

- An alert is written in the transaction that stores the answer, also for a form that was abandoned, and for an answer
  that is refused or contradicts one on record. A form that answers an item twice is refused, and each of its answers is
  read. What arrives more than 48 hours after it was authored is labelled late and raised all the same.
- **Minutes** run by the wall clock: what is critical never waits. **Working days** keep the clinic's hours and
  holidays; 0 is by the close of the hours in which the alert came, or of the next ones. A clinic that has named
  no hours counts as always open.
- Critical: the first in the chain is told at once. High: as soon as the clinic is open. Medium and low stand on the
  work list, and somebody is told when the time is over. Information has no clock.
- Whoever is on duty is told in the order of the chain, one after the other each time the limit has passed again (a
  quarter of an hour at least), after the last the clinic's fallback, then round again until somebody acknowledges. A
  call that can't be delivered makes the next one due at once. Acknowledging stops it; a colleague's "escalate" tells
  the next at once.
- One alert stands for each rule and patient. A repeat, or a rise in severity, after somebody took it on opens it again
  and starts its clock anew. A state that goes on (see "again after") is a repeat only after so many days.
- Imported and simulated answers tell nobody. Those older than 14 days go to a review list, a state that went on for
  years as one line.
- Every 15 seconds the worker looks at the clocks. When it has not for two minutes, `/readyz` answers 503 with
  `"alerts": false` and the log has an error: point the operator's monitoring there. Flares that last, silence and
  lapsed programmes are looked for every hour.
- A call to a colleague says that something waits, neither whose nor what.

## Before PHQ-9 can be scheduled

A clinic names its opening hours, at least one person on call, and a fallback address (`PUT /api/v1/clinics/…/hours` and
`…/on-call`), and a message must reach one of the chain and the fallback. Until then scheduling answers `no_rota` and
says what is missing; PHQ-8 leaves item 9 out.

## States

open → acknowledged → contacted or no answer → escalated → resolved. Each step is an event with who and when; escalating
and resolving want words; a critical alert is resolved only after somebody reached the patient. The safety card that a
phone keeps says when to show which text (`when`), so it needs no network to do so; it reports that it did
(`safety-card-shown`), and that is an event too.
"""


def page(rules: Iterable[Rule]) -> str:
    """The whole page."""
    return "\n".join([HEAD, *_table(rules), "", *_numbers(rules), "", CLOCKS])


def _table(rules: Iterable[Rule]) -> Iterator[str]:
    yield "| rule | when | severity | acknowledged within | the patient sees | what to do | again after | source |"
    yield "|-|-|-|-|-|-|-|-|"
    for rule in rules:
        severity = f"{rule.severity}, at first {rule.lesser}" if rule.lesser else rule.severity
        again = f"{rule.again_after_days} days" if rule.again_after_days else "each time"
        cells = [
            f"{rule.code} v{rule.version}",
            rule.title,
            severity,
            _limit(rule),
            rule.text or "–",
            rule.todo,
            again,
            rule.source,
        ]
        yield _row(cells)


def _limit(rule: Rule) -> str:
    if rule.limit is None:
        return "–"
    if rule.limit.value == 0:
        return "at once" if rule.limit.unit == "minutes" else "the same day"
    unit = rule.limit.unit.removesuffix("s") if rule.limit.value == 1 else rule.limit.unit
    return f"{rule.limit.value:g} {unit}"


def _numbers(rules: Iterable[Rule]) -> Iterator[str]:
    yield "## What a clinic may change\n"
    yield "Its numbers have versions of their own: an alert of `1.3` was raised by version 1 of the rule and the third"
    yield "numbers of the clinic, which stay on record with who set them and when.\n"
    yield "| rule | number | default | from | to | of | source |"
    yield "|-|-|-|-|-|-|-|"
    for rule in rules:
        for name, bound in rule.bounds().items():
            if bound.least < bound.most:
                yield _row([rule.code, name, *_bound(bound)])


def _bound(bound: Bounded) -> list[str]:
    return [f"{bound.value:g}", f"{bound.least:g}", f"{bound.most:g}", bound.unit, bound.source]


def _row(cells: list[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"
