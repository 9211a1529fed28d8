"""Requests to push services, with what all of them answer when they are in trouble."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import requests

from backend.reminders.channels import ChannelError, read_retry_after

TIMEOUT = (5, 10)  # seconds to connect, and for each part of the answer

_local = threading.local()


def post(url: str, headers: Mapping[str, str] | None = None, **content: Any) -> requests.Response:
    """The answer, unless it says to come again later: that, and no answer at all, raises a ChannelError."""
    if not hasattr(_local, "session"):
        _local.session = requests.Session()  # one a thread, so that connections are kept
    try:
        answer: requests.Response = _local.session.post(
            url, headers=headers, timeout=TIMEOUT, allow_redirects=False, **content
        )
    except requests.RequestException as error:
        raise ChannelError(f"no answer: {type(error).__name__}") from error
    if answer.status_code == 429 or answer.status_code >= 500:
        wait = read_retry_after(answer.headers.get("Retry-After"), datetime.now(UTC))
        raise ChannelError(f"the provider answers {answer.status_code}", retry_after=wait)
    return answer
