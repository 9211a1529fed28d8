"""NHANES 2017–18, PHQ-9 of 5,533 people, through the import, beside an independent count of the same file."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.core.management import call_command
from django.db.models import Count, Q

from backend.people.models import Origin, Patient
from outcomes.models import Alert, Response, Score
from tests.factories import a_clinic, a_clinician, a_team
from tests.outcomes.series import real_data
from tests.signin import browser

MAPPING = Path(__file__).parents[2] / "docs/mappings/nhanes-dpq.toml"
ITEMS = [f"DPQ0{n}0" for n in range(1, 10)]


def by_hand(path: Path) -> Iterator[tuple[str, list[int | None]]]:
    """The nine answers of each person, read without any of our code."""
    with path.open() as file:
        for line in csv.DictReader(file):
            answers = [int(float(line[item])) if line[item] else None for item in ITEMS]
            yield str(int(float(line["SEQN"]))), [answer if answer in (0, 1, 2, 3) else None for answer in answers]


def total_by_hand(answers: list[int | None]) -> int | None:
    """The PHQ-9 total: up to two missing are filled with the mean of the others, half up, in whole numbers."""
    given = [answer for answer in answers if answer is not None]
    return (2 * 9 * sum(given) + len(given)) // (2 * len(given)) if len(given) >= 7 else None


@pytest.mark.django_db
def test_everybody_loads_and_scores_as_by_hand() -> None:
    path = real_data("nhanes/DPQ_J.csv")
    clinic = a_clinic()
    team = a_team(clinic)
    command = [
        "import_responses",
        str(path),
        f"--mapping={MAPPING}",
        f"--clinic={clinic.pk}",
        f"--care-team={team.name}",
    ]
    call_command(*command)

    people = dict(by_hand(path))
    totals = {number: total for number, answers in people.items() if (total := total_by_hand(answers)) is not None}
    patients = Patient.objects.filter(clinic=clinic, care_team=team, origin=Origin.IMPORT, status="active", user=None)
    responses = Response.objects.filter(clinic_id=clinic.pk, origin=Origin.IMPORT)
    scores = Score.objects.filter(clinic_id=clinic.pk, measure__code="phq-9.total")
    assert patients.count() == len(people) == 5533
    assert responses.count() == 5533
    assert dict(scores.values_list("patient__identifier", "value")) == totals
    assert len(totals) == 5086
    statuses = dict(responses.values_list("status").annotate(Count("id")))
    assert statuses == {"complete": 5068, "prorated": 18, "incomplete": 447}

    positive = {number for number, answers in people.items() if answers[8]}
    unanswered = {n for n, answers in people.items() if answers[8] is None and any(a is not None for a in answers)}
    alerts = Alert.objects.filter(clinic=clinic, state="review")
    assert set(alerts.filter(rule="SUI-1").values_list("patient__identifier", flat=True)) == positive
    assert set(alerts.filter(rule="SUI-2").values_list("patient__identifier", flat=True)) == unanswered
    assert (len(positive), len(unanswered)) == (192, 8)
    # clinical.md: 64 of 191 people with item 9 positive (and every item answered) score below 10.
    complete = {number for number in positive if None not in people[number]}
    below = scores.filter(patient__identifier__in=complete, value__lt=10)
    assert (below.count(), len(complete)) == (64, 191)
    assert not Alert.objects.filter(~Q(state="review"), clinic=clinic).exists()

    # A clinician of the team reads them over the API: every fiftieth person, and all whose form has gaps.
    client = browser(a_clinician(team))
    gaps = [number for number, answers in people.items() if None in answers]
    for number in [*list(people)[::50], *gaps[::10]]:
        patient = patients.get(identifier=number)
        (response,) = client.get(f"/api/v1/patients/{patient.pk}/responses").json()["results"]
        given = {str(n): answer for n, answer in enumerate(people[number], 1) if answer is not None}
        assert {item: value for item, value in response["answers"].items() if item != "difficulty"} == given
        assert response["scores"] == ({"phq-9.total": totals[number]} if number in totals else {})

    before = list(responses.order_by("pk").values_list("pk", "rev", "answers"))
    call_command(*command)
    assert list(responses.order_by("pk").values_list("pk", "rev", "answers")) == before
    assert scores.count() == 5086
