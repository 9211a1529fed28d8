"""For the operator, daily: what was not said, by channel and reason. Numbers only, nothing of anybody."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Count

from backend.reminders.models import Call, Message

DAY = timedelta(days=1)

logger = logging.getLogger(__name__)


@dataclass(frozen=True, order=True)
class Unsaid:
    """How many messages to patients, or calls to colleagues, of one day ended in this state for this reason."""

    what: str
    state: str
    channel: str
    why: str
    count: int


def unsaid(until: datetime) -> list[Unsaid]:
    """Of those planned in the 24 hours before `until`: what was a dead letter or came too late."""
    found = []
    for what, outbox in (("calls", Call.objects), ("reminders", Message.objects)):
        rows = (
            outbox.filter(state__in=["skipped", "dead"], planned_at__gte=until - DAY, planned_at__lt=until)
            .values_list("state", "channel", "error")
            .annotate(Count("id"))
        )
        found += [Unsaid(what, *row) for row in rows]
    return sorted(found)


def report(found: Sequence[Unsaid]) -> None:
    """Dead letters are a warning: somebody has to look at a provider or at an address."""
    for kind in found:
        level = logging.WARNING if kind.state == Message.State.DEAD else logging.INFO
        about = {"channel": kind.channel, "why": kind.why, "count": kind.count}
        logger.log(level, "%s %s", kind.what, kind.state, extra=about)
