"""Who works in a clinic, and as what. A clinic is never left without an admin."""

from __future__ import annotations

from django.db import IntegrityError, transaction
from django.db.models import QuerySet

from backend.people import changes
from backend.people.models import Clinic, ClinicChange, Membership, OnCall, Patient, Role, User
from backend.rest.problems import Problem


@transaction.atomic
def add(clinic: Clinic, email: str, name: str, role: str, *, by: int | None = None) -> Membership:
    """Make the account behind this address, new or known, a colleague. A new one has no password yet."""
    user = User.objects.filter(email__iexact=email).first()
    try:
        with transaction.atomic():
            user = user or User.objects.create_user(email, name=name, language=next(iter(clinic.languages), "en"))
            # Whether a patient or an operator has the address is nobody's business.
            if user.is_staff or not user.is_active or Patient.objects.filter(user=user).exists():
                raise Problem(400, "unusable", "This address can't be used here: take another one.", field="email")
            member = Membership.objects.create(clinic=clinic, user=user, role=role)
            changes.record(clinic, by, ClinicChange.What.STAFF, f"{user.email} added as {role}")
            return member
    except IntegrityError as error:
        raise Problem(400, "taken", "This colleague is here already.", field="email") from error


@transaction.atomic
def set_role(member: Membership, role: str, *, by: int | None = None) -> None:
    if role != Role.ADMIN:
        _keep_an_admin(member)
    changes.record(member.clinic_id, by, ClinicChange.What.STAFF, f"{member.user.email}: {member.role} → {role}")
    member.role = role
    member.save(update_fields=["role"])


@transaction.atomic
def remove(member: Membership, *, by: int | None = None) -> None:
    """From their next request on they see nothing of this clinic; what they wrote keeps their name."""
    _keep_an_admin(member)
    if OnCall.objects.filter(membership=member).exists():
        raise Problem(409, "on_call", "They are in the on-call chain. Take them out of it first.")
    changes.record(member.clinic_id, by, ClinicChange.What.STAFF, f"{member.user.email} removed, was {member.role}")
    member.delete()


def _keep_an_admin(member: Membership) -> None:
    """Of two admins who remove each other in the same moment one waits here, and is then the last."""
    Clinic.objects.select_for_update(no_key=True).get(pk=member.clinic_id)
    if not admins(member.clinic_id).exclude(pk=member.pk).exists():
        raise Problem(409, "last_admin", "This is the last admin of the clinic. Make somebody else one first.")


def admins(clinic_id: int) -> QuerySet[Membership]:
    """Those of a clinic who can sign in."""
    return Membership.objects.filter(clinic=clinic_id, role=Role.ADMIN, user__is_active=True)
