"""Who changed what of a clinic: a row beside each change, in its transaction, that the database lets nobody change."""

from __future__ import annotations

from backend.people.models import Clinic, ClinicChange

LONGEST = 500


def record(clinic: Clinic | int, by: int | None, what: ClinicChange.What, detail: str) -> None:
    """`by` None is the server itself, or an operator's command."""
    clinic_id = clinic if isinstance(clinic, int) else clinic.pk
    ClinicChange.objects.create(clinic_id=clinic_id, user_id=by, what=what, detail=detail[:LONGEST])
