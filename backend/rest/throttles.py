"""Counts who knocks, before anybody is signed in."""

from __future__ import annotations

import hashlib
import time

from allauth.account.adapter import get_adapter
from django.core.cache import cache
from django.http import HttpRequest
from rest_framework.exceptions import Throttled


def knock(scope: str, who: str, *, most: int, seconds: int) -> None:
    """Count one attempt of `who` at `scope`; 429 once there were more than `most` in this window of `seconds`.

    The count is one atomic increment in Redis, so a burst doesn't slip through as it does between DRF's get and set.
    Without Redis this raises, and the middleware answers 503: nobody may guess because nobody counts.
    """
    window, left = divmod(time.time(), seconds)
    key = f"knock:{scope}:{hashlib.sha256(who.encode()).hexdigest()[:32]}:{int(window)}"
    cache.add(key, 0, timeout=seconds)
    if cache.incr(key) > most:
        raise Throttled(wait=seconds - left)


def address_of(request: HttpRequest) -> str:
    """The client's IP address, behind as many proxies as the settings say."""
    return str(get_adapter().get_client_ip(request))
