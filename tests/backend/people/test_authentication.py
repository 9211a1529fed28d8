from typing import Any

import pytest
from django.contrib.sessions.models import Session
from django.http import HttpRequest
from django.test import Client
from django.utils import timezone

from backend.people import devices
from backend.people.authentication import Phone, bearer, phone_of, require_phone
from backend.people.models import Device, User
from backend.rest.problems import Problem
from tests.factories import a_clinician, a_patient, a_team, a_user
from tests.signin import a_consent, a_device, browser, phone

pytestmark = pytest.mark.django_db


def request_with(token: str) -> HttpRequest:
    request = HttpRequest()
    request.META["HTTP_AUTHORIZATION"] = f"Bearer {token}"
    return request


def test_a_phone_is_known_in_one_statement(django_assert_num_queries: Any) -> None:
    patient = a_patient(language="de", time_zone="Asia/Tokyo")
    a_consent(patient)
    device, token = a_device(patient)
    with django_assert_num_queries(1):
        me = require_phone(request_with(token))
    assert me == Phone(
        user_id=patient.user_id or 0,
        patient_id=patient.pk,
        clinic_id=patient.clinic_id,
        device_id=device.pk,
        language="de",
        time_zone="Asia/Tokyo",
        consent=True,
    )


def test_a_phone_without_consent_says_so() -> None:
    patient = a_patient()
    consent = a_consent(patient)
    consent.withdrawn_at = timezone.now()
    consent.save()
    payload = bearer(request_with(a_device(patient)[1]))
    assert payload is not None
    found = phone_of(payload)
    assert found is not None
    assert found[1].consent is False


@pytest.mark.parametrize(
    "loss",
    [
        lambda device: devices.revoke(Device.objects.filter(pk=device.pk), device.patient.user_id, timezone.now()),
        lambda device: Session.objects.filter(session_key=device.session_key).delete(),
        lambda device: Session.objects.update(expire_date=timezone.now()),
        lambda device: Device.objects.filter(pk=device.pk).update(revoked_at=timezone.now()),
        lambda device: Device.objects.filter(pk=device.pk).delete(),
        lambda device: User.objects.filter(pk=device.patient.user_id).update(is_active=False),
    ],
    ids=["revoked", "signed out", "session expired", "only marked", "forgotten", "user inactive"],
)
def test_a_token_dies_with_what_it_stands_on(loss: Any) -> None:
    device, token = a_device(a_patient())
    assert require_phone(request_with(token))
    loss(device)
    with pytest.raises(Problem) as refused:
        require_phone(request_with(token))
    assert (refused.value.status_code, refused.value.get_codes()) == (401, "invalid_token")
    # Nor does it open any other door.
    client = Client(headers={"authorization": f"Bearer {token}"})
    assert client.get("/api/v1/patients").status_code in {401, 403}


def test_no_token_is_asked_for_one() -> None:
    with pytest.raises(Problem) as refused:
        require_phone(HttpRequest())
    assert refused.value.headers["WWW-Authenticate"] == "Bearer"


def test_staff_without_a_second_factor_read_nothing() -> None:
    clinician = a_clinician(a_team())
    response = browser(clinician, second_factor=False).get("/api/v1/patients")
    assert (response.status_code, response.json()["errors"][0]["code"]) == (403, "totp_required")
    assert browser(clinician).get("/api/v1/patients").status_code == 200


def test_a_second_factor_of_somebody_else_does_not_count() -> None:
    clinician, other = a_clinician(a_team()), a_user()
    client = browser(clinician)
    session = client.session
    session["account_authentication_methods_user"] = str(other.pk)
    session.save()
    assert client.get("/api/v1/patients").status_code == 403


def test_a_browser_writes_only_with_the_csrf_token() -> None:
    client = browser(a_clinician(a_team()))
    client.handler.enforce_csrf_checks = True
    response = client.post("/api/v1/patients", {}, content_type="application/json")
    assert (response.status_code, response["Content-Type"]) == (403, "application/problem+json")


def test_a_phone_needs_none() -> None:
    client = phone(a_patient())
    client.handler.enforce_csrf_checks = True
    assert client.patch("/api/v1/me", {}, content_type="application/json").status_code == 200
