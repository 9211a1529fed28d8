"""Examples for the OpenAPI document."""

from __future__ import annotations

from typing import Any

DIARY: dict[str, Any] = {
    "windows": [{"opens": "18:00:00", "closes": "04:00:00", "days": 1}],
    "pattern": {"type": "days", "every": 1},
    "remind": {"after": 60, "nudges": 1, "every": 90},
}
WHOLE_RULE: dict[str, Any] = {
    **DIARY,
    "anchor": "enrolment",
    "from_day": 0,
    "to_day": None,
    "burst": None,
    "grace_hours": 48,
}
SCHEDULE: dict[str, Any] = {
    "id": "01936f2a-7b1c-7c3e-9d55-2f1f0a6f4b11",
    "asks": "instrument",
    "code": "daily-diary",
    "title": "Daily diary",
    "rule": WHOLE_RULE,
    "anchor_on": None,
    "version": 1,
    "active": True,
    "origin": "clinic",
    "created_at": "2026-11-22T09:00:00Z",
}
NO_ROTA = {
    "why_not": "no_rota",
    "detail": "Somebody must read the answer to item 9 of phq-9 promptly, and the clinic has not named: anybody on "
    "call. Name them, or use phq-8, which leaves item 9 out.",
    "instead": "phq-8",
}
OFFERS = {
    "instruments": [{"code": "phq-9", "title": "PHQ-9", **NO_ROTA}],
    "plans": [
        {
            "name": "default",
            "title": "Depression every four weeks",
            "needs_date": False,
            "asks": [{"code": "phq-9", "title": "PHQ-9", **NO_ROTA, "rule": WHOLE_RULE}],
        }
    ],
}
APPLIED = {"schedules": [SCHEDULE], "left_out": [NO_ROTA]}
SLOT = {
    "slot": "01936f2a-7b1c-7c3e-9d55-2f1f0a6f4b11:2026-11-22:0",
    "schedule": "01936f2a-7b1c-7c3e-9d55-2f1f0a6f4b11",
    "asks": "instrument",
    "code": "daily-diary",
    "local_date": "2026-11-22",
    "opens_at": "2026-11-22T17:00:00Z",
    "closes_at": "2026-11-23T03:00:00Z",
    "state": "open",
    "remind_at": "2026-11-22T19:30:00Z",
    "snoozed_at": None,
    "completed_by": None,
    "completed_at": None,
    "reason": "",
    "said": [
        {
            "id": "01936f2a-7b1c-7c3e-9d55-2f1f0a6f4b12",
            "nudge": 0,
            "state": "sent",
            "channel": "fcm",
            "planned_at": "2026-11-22T18:00:00Z",
            "sent_at": "2026-11-22T18:00:09Z",
            "delivered_at": "2026-11-22T18:00:10Z",
            "opened_at": None,
            "why_not": "",
        }
    ],
}
SETTINGS: dict[str, Any] = {
    "channel": "auto",
    "quiet_from": "21:00:00",
    "quiet_to": "07:00:00",
    "weekly_cap": 21,
    "tell_week": True,
    "tell_seen": False,
    "changed_at": None,
    "email": "patient@example.org",
    "email_refused_at": None,
    "email_refused_why": "",
    "ways": [
        {"channel": "fcm", "since": "2026-11-01T09:00:00Z", "disabled_at": None, "disabled_why": ""},
    ],
}
DAYS_AWAY = {"first_day": "2026-12-21", "last_day": "2026-12-27"}
ABSENCE: dict[str, Any] = {"id": "01936f2a-7b1c-7c3e-9d55-2f1f0a6f4b13", **DAYS_AWAY, "cancelled": False}
NEW_BROWSER: dict[str, Any] = {
    "name": "phone",
    "subscription": {
        "endpoint": "https://updates.push.services.mozilla.com/wpush/v2/generated",
        "keys": {
            "p256dh": "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4",
            "auth": "BTBZMqHH6r4Tts7J_aSIgg",
        },
    },
}
BROWSER: dict[str, Any] = {
    "id": 7,
    "name": "phone",
    "since": "2026-11-20T09:00:00Z",
    "disabled_at": None,
    "disabled_why": "",
}
CALL_SETTINGS: dict[str, Any] = {
    "channel": "auto",
    "email": "colleague@clinic.example",
    "email_refused_at": None,
    "email_refused_why": "",
    "browsers": [BROWSER],
    "push_key": NEW_BROWSER["subscription"]["keys"]["p256dh"],
}
EMAIL = {"email": "patient@example.org"}
