"""What somebody was writing when their screen locked. It waits, encrypted, and nobody else is shown it.

It stands in the session of the browser where it was written, which knows no user any more: whoever signs in there as
somebody else never sees it, and it is gone with the session.
"""

from __future__ import annotations

from contextlib import suppress

import msgspec
from cryptography.fernet import InvalidToken
from django.conf import settings
from django.core.exceptions import SuspiciousOperation
from django.http import HttpRequest
from django.middleware.csrf import CsrfViewMiddleware
from django.utils.http import url_has_allowed_host_and_scheme

from backend.people.adapters import cipher

KEY, REFUSED = "dashboard_unsent", "dashboard_refused"
LONGEST = 200_000  # characters of a form; the longest text that a page takes is far shorter
OWN = ("/accounts/", "/me/")  # passwords and codes are typed anew
PRESENCE = "/me/idle"
"""Where a page says that it still stands open, and sends along what was typed into it; see idle.js."""


class Unsent(msgspec.Struct, frozen=True):
    """A form as it was filled in. `ready`: it was sent so, or can be: no button was left to choose."""

    user: int
    address: str
    page: str
    fields: list[tuple[str, str]]
    ready: bool = True

    @property
    def texts(self) -> list[str]:
        """What was written in words."""
        return [value for _name, value in self.fields if " " in value.strip()]


def unsent(request: HttpRequest) -> Unsent | None:
    """What the locked browser sends, or what still waits there from the lock before."""
    return _sent(request) or waiting(request)


def _sent(request: HttpRequest) -> Unsent | None:
    presence = request.path_info == PRESENCE
    if request.method != "POST" or (request.path_info.startswith(OWN) and not presence) or _forged(request):
        return None
    try:
        given = [(name, str(text)) for name, texts in request.POST.lists() for text in texts]
    except SuspiciousOperation:  # too many fields: no page of ours has them
        return None
    about = {name: text for name, text in given if name.startswith("idle.")}
    fields = [(name, text) for name, text in given if name != "csrfmiddlewaretoken" and name not in about]
    address = about.get("idle.to", "") if presence else request.get_full_path()
    if not fields or sum(len(text) for _name, text in fields) > LONGEST or not _is_ours(address):
        return None
    assert request.user.pk  # noqa: S101  the lock asks for who is signed in
    return Unsent(request.user.pk, address, page_of(request), fields, not presence or "idle.ready" in about)


def page_of(request: HttpRequest) -> str:
    """The page that somebody looks at: where a form stands, for what is sent has an address that can't be opened."""
    if request.method in ("GET", "HEAD") and "HX-Request" not in request.headers:
        return request.get_full_path()
    page = request.headers.get("HX-Current-URL") or request.headers.get("Referer", "")
    path = page.removeprefix(f"{request.scheme}://{request.get_host()}")
    return path if _is_ours(path) else "/"


def _is_ours(address: str) -> bool:
    return address.startswith("/") and url_has_allowed_host_and_scheme(address, None)


def _forged(request: HttpRequest) -> bool:
    """Whether no page of ours has sent it. The lock comes before the view, where that is asked otherwise."""
    return CsrfViewMiddleware(lambda _: None).process_view(request, None, (), {}) is not None  # type: ignore[arg-type]


def keep(request: HttpRequest, what: Unsent) -> None:
    request.session[KEY] = cipher().encrypt(msgspec.json.encode(what)).decode()


def waiting(request: HttpRequest) -> Unsent | None:
    """What waits for whoever has signed in."""
    token = request.session.get(KEY)
    if token is None:
        return None
    with suppress(InvalidToken, msgspec.DecodeError):
        found = msgspec.json.decode(cipher().decrypt(token, ttl=settings.SESSION_COOKIE_AGE), type=Unsent)
        if found.user == request.user.pk:
            return found
    forget(request)
    return None


def hand_back(request: HttpRequest, words: str) -> None:
    """Words that went with something refused stand once on the next page, for the form is there anew and empty."""
    if words.strip():
        request.session[REFUSED] = cipher().encrypt(words.encode()).decode()


def handed_back(request: HttpRequest) -> str:
    with suppress(InvalidToken):
        if token := request.session.pop(REFUSED, None):
            return cipher().decrypt(token, ttl=settings.SESSION_COOKIE_AGE).decode()
    return ""


def forget(request: HttpRequest) -> None:
    request.session.pop(KEY, None)
