"""Who may enter, and what every page knows: whose it is and which clinic it is about."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from functools import cached_property, wraps
from typing import Any, cast
from zoneinfo import ZoneInfo

from django.contrib.auth.decorators import login_required
from django.contrib.postgres.expressions import ArraySubquery
from django.core.exceptions import PermissionDenied, SuspiciousOperation
from django.db.models import OuterRef, QuerySet
from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase
from django.utils import timezone
from django.views.decorators.cache import never_cache

from backend.dashboard import worklist
from backend.people.access import Reach
from backend.people.models import CareTeam, Clinic, Membership, Patient, Role, User

View = Callable[..., HttpResponseBase]

LAST = "dashboard_clinic"
"""In the session: the clinic that its reader was at last, where pages about no clinic lead back to."""


@dataclass(frozen=True)
class Desk:
    """A member of staff at work in one clinic."""

    user: User
    membership: Membership
    memberships: list[Membership]

    @property
    def clinic(self) -> Clinic:
        return self.membership.clinic

    @property
    def is_admin(self) -> bool:
        return self.membership.role == Role.ADMIN

    @property
    def teams(self) -> QuerySet[CareTeam]:
        """The care teams where they may place patients, by name."""
        teams = CareTeam.objects.filter(clinic=self.clinic)
        return (teams if self.is_admin else teams.filter(members=self.membership)).order_by("name")

    @cached_property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.clinic.time_zone)

    @cached_property
    def today(self) -> date:
        """By the clinic's calendar."""
        return datetime.now(self.zone).date()

    @cached_property
    def waiting(self) -> int:
        """How many alerts nobody has acknowledged: the number beside "Alerts" on every page."""
        return worklist.waiting(self.user, self.clinic).count()


def admin_of(desk: Desk) -> None:
    """Refuse to a colleague what is an admin's to do."""
    if not desk.is_admin:
        raise PermissionDenied


def memberships_of(user: User) -> list[Membership]:
    """The user's clinics, by name. Patients and operators have none and no business here."""
    if user.is_staff:
        raise PermissionDenied
    own = Membership.objects.filter(user=user).select_related("clinic")
    found = list(own.annotate(in_teams=ArraySubquery(CareTeam.objects.filter(members=OuterRef("pk")).values("pk"))))
    if not found:
        raise PermissionDenied
    user.reach = Reach(
        admin_of={membership.clinic_id for membership in found if membership.role == Role.ADMIN},
        teams={membership.clinic_id: membership.in_teams for membership in found},
    )
    return sorted(found, key=lambda membership: membership.clinic.name)


def last_of(request: HttpRequest, memberships: list[Membership]) -> Membership:
    """Where the reader was last, or else their first clinic."""
    last = request.session.get(LAST)
    return next((each for each in memberships if each.clinic_id == last), memberships[0])


def desk_at(request: HttpRequest, user: User, memberships: list[Membership], clinic_id: int) -> Desk:
    for membership in memberships:
        if membership.clinic_id == clinic_id:
            if request.session.get(LAST) != clinic_id:
                request.session[LAST] = clinic_id
            return Desk(user, membership, memberships)
    raise Http404


def check_text(request: HttpRequest, named: Mapping[str, Any]) -> None:
    """400 for a NUL in an address or a form, as no keyboard makes one: no text of ours can hold it."""
    sent = (text for data in (request.GET, request.POST) for name, texts in data.lists() for text in (name, *texts))
    if any("\0" in str(text) for text in (*named.values(), *sent)):
        raise SuspiciousOperation("a NUL was sent")


def at_clinic(view: View) -> View:
    """A page about the clinic in its address; a clinic where the caller doesn't work is not found."""

    @wraps(view)
    @never_cache
    @login_required
    def page(request: HttpRequest, clinic_id: int, **kwargs: Any) -> HttpResponseBase:
        check_text(request, kwargs)
        user = cast(User, request.user)
        desk = desk_at(request, user, memberships_of(user), clinic_id)
        with timezone.override(desk.zone):
            return view(request, desk, **kwargs)

    return page


def at_patient(view: View) -> View:
    """A page about the patient in its address; one whom the caller may not see is not found."""

    @wraps(view)
    @never_cache
    @login_required
    def page(request: HttpRequest, patient_id: int, **kwargs: Any) -> HttpResponseBase:
        check_text(request, kwargs)
        user = cast(User, request.user)
        memberships = memberships_of(user)  # who doesn't belong here at all is told so
        patients = Patient.objects.visible_to(user).exclude(user=user).select_related("care_team")
        patient = patients.filter(pk=patient_id).first()
        if patient is None:
            raise Http404
        desk = desk_at(request, user, memberships, patient.clinic_id)
        with timezone.override(desk.zone):
            return view(request, desk, patient, **kwargs)

    return page
