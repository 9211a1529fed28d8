"""The ways to a person. One module each, with one verb: `notify()` returns the provider's receipt or raises.

The caller alone knows about retries; a channel alone knows about its provider.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from uuid import UUID


@dataclass(frozen=True)
class Notice:
    """What goes over the wire. No text of it says anything about health.

    The same `message_id` may arrive twice; a phone shows it once. A newer notice with the same `collapse_key` takes
    the older one's place. `lifetime` is for how long it is worth delivering. What is `urgent` may wake a device.
    """

    message_id: UUID
    patient_id: int
    collapse_key: str
    title: str
    body: str
    lifetime: timedelta
    urgent: bool = False


class ChannelError(Exception):
    """It did not go out. `permanent`: nor will it ever at this address. Else it is worth another try.

    `retry_after` is what the provider asks of everybody who sends through it.
    """

    def __init__(self, message: str, *, permanent: bool = False, retry_after: timedelta | None = None) -> None:
        super().__init__(message)
        self.permanent = permanent
        self.retry_after = retry_after


def read_retry_after(value: str | None, now: datetime) -> timedelta | None:
    """An HTTP Retry-After, in seconds or as a date; None if there is none, or none that makes sense. A day at most."""
    if not value:
        return None
    try:
        wait = timedelta(seconds=int(value)) if value.strip().isdigit() else parsedate_to_datetime(value) - now
    except (ValueError, OverflowError, TypeError):
        return None
    return min(max(wait, timedelta(seconds=1)), timedelta(days=1))
