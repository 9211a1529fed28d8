"""How a colleague is told that an alert waits, seen and changed by themselves."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

import msgspec
from django.conf import settings
from django.db import transaction
from django.db.models import Q
from msgspec import UNSET, UnsetType

from backend.people.models import User
from backend.reminders import refusals
from backend.reminders.channels import ChannelError, webpush
from backend.reminders.colleague_models import Browser, CallSettings
from backend.rest.problems import Problem, in_words

MOST_BROWSERS = 20


class ShownBrowser(msgspec.Struct):
    """A browser that can be pushed to. A dead one says since when and why."""

    id: int
    name: str
    since: datetime
    disabled_at: datetime | None
    disabled_why: str


class ShownCallSettings(msgspec.Struct):
    """By which channels. What is critical goes to every one of them, whatever `channel` says.

    `email_refused_at`: since when their address is refused for good, and nothing goes there; it is so until it is
    confirmed or changed. `push_key`: what a browser subscribes with (VAPID); empty where the server does not push.
    """

    channel: str
    email: str
    email_refused_at: datetime | None
    email_refused_why: str
    browsers: list[ShownBrowser]
    push_key: str


class ChangeCallSettings(msgspec.Struct, forbid_unknown_fields=True):
    """`auto` is the browsers if one can be reached, else e-mail. `email_confirmed`: the address is right, try it."""

    channel: Literal["auto", "email", "both"] | UnsetType = UNSET
    email_confirmed: Literal[True] | UnsetType = UNSET


class NewBrowser(msgspec.Struct, forbid_unknown_fields=True):
    """`subscription` is what PushSubscription.toJSON() gives; `name` is by which its owner will know the browser."""

    subscription: webpush.Subscription
    name: Annotated[str, msgspec.Meta(max_length=100)] = ""


def read(user: User) -> ShownCallSettings:
    """Three statements."""
    held = CallSettings.objects.filter(pk=user.pk).first() or CallSettings()
    refused = refusals.of_users([user.pk]).get(user.pk)
    return ShownCallSettings(
        channel=held.channel,
        email=user.email,
        email_refused_at=refused.refused_at if refused else None,
        email_refused_why=refused.why if refused else "",
        browsers=[_shown(browser) for browser in Browser.objects.filter(user=user).order_by("-since", "-pk")],
        push_key=webpush.public_key(),
    )


def change(user: User, changes: ChangeCallSettings) -> None:
    if changes.channel is not UNSET:
        CallSettings.objects.update_or_create(user=user, defaults={"channel": changes.channel})
    if changes.email_confirmed is not UNSET:
        refusals.confirm(Q(user=user))


def subscribe(user: User, new: NewBrowser, now: datetime) -> ShownBrowser:
    """Push to this browser from now on. It tells whoever subscribed there last: on a shared computer, one of them."""
    if not settings.VAPID_PRIVATE_KEY:
        raise Problem(409, "no_push", "This server does not push to browsers.")
    target = msgspec.json.encode(new.subscription).decode()
    try:
        webpush.read_subscription(target)
        webpush.encrypt(b"", *webpush.keys_of(new.subscription))
    except ChannelError as error:
        raise Problem(400, "unusable", str(error).capitalize() + ".", field="subscription.endpoint") from error
    except ValueError as error:
        raise Problem(400, "unusable", "The subscription's key is none.", field="subscription.keys") from error
    said = {"user": user, "name": new.name, "target": target, "since": now, "disabled_at": None, "disabled_why": ""}
    with transaction.atomic():
        User.objects.select_for_update(no_key=True).get(pk=user.pk)
        others = Browser.objects.filter(user=user).exclude(endpoint=new.subscription.endpoint)
        others.filter(
            disabled_at__isnull=False
        ).delete()  # whoever sits at a browser has seen what became of the others
        if others.count() >= MOST_BROWSERS:
            raise Problem(409, "too_many", in_words("%(n)s browsers are enough: remove one first.", n=MOST_BROWSERS))
        browser, _ = Browser.objects.update_or_create(endpoint=new.subscription.endpoint, defaults=said)
    return _shown(browser)


def _shown(browser: Browser) -> ShownBrowser:
    return ShownBrowser(browser.pk, browser.name, browser.since, browser.disabled_at, browser.disabled_why)
