"""The one door to patient data: whom may this user see?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from django.db import models
from django.db.models import Exists, OuterRef, Q

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser

    from backend.people.models import Patient, User  # noqa: F401 - the name in quotes below


class PatientQuerySet(models.QuerySet["Patient"]):
    """Patients; every query that reaches patient data starts at `visible_to`."""

    def visible_to(self, user: User | AnonymousUser) -> Self:
        """The patients that `user` may see: themselves, those of their care teams, or, for admins, the whole clinic.

        Everybody else, operators too, sees none: a foreign patient is not found rather than forbidden.
        """
        from backend.people.models import Membership, Role

        if not user.is_authenticated or user.is_staff:
            return self.none()
        here = Membership.objects.filter(user=user, clinic=OuterRef("clinic"))
        admin = here.filter(role=Role.ADMIN)
        in_my_team = here.filter(teams=OuterRef("care_team"))
        return self.filter(Q(user=user) | Exists(admin) | Exists(in_my_team))

    def consenting(self) -> Self:
        """The patients with a consent in force: without it nothing new is taken in and nobody is reminded."""
        from backend.people.models import Consent

        return self.filter(Exists(Consent.objects.filter(patient=OuterRef("pk"), withdrawn_at=None)))
