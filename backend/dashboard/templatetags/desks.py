"""Whose clinic a page names that is about none: a colleague's own account, or something that isn't there for them."""

from __future__ import annotations

from typing import Any

from django import template
from django.core.exceptions import PermissionDenied

from backend.dashboard.entry import Desk, last_of, memberships_of
from backend.dashboard.unsent import handed_back
from backend.people.authentication import second_factor
from backend.people.models import User

register = template.Library()


@register.simple_tag(takes_context=True)
def words_back(context: dict[str, Any]) -> str:
    """What the reader wrote with a step that was refused."""
    request = context.get("request")
    return handed_back(request) if request else ""


@register.simple_tag(takes_context=True)
def own_desk(context: dict[str, Any]) -> Desk | None:
    """The desk to which these pages lead back; None for who has not signed in to the end, or works nowhere."""
    request = context.get("request")
    user = getattr(request, "user", None)
    if request is None or not isinstance(user, User):
        return None
    if not second_factor(user, request.session):
        return None
    try:
        memberships = memberships_of(user)
    except PermissionDenied:
        return None
    return Desk(user, last_of(request, memberships), memberships)
