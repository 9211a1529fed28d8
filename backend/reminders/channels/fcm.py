"""Firebase Cloud Messaging, HTTP v1: reaches Android and, through it, iOS. The target is a registration token."""

from __future__ import annotations

import threading
import time
from typing import Any

import jwt
from django.conf import settings

from backend.reminders.channels import ChannelError, Notice
from backend.reminders.channels.http import post

API = "https://fcm.googleapis.com"
SCOPE = "https://www.googleapis.com/auth/firebase.messaging"
PER_SECOND = 1000  # a tenth of the 600,000 a minute that a project may send

# Error codes that say that this token will never work again (firebase.google.com/docs/reference/fcm/rest/v1/ErrorCode).
DEAD = {"UNREGISTERED", "SENDER_ID_MISMATCH", "INVALID_ARGUMENT"}


def notify(notice: Notice, target: str) -> str:
    account = settings.FCM_SERVICE_ACCOUNT
    seconds = int(notice.lifetime.total_seconds())
    message = {
        "token": target,
        "notification": {"title": notice.title, "body": notice.body},
        "data": {"message": str(notice.message_id)},
        "android": {
            "collapse_key": notice.collapse_key,
            "ttl": f"{seconds}s",
            "notification": {"tag": notice.collapse_key},
        },
        "apns": {
            "headers": {"apns-collapse-id": notice.collapse_key, "apns-expiration": str(int(time.time()) + seconds)}
        },
    }
    answer = post(
        f"{API}/v1/projects/{account['project_id']}/messages:send",
        headers={"Authorization": f"Bearer {_access_token(account)}"},
        json={"message": message},
    )
    if answer.status == 401:
        _tokens.clear()
    if answer.status != 200:
        code = _error_code(answer)
        raise ChannelError(f"FCM answers {answer.status} {code}", permanent=code in DEAD)
    return str(_json(answer).get("name", ""))


_tokens: dict[str, tuple[str, float]] = {}
_lock = threading.Lock()


def _access_token(account: dict[str, str]) -> str:
    """A token for the service account, fetched anew a minute before the last one ends."""
    with _lock:
        token, until = _tokens.get(account["client_email"], ("", 0.0))
        now = time.time()
        if now < until - 60:
            return token
        claims = {
            "iss": account["client_email"],
            "scope": SCOPE,
            "aud": account["token_uri"],
            "iat": int(now),
            "exp": int(now) + 3600,
        }
        grant = {
            "grant_type": "urn:ietf:params:oauth:grant-type:jwt-bearer",
            "assertion": jwt.encode(claims, account["private_key"], algorithm="RS256"),
        }
        answer = post(account["token_uri"], fields=grant, encode_multipart=False)
        body = _json(answer)
        if answer.status != 200 or "access_token" not in body:
            raise ChannelError(f"the service account is refused with {answer.status}")
        _tokens[account["client_email"]] = body["access_token"], now + float(body.get("expires_in", 0))
        return str(body["access_token"])


def _error_code(answer: Any) -> str:
    """FCM's own code. A request that is wrong in itself has none: that is our fault, not the token's."""
    details = _json(answer).get("error", {}).get("details", [])
    return next((detail["errorCode"] for detail in details if "errorCode" in detail), "")


def _json(answer: Any) -> dict[str, Any]:
    try:
        body = answer.json()
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}
