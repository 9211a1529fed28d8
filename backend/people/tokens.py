"""Access and refresh tokens: allauth's, with a rotation that forgives a lost reply and nothing else."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable
from datetime import timedelta
from typing import Any, Literal, NamedTuple

from allauth.headless import app_settings
from allauth.headless.internal.sessionkit import lookup_session
from allauth.headless.tokens.strategies.jwt import JWTTokenStrategy
from allauth.headless.tokens.strategies.jwt.internal import (
    create_access_token,
    create_refresh_token,
    decode_token,
    get_refresh_token_state,
    session_key_from_sid,
    validate_token_user,
)
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.sessions.backends.base import SessionBase
from django.contrib.sessions.backends.db import SessionStore
from django.contrib.sessions.models import Session
from django.db import transaction

from backend.people.models import User

logger = logging.getLogger(__name__)

GRACE = timedelta(seconds=60)
RETIRED = "retired_refresh_tokens"
ISSUED = "refresh_token_issued_at"


class Tokens(NamedTuple):
    access: str
    refresh: str


class TokenStrategy(JWTTokenStrategy):  # type: ignore[misc]
    """Using a refresh token retires it and brings its successor.

    A retired one still works for `GRACE`: the reply that carried its successor may have been lost, or the phone asked
    twice. After that, whoever shows it is not the one who got the successor, so the session ends for both.
    """

    def refresh_token(self, refresh_token: str) -> tuple[str, str] | None:
        payload = decode_token(refresh_token, "refresh")
        key = payload and session_key_from_sid(payload["sid"])
        if not key:
            return None
        with transaction.atomic():
            # Two refreshes of one session happen one after the other.
            Session.objects.select_for_update().filter(session_key=key).first()
            session = lookup_session(key)
            user = session and validate_token_user(payload, session)
            if not user:
                return None
            match standing(session, payload):
                case "live":
                    retire(session)
                case "forgiven":
                    pass
                case "reused":
                    logger.warning("a retired refresh token was used again, so its session ends")
                    end_sessions([key])
                    return None
            return issue(user, session)


def standing(session: SessionBase, token: dict[str, Any]) -> Literal["live", "forgiven", "reused"]:
    """What a refresh token of this session is worth now.

    One that is newer than anything we know of is live: we signed it and then forgot it, because the database came back
    from a backup or lost its last seconds.
    """
    if token["jti"] in get_refresh_token_state(session) or token["iat"] > session.get(ISSUED, 0):
        return "live"
    retired_at = session.get(RETIRED, {}).get(token["jti"], 0)
    return "forgiven" if time.time() - retired_at <= GRACE.total_seconds() else "reused"


def retire(session: SessionBase) -> None:
    """Whatever is live is so no more: of several successors of one token, the first that is used ends the others."""
    live, now = get_refresh_token_state(session), time.time()
    recent = {jti: at for jti, at in session.get(RETIRED, {}).items() if now - at <= GRACE.total_seconds()}
    session[RETIRED] = recent | dict.fromkeys(live, now)
    live.clear()


def issue(user: User, session: SessionBase) -> Tokens:
    pair = Tokens(create_access_token(user, session, {}), create_refresh_token(user, session))
    session[ISSUED] = int(time.time())
    session.save()
    return pair


def start_session(user: User) -> tuple[str, Tokens]:
    """A phone's session key, and its first tokens. Each refresh renews its 90 days."""
    session = SessionStore()
    session[SESSION_KEY] = str(user.pk)
    session[BACKEND_SESSION_KEY] = "allauth.account.auth_backends.AuthenticationBackend"
    session[HASH_SESSION_KEY] = user.get_session_auth_hash()
    session.set_expiry(app_settings.JWT_REFRESH_TOKEN_EXPIRES_IN)
    session.create()
    assert session.session_key is not None  # noqa: S101  create() has made one
    return session.session_key, issue(user, session)


def end_sessions(keys: Iterable[str]) -> None:
    """Every token of these sessions is dead from now on."""
    Session.objects.filter(session_key__in=list(keys)).delete()
