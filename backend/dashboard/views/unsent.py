"""What was written and not sent because the screen had locked: looked at, then sent or left."""

from __future__ import annotations

from typing import cast

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from backend.dashboard.entry import memberships_of
from backend.dashboard.unsent import Unsent, forget, waiting
from backend.people.models import User


@require_safe
@never_cache
@login_required
def unsent(request: HttpRequest) -> HttpResponse:
    memberships_of(cast(User, request.user))
    found = waiting(request)
    if found is None:
        return redirect("dashboard:home")
    return render(request, "dashboard/unsent.html", {"unsent": found})


def _taken(request: HttpRequest) -> Unsent | None:
    """What waited, and waits no more."""
    memberships_of(cast(User, request.user))
    found = waiting(request)
    forget(request)
    return found


@require_POST
@never_cache
@login_required
def send(request: HttpRequest) -> HttpResponse:
    """On to where it was meant to go, which asks whether they may: 307 has the browser send the same once more."""
    found = _taken(request)
    return redirect(found.address, preserve_request=True) if found else redirect("dashboard:home")


@require_POST
@never_cache
@login_required
def leave(request: HttpRequest) -> HttpResponse:
    found = _taken(request)
    return redirect(found.page if found else "dashboard:home")


@require_POST
@never_cache
@login_required
def idle(request: HttpRequest) -> HttpResponse:
    """A page stands open, and the lock had nothing to say against it."""
    memberships_of(cast(User, request.user))
    return HttpResponse(status=204)
