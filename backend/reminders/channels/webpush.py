"""Web Push (RFC 8030), encrypted (RFC 8291) and signed (VAPID, RFC 8292). The target is a subscription as JSON."""

from __future__ import annotations

import base64
import json
import os
import time
from typing import Annotated
from urllib.parse import urlsplit

import jwt
import msgspec
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from django.conf import settings

from backend.reminders.channels import ChannelError, Notice
from backend.reminders.channels.http import post

PER_SECOND = 200

# A subscription is a phone's word: only to push services does this server speak, never to an address of its own net.
SERVICES = (
    "fcm.googleapis.com",
    ".push.services.mozilla.com",
    ".push.apple.com",
    ".notify.windows.com",
)
SCHEMES = ("https",)


class Keys(msgspec.Struct):
    """The browser's public key and its secret, in base64url."""

    p256dh: Annotated[str, msgspec.Meta(max_length=200)]
    auth: Annotated[str, msgspec.Meta(max_length=100)]


class Subscription(msgspec.Struct):
    """As a browser's PushSubscription.toJSON() gives it."""

    endpoint: Annotated[str, msgspec.Meta(max_length=1500)]
    keys: Keys


def notify(notice: Notice, target: str) -> str:
    subscription = read_subscription(target)
    content = {
        "title": notice.title,
        "body": notice.body,
        "message": str(notice.message_id),
        "tag": notice.collapse_key,
    }
    try:
        body = encrypt(json.dumps(content).encode(), *keys_of(subscription))
    except ValueError as error:
        raise ChannelError("the subscription's key is none", permanent=True) from error
    url = urlsplit(subscription.endpoint)
    answer = post(
        subscription.endpoint,
        headers={
            "TTL": str(int(notice.lifetime.total_seconds())),
            "Topic": notice.collapse_key,
            "Urgency": "high" if notice.urgent else "normal",
            "Content-Encoding": "aes128gcm",
            "Content-Type": "application/octet-stream",
            "Authorization": _vapid(f"{url.scheme}://{url.netloc}"),
        },
        body=body,
    )
    if answer.status not in (200, 201, 202):
        gone = answer.status in (404, 410)
        raise ChannelError(f"the push service answers {answer.status}", permanent=gone)
    return answer.headers.get("Location", "")


def read_subscription(target: str) -> Subscription:
    """Raises ChannelError where this is no subscription at a push service that we know."""
    try:
        subscription = msgspec.json.decode(target, type=Subscription)
        url = urlsplit(subscription.endpoint)
        known = url.scheme in SCHEMES and any(_is_at(url.hostname or "", service) for service in SERVICES)
    except (ValueError, msgspec.DecodeError) as error:
        raise ChannelError("this is no subscription", permanent=True) from error
    if not known:
        raise ChannelError("the endpoint is no push service that we know", permanent=True)
    return subscription


def keys_of(subscription: Subscription) -> tuple[bytes, bytes]:
    """The browser's public key and its secret. Raises ValueError where they are no base64."""
    return _bytes(subscription.keys.p256dh), _bytes(subscription.keys.auth)


def encrypt(
    content: bytes,
    browser_key: bytes,
    secret: bytes,
    *,
    salt: bytes = b"",
    key: ec.EllipticCurvePrivateKey | None = None,
) -> bytes:
    """RFC 8291, in one record of aes128gcm. `salt` and `key` are fresh each time, but for the RFC's own example."""
    salt = salt or os.urandom(16)
    key = key or ec.generate_private_key(ec.SECP256R1())
    browser = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), browser_key)
    own = _point(key)
    shared = _hkdf(key.exchange(ec.ECDH(), browser), secret, b"WebPush: info\0" + browser_key + own, 32)
    content_key = _hkdf(shared, salt, b"Content-Encoding: aes128gcm\0", 16)
    nonce = _hkdf(shared, salt, b"Content-Encoding: nonce\0", 12)
    header = salt + (4096).to_bytes(4) + len(own).to_bytes(1) + own
    return header + AESGCM(content_key).encrypt(nonce, content + b"\2", None)


def public_key() -> str:
    """What a browser subscribes with, so that nobody but this server can push to it; empty where it doesn't push."""
    return _encoded(_point(_own_key())) if settings.VAPID_PRIVATE_KEY else ""


def _own_key() -> ec.EllipticCurvePrivateKey:
    return ec.derive_private_key(int.from_bytes(_bytes(settings.VAPID_PRIVATE_KEY)), ec.SECP256R1())


def _vapid(audience: str) -> str:
    key = _own_key()
    claims = {"aud": audience, "exp": int(time.time()) + 12 * 3600, "sub": settings.VAPID_CONTACT}
    return f"vapid t={jwt.encode(claims, key, algorithm='ES256')}, k={_encoded(_point(key))}"


def _is_at(host: str, service: str) -> bool:
    return host.endswith(service) if service.startswith(".") else host == service


def _hkdf(secret: bytes, salt: bytes, info: bytes, length: int) -> bytes:
    return HKDF(hashes.SHA256(), length, salt, info).derive(secret)


def _point(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)


def _encoded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _bytes(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
