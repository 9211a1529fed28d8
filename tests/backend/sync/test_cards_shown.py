"""The phone shows the clinic's own text, offline if need be, and says so."""

from __future__ import annotations

import pytest
from uuid_utils.compat import uuid7

from backend.sync.models import Quarantine
from outcomes.models import Alert, AlertEvent
from tests.backend.sync.test_push_and_pull import a_response, send
from tests.factories import a_patient

pytestmark = pytest.mark.django_db


def shown(**fields: object) -> dict[str, object]:
    return {
        "type": "safety-card-shown",
        "id": str(uuid7()),
        "kind": "crisis",
        "authored_at": "2026-11-20T09:04:00+01:00",
        "language": "de",
        "version": 3,
    } | fields


@pytest.mark.parametrize("refused", [False, True])
def test_what_was_shown_offline_stands_beside_the_alert_once(refused: bool) -> None:
    """Also where the answer itself was refused, and the alert comes from the quarantine."""
    patient = a_patient()
    answer = a_response(
        instrument="phq-9", answers={"9": 1}, authored_at="2026-11-20T09:03:00+01:00", version="17" if refused else "1"
    )
    item = shown(response=answer["id"])
    for status in ("stored", "duplicate"):
        verdicts = send(patient, item, answer)
        assert verdicts[0].status == status
    event = AlertEvent.objects.get(kind="card-shown")
    assert event.alert == Alert.objects.get(patient=patient)
    assert event.alert.late is not refused
    assert (event.user, event.note) == (None, "crisis, de, version 3")
    assert event.at.isoformat() == "2026-11-20T08:04:00+00:00"


def test_without_an_alert_of_that_text_it_is_kept_for_somebody_to_look_at() -> None:
    patient = a_patient()
    send(patient, a_response(instrument="phq-9", answers={"1": 1}))
    (verdict,) = send(patient, shown())
    assert (verdict.status, verdict.errors[0].code) == ("rejected", "no_alert")
    assert Quarantine.objects.get(patient=patient).kind == "safety-card-shown"
