"""The phone or browser that somebody of a test comes with."""

from __future__ import annotations

import time

from django.test import Client
from django.utils import timezone
from uuid_utils.compat import uuid7

from backend.people.models import ClinicText, Consent, Device, Patient, User
from backend.people.tokens import start_session


def a_consent(patient: Patient) -> Consent:
    text, _ = ClinicText.objects.get_or_create(
        clinic=patient.clinic, kind="consent", language="en", version=1, defaults={"body": "I agree."}
    )
    return Consent.objects.create(clinic=patient.clinic, patient=patient, text=text, given_at=timezone.now())


def a_device(patient: Patient) -> tuple[Device, str]:
    """A signed-in phone and its access token."""
    assert patient.user is not None
    key, (access, _) = start_session(patient.user)
    device = Device.objects.create(id=uuid7(), clinic=patient.clinic, patient=patient, session_key=key)
    return device, access


def phone(patient: Patient) -> Client:
    """A client that asks as the patient's phone does."""
    return Client(headers={"authorization": f"Bearer {a_device(patient)[1]}"})


def browser(user: User, *, second_factor: bool = True) -> Client:
    """A client that asks as the browser of somebody who has signed in with password and authenticator app."""
    client = Client()
    client.force_login(user)
    if second_factor:
        session = client.session
        session["account_authentication_methods_user"] = str(user.pk)
        session["account_authentication_methods"] = [{"method": "mfa", "type": "totp", "at": time.time()}]
        session.save()
    return client
