"""The one door to patient data: whom may this user see?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from django.db import models
from django.db.models import Exists, F, OuterRef, Q

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser

    from backend.people.models import Clinic, Patient, User  # noqa: F401 - the name in quotes below


@dataclass(frozen=True)
class Reach:
    """What a user may see, as read once: the clinics that they are an admin of, and their care teams in each clinic."""

    admin_of: Set[int]
    teams: Mapping[int, Sequence[int]]


class PatientQuerySet(models.QuerySet["Patient"]):
    """Patients; every query that reaches patient data starts at `visible_to`."""

    def visible_to(self, user: User | AnonymousUser, clinic: Clinic | None = None) -> Self:
        """The patients that `user` may see: themselves, those of their care teams, or, for admins, the whole clinic.

        Everybody else, operators too, sees none: a foreign patient is not found rather than forbidden. With `clinic`
        only those there. A patient's care team is always one of the patient's clinic.
        """
        from backend.people.models import CareTeam, Membership, Role

        if not user.is_authenticated or user.is_staff:
            return self.none()
        if clinic is not None and user.reach is not None:
            # Said as plainly as can be: the database counts each condition as if it thinned the rows out once more.
            if clinic.pk in user.reach.admin_of:
                return self.filter(clinic=clinic)
            return self.filter(Q(user=user, clinic=clinic) | Q(care_team__in=user.reach.teams.get(clinic.pk, ())))
        # Asked once a statement, not once a patient.
        as_admin = Membership.objects.filter(user=user, role=Role.ADMIN).values("clinic")
        my_teams = CareTeam.objects.filter(members__user=user, members__clinic=F("clinic")).values("pk")
        visible = self.filter(Q(user=user) | Q(clinic__in=as_admin) | Q(care_team__in=my_teams))
        return visible if clinic is None else visible.filter(clinic=clinic)

    def moved_on_from(self, clinic_id: int, user: User | AnonymousUser) -> Self:
        """Those who have left this clinic and whom `user` may still read about: what was recorded there, nothing else.

        They are the admins' and the care team's that the patient left.
        """
        from backend.people.models import Membership, Role, Transfer

        if not user.is_authenticated or user.is_staff:
            return self.none()
        here = Membership.objects.filter(user=user, clinic=clinic_id)
        left = Transfer.objects.filter(clinic=clinic_id, accepted_at__isnull=False, patient=OuterRef("pk"))
        mine = left.filter(Exists(here.filter(Q(role=Role.ADMIN) | Q(teams=OuterRef("care_team")))))
        return self.filter(Exists(mine)).exclude(clinic=clinic_id)

    def consenting(self) -> Self:
        """The patients with a consent in force: without it nothing new is taken in and nobody is reminded."""
        from backend.people.models import Consent

        return self.filter(Exists(Consent.objects.filter(patient=OuterRef("pk"), withdrawn_at=None)))
