"""The rules of red flags as each clinic has set them, within the rules' bounds."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime

import msgspec
from django.db import connection, transaction

from backend.people.models import Clinic, User
from outcomes.alert_rules import BY_CODE, RULES, Rule, Unbound, problems
from outcomes.models import ClinicRule
from outcomes.store import columns


class BadThresholdsError(ValueError):
    """Numbers that a clinic can't set; `problems` names each field."""

    def __init__(self, problems: list[Unbound]) -> None:
        super().__init__(", ".join(f"{problem.field}: {problem.code}" for problem in problems))
        self.problems = problems


STANDING = """
    SELECT json_agg(json_build_array(clinic_id, rule, thresholds, version)) FROM (
        SELECT DISTINCT ON (clinic_id, rule) clinic_id, rule, thresholds, version
        FROM outcomes_clinic_rule WHERE clinic_id = ANY(%s::bigint[]) ORDER BY clinic_id, rule, version DESC
    ) AS standing
"""
"""The newest numbers of some clinics, as `rules_as_set` reads them: a value for any statement to bring along."""


def rules_of(clinic_ids: Iterable[int]) -> dict[int, dict[str, Rule]]:
    """All rules by code, as each of these clinics has set them, most urgent first. One statement."""
    clinics = set(clinic_ids)
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT ({STANDING})::text", columns([(clinic,) for clinic in clinics], 1))
        return rules_as_set(clinics, cursor.fetchone()[0])


def rules_as_set(clinic_ids: Iterable[int], standing: str | None) -> dict[int, dict[str, Rule]]:
    """What `rules_of` gives, from what STANDING has told of these clinics."""
    own: dict[int, dict[str, tuple[Mapping[str, float], int]]] = {clinic: {} for clinic in clinic_ids}
    for clinic, code, numbers, version in msgspec.json.decode(standing or "[]"):
        own[clinic][code] = numbers, version
    return {
        clinic: {rule.code: rule.changed(*changed[rule.code]) if rule.code in changed else rule for rule in RULES}
        if changed
        else BY_CODE
        for clinic, changed in own.items()
    }


def set_thresholds(clinic: Clinic, rule: Rule, numbers: Mapping[str, float], *, by: User | None, now: datetime) -> Rule:
    """Set a clinic's own numbers for a rule, all at once: what is not among them is the default again.

    They become the next version of its numbers, unless they are those that hold already. Alerts that stand keep the
    clock that they were raised with. Raises BadThresholdsError.
    """
    if found := problems(rule, numbers):
        raise BadThresholdsError(found)
    with transaction.atomic():
        Clinic.objects.select_for_update(no_key=True).get(pk=clinic.pk)  # versions count up without a gap
        last = ClinicRule.objects.filter(clinic=clinic, rule=rule.code).order_by("-version").first()
        if dict(numbers) != (last.thresholds if last else {}):
            version = last.version + 1 if last else 1
            last = ClinicRule.objects.create(
                clinic=clinic,
                rule=rule.code,
                version=version,
                thresholds=dict(numbers),
                changed_by=by,
                changed_at=now,
            )
    return rule.changed(numbers, last.version) if last else rule
