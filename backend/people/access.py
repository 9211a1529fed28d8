"""The one door to patient data: whom may this user see?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from django.db import models
from django.db.models import Exists, F, OuterRef, Q

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser

    from backend.people.models import Patient, User  # noqa: F401 - the name in quotes below


class PatientQuerySet(models.QuerySet["Patient"]):
    """Patients; every query that reaches patient data starts at `visible_to`."""

    def visible_to(self, user: User | AnonymousUser) -> Self:
        """The patients that `user` may see: themselves, those of their care teams, or, for admins, the whole clinic.

        Everybody else, operators too, sees none: a foreign patient is not found rather than forbidden.
        """
        from backend.people.models import CareTeam, Membership, Role

        if not user.is_authenticated or user.is_staff:
            return self.none()
        # Asked once a statement, not once a patient. A patient's care team is always one of the patient's clinic.
        as_admin = Membership.objects.filter(user=user, role=Role.ADMIN).values("clinic")
        my_teams = CareTeam.objects.filter(members__user=user, members__clinic=F("clinic")).values("pk")
        return self.filter(Q(user=user) | Q(clinic__in=as_admin) | Q(care_team__in=my_teams))

    def consenting(self) -> Self:
        """The patients with a consent in force: without it nothing new is taken in and nobody is reminded."""
        from backend.people.models import Consent

        return self.filter(Exists(Consent.objects.filter(patient=OuterRef("pk"), withdrawn_at=None)))
