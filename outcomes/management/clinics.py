"""How commands find the clinic that they are told."""

from __future__ import annotations

from django.core.management.base import CommandError

from backend.people.models import Clinic


def clinic_named(named: str) -> Clinic:
    """The clinic of this name or number. Raises CommandError."""
    clinics = Clinic.objects.filter(pk=int(named)) if named.isdecimal() else Clinic.objects.filter(name=named)
    if len(clinics) != 1:
        raise CommandError(f"--clinic: there {'is no' if not clinics else 'is more than one'} clinic {named!r}.")
    return clinics[0]
