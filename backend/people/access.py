"""The one door to patient data: whom may this user see?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from django.db import models
from django.db.models import Q

if TYPE_CHECKING:
    from backend.people.models import User


class PatientQuerySet(models.QuerySet["models.Model"]):
    """Patients; every query that reaches patient data starts at `visible_to`."""

    def visible_to(self, user: User) -> Self:
        """The patients that `user` may see: themselves, those of their care teams, or, for admins, the whole clinic.

        Everybody else, operators too, sees none: a foreign patient is not found rather than forbidden.
        """
        admin_of = Q(clinic__membership__user=user, clinic__membership__role="admin")
        in_my_team = Q(care_team__members__user=user)
        return self.filter(Q(user=user) | admin_of | in_my_team).distinct()
