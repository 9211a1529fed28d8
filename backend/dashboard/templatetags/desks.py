"""Whose clinic a page names that is about a colleague's own account, and no clinic's."""

from __future__ import annotations

from typing import Any

from django import template
from django.core.exceptions import PermissionDenied

from backend.dashboard.entry import Desk, memberships_of
from backend.people.authentication import second_factor
from backend.people.models import User

register = template.Library()

OWN = ("/accounts/", "/me/")


@register.simple_tag(takes_context=True)
def own_desk(context: dict[str, Any]) -> Desk | None:
    """The desk to which these pages lead back; None for who has not signed in to the end, or works nowhere."""
    request = context.get("request")
    user = getattr(request, "user", None)
    if request is None or not isinstance(user, User) or not request.path_info.startswith(OWN):
        return None
    if not second_factor(user, request.session):
        return None
    try:
        memberships = memberships_of(user)
    except PermissionDenied:
        return None
    return Desk(user, memberships[0], memberships)
