from __future__ import annotations

from datetime import date

import pytest

from outcomes.alert_history import read_histories
from outcomes.loading import measure_ids
from outcomes.models import Score
from tests.factories import a_patient
from tests.plans import grown, plans

pytestmark = pytest.mark.django_db


def test_a_history_is_read_by_one_plan_for_all() -> None:
    """Planned anew for each answer it took longer to plan than to run, and more than all else that an answer asks."""
    patient = a_patient()
    before = plans()
    for _ in range(20):
        read_histories({(patient.pk, "phq-9.total"): (date(2026, 1, 1), date(2026, 2, 1))})
    (generic, custom) = max(grown(before).values(), key=sum)
    assert generic > custom


def test_no_span_is_left_out_however_many_are_asked_for() -> None:
    patients = [a_patient() for _ in range(30)]
    measure, day = measure_ids()["phq-9.total"], date(2026, 1, 5)
    Score.objects.bulk_create(
        Score(
            patient_id=patient.pk,
            clinic_id=patient.clinic_id,
            measure_id=measure,
            local_day=day,
            source=f"00000000-0000-4000-8000-{n:012}",
            value=n,
            at="2026-01-05T12:00Z",
        )
        for n, patient in enumerate(patients)
    )
    for _ in range(12):  # also by the plan for all
        found = read_histories({(patient.pk, "phq-9.total"): (day, day) for patient in patients})
        assert [found[patient.pk, "phq-9.total"].values for patient in patients] == [[n] for n in range(30)]
