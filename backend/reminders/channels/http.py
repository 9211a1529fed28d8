"""Requests to push services, with what all of them answer when they are in trouble."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cache
from typing import Any
from urllib.request import getproxies

from urllib3 import BaseHTTPResponse, PoolManager, ProxyManager, Timeout
from urllib3.exceptions import HTTPError

from backend.reminders.channels import ChannelError, read_retry_after

TIMEOUT = (5, 10)  # seconds to connect, and for each part of the answer
AT_ONCE = 32  # connections to one service that are kept


@cache
def _connections(scheme: str) -> PoolManager:
    """Kept for all threads of the process, through the proxy that the environment names, if it does."""
    proxy = getproxies().get(scheme)
    return ProxyManager(proxy, maxsize=AT_ONCE) if proxy else PoolManager(maxsize=AT_ONCE)


def post(url: str, headers: Mapping[str, str] | None = None, **content: Any) -> BaseHTTPResponse:
    """The answer, unless it says to come again later: that, and no answer at all, raises a ChannelError."""
    connect, read = TIMEOUT
    try:
        answer = _connections(url.partition(":")[0]).request(
            "POST",
            url,
            headers=headers,
            timeout=Timeout(connect=connect, read=read),
            retries=False,
            redirect=False,
            **content,
        )
    except HTTPError as error:
        raise ChannelError(f"no answer: {type(error).__name__}") from error
    if answer.status == 429 or answer.status >= 500:
        wait = read_retry_after(answer.headers.get("Retry-After"), datetime.now(UTC))
        raise ChannelError(f"the provider answers {answer.status}", retry_after=wait)
    return answer
