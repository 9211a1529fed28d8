"""A screen that nobody sits at locks itself. What was being written on it waits: `unsent.py`."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import timedelta
from typing import TYPE_CHECKING

from django.contrib.auth import logout
from django.http import HttpRequest, HttpResponse
from django.shortcuts import resolve_url
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode

from backend.dashboard.unsent import PRESENCE, keep, page_of, unsent
from backend.people import audit

if TYPE_CHECKING:
    from backend.dashboard.entry import Desk

IDLE = timedelta(minutes=20)
"""Without a page asked for. Own choice, for a clinic to ratify."""

# Written at most once a minute, so that not every page costs an UPDATE.
GRAIN = timedelta(minutes=1)
KEY = "dashboard_seen"
LATELY = timedelta(minutes=15)


class IdleLock:
    """Signs a browser out that has asked for nothing in a while. What refreshes itself doesn't count as somebody."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.path_info.startswith(("/api/", "/static/")) or not request.user.is_authenticated:
            return self.get_response(request)
        now = timezone.now().timestamp()
        seen = request.session.get(KEY, now)
        if now - seen > IDLE.total_seconds():
            return lock(request)
        alone = by_itself(request)
        if not alone and (KEY not in request.session or now - seen > GRAIN.total_seconds()):
            request.session[KEY] = now
        return self.get_response(request)


def by_itself(request: HttpRequest) -> bool:
    """Whether a page refreshes itself, with nobody's doing; htmx names the element that asks."""
    if request.path_info == PRESENCE:
        return "idle.typed" not in request.POST
    return request.headers.get("HX-Source") in ("div#panel", "div#worklist")


def record_read(request: HttpRequest, action: str, patients: Iterable[int], desk: Desk) -> None:
    """Put on record who read of whom.

    What refreshes itself shows the same people to the same eyes: that is noted once in LATELY. Who only claims to
    refresh saves a repeated row by it, and no more.
    """
    if by_itself(request):
        audit.record_unless_lately(action, patients, desk.user.pk, LATELY)
    else:
        audit.record(action, patients, desk.user.pk)


def lock(request: HttpRequest) -> HttpResponse:
    """Sign out, and keep what this browser was about to send."""
    kept, page = unsent(request), page_of(request)
    logout(request)
    if kept:
        keep(request, kept)
    return to_sign_in(request, reverse("dashboard:unsent") if kept else page)


def to_sign_in(request: HttpRequest, back: str) -> HttpResponse:
    """To the sign-in page and back; a page that refreshes itself leaves as a whole, so nothing stays on the screen."""
    address = f"{resolve_url('account_login')}?{urlencode({'next': back})}"
    if "HX-Request" in request.headers:
        return HttpResponse(headers={"HX-Redirect": address})
    return HttpResponse(status=302, headers={"Location": address})
