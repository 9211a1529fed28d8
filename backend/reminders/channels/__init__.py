"""The ways to a person. One module each, with one verb: `notify()` returns the provider's receipt or raises.

The caller alone knows about retries; a channel alone knows about its provider.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID


@dataclass(frozen=True)
class Notice:
    """What goes over the wire. No text of it says anything about health.

    The same `message_id` may arrive twice; a phone shows it once. A newer notice with the same `collapse_key` takes
    the older one's place.
    """

    message_id: UUID
    patient_id: int
    collapse_key: str
    title: str
    body: str
    expires_at: datetime


class ChannelError(Exception):
    """It did not go out. `permanent`: nor will it at this address; else worth another try, after `retry_after`."""

    def __init__(self, message: str, *, permanent: bool, retry_after: timedelta | None = None) -> None:
        super().__init__(message)
        self.permanent = permanent
        self.retry_after = retry_after
