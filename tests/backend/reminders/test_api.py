"""The agenda, as a phone reads it."""

from __future__ import annotations

from uuid import uuid4

import pytest
from django.http import HttpResponse
from django.utils import timezone
from rest_framework.test import APIRequestFactory, force_authenticate

from backend.people.authentication import Phone
from backend.people.models import Patient
from backend.reminders.api import AgendaView
from tests import factories
from tests.backend.reminders.given import a_diarist

pytestmark = pytest.mark.django_db


def read(patient: Patient, **query: str) -> HttpResponse:
    request = APIRequestFactory().get("/api/v1/agenda", query)
    assert patient.user
    phone = Phone(patient.user.pk, patient.pk, patient.clinic_id, uuid4(), "en", patient.time_zone, consent=True)
    force_authenticate(request, user=patient.user, token=phone)  # type: ignore[arg-type]
    return AgendaView.as_view()(request)


def test_a_week_ahead_unless_said() -> None:
    patient = a_diarist(timezone.now(), user=factories.a_user())
    a_diarist(timezone.now())
    assert read(patient).content.count(b"daily-diary") in (7, 8)  # today's window may be over
    assert read(patient, days="2").content.count(b"daily-diary") in (2, 3)


@pytest.mark.parametrize("days", ["0", "15", "-1", "x", "", "٣", "9" * 5000])
def test_days_that_cannot_be_are_named(days: str) -> None:
    answer = read(a_diarist(timezone.now(), user=factories.a_user()), days=days)
    assert answer.status_code == 400
    assert b'"field": "days"' in answer.content
