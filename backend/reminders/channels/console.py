"""The console, for demonstrations: says on standard output that a reminder went out, and to whom by number."""

from __future__ import annotations

import sys

from backend.reminders.channels import Notice


def notify(notice: Notice) -> str:
    sys.stdout.write(f"reminder {notice.message_id} to patient {notice.patient_id}\n")
    sys.stdout.flush()
    return ""
