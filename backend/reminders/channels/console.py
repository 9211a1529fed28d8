"""The console, for demonstrations: says on standard output that a reminder went out, and to whom by number."""

from __future__ import annotations

import sys

from backend.reminders.channels import Notice

PER_SECOND = 10_000


def notify(notice: Notice, target: str) -> str:
    sys.stdout.write(f"reminder {notice.message_id} to {target}\n")
    sys.stdout.flush()
    return ""
