"""By which channels a colleague can be told that an alert waits, and how they want to be."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from datetime import datetime

import msgspec
from django.conf import settings
from django.db.models import QuerySet

from backend.people.models import Clinic
from backend.people.rota import Rota, missing, rotas_of
from backend.reminders import refusals
from backend.reminders.colleague_models import Browser, CallSettings


class Reach(msgspec.Struct, frozen=True):
    """Which of the two channels lead to somebody, and which of them they prefer."""

    browser: bool
    mail: bool
    wish: str = CallSettings.Channel.AUTO

    def channels(self, *, critical: bool) -> list[str]:
        """What is critical goes to every channel; the rest as they wish, by the other one where that leads nowhere."""
        there = [name for name, leads in (("webpush", self.browser), ("email", self.mail)) if leads]
        if critical or self.wish == CallSettings.Channel.BOTH:
            return there
        return (there[::-1] if self.wish == CallSettings.Channel.EMAIL else there)[:1]


def reaches_of(user_ids: Collection[int]) -> dict[int, Reach]:
    """Three statements, however many colleagues."""
    wishes = dict(CallSettings.objects.filter(pk__in=user_ids).values_list("pk", "channel"))
    browsers = set(_alive(user_ids).values_list("user", flat=True)) if settings.VAPID_PRIVATE_KEY else set()
    refused = refusals.of_users(user_ids)
    return {
        user: Reach(user in browsers, user not in refused, wishes.get(user, CallSettings.Channel.AUTO))
        for user in user_ids
    }


def reachable(rota: Rota, reaches: Mapping[int, Reach], *, fallback_refused: bool) -> Rota:
    """The rota without those whom nothing reaches. A simulated clinic has the console."""
    if rota.simulated:
        return rota
    chain = tuple(duty for duty in rota.chain if duty.user_id and reaches[duty.user_id].channels(critical=True))
    return msgspec.structs.replace(rota, chain=chain, fallback="" if fallback_refused else rota.fallback)


def unreached(rota: Rota, reaches: Mapping[int, Reach], *, fallback_refused: bool) -> list[str]:
    """`rota_unreached` where nobody of the chain can be told, `fallback_unreached` where its address is refused."""
    left = reachable(rota, reaches, fallback_refused=fallback_refused)
    return ["rota_unreached"] * (not left.chain) + ["fallback_unreached"] * (not left.fallback)


def unattended(clinic: Clinic) -> list[str]:
    """Why an answer of this clinic's might be read by nobody: what it has not named; if nothing, what is unreached."""
    return missing(clinic) or _unreached(clinic)


def nobody_is_told(clinic: Clinic) -> bool:
    """Whether an alert of this clinic's would reach neither chain nor fallback, or not all is named."""
    return bool(missing(clinic)) or len(_unreached(clinic)) > 1


def _unreached(clinic: Clinic) -> list[str]:
    rota = rotas_of([clinic.pk])[clinic.pk]
    reaches = reaches_of({duty.user_id for duty in rota.chain if duty.user_id})
    return unreached(rota, reaches, fallback_refused=clinic.pk in refusals.of_fallbacks([clinic.pk]))


def browsers_of(user_ids: Collection[int]) -> dict[int, list[Browser]]:
    """Those that can be pushed to, the newest first."""
    found: dict[int, list[Browser]] = defaultdict(list)
    for browser in _alive(user_ids).order_by("-since"):
        found[browser.user_id].append(browser)
    return found


def disable(dead: Iterable[tuple[int, str]], now: datetime) -> None:
    """Push to these no more; each with the reason."""
    for pk, why in dead:
        Browser.objects.filter(pk=pk, disabled_at=None).update(disabled_at=now, disabled_why=why[:200])


def _alive(user_ids: Collection[int]) -> QuerySet[Browser]:
    return Browser.objects.filter(user__in=user_ids, disabled_at=None)
