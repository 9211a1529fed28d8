"""A colleague signs in with password and authenticator app, in the browser and over the API."""

import base64
import hmac
import json
import time
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from allauth.mfa.models import Authenticator
from django.core import mail
from django.test import Client

from backend.people.adapters import MFAAdapter
from backend.people.models import User
from tests.factories import a_clinician, a_patient, a_team, a_user
from tests.signin import browser

pytestmark = pytest.mark.django_db

PASSWORD = "a long enough test password"


def code_of(secret: str, at: float | None = None) -> str:
    """What an authenticator app shows (RFC 6238)."""
    step = int((time.time() if at is None else at) // 30).to_bytes(8)
    digest = hmac.digest(base64.b32decode(secret), step, "sha1")
    offset = digest[-1] & 15
    return f"{(int.from_bytes(digest[offset : offset + 4]) & 0x7FFF_FFFF) % 1_000_000:06}"


def api(method: str, address: str, body: Any = None, **headers: str) -> Any:
    named: Any = {name.replace("_", "-"): value for name, value in headers.items()}
    sent = b"" if body is None else json.dumps(body).encode()
    return Client().generic(method, f"/api/v1/{address}", sent, "application/json", headers=named)


def bearer(answer: Any) -> dict[str, str]:
    return {"authorization": f"Bearer {answer.json()['meta']['access_token']}"}


def sign_in(user: User) -> Any:
    return api("POST", "auth/login", {"email": user.email, "password": PASSWORD})


def set_up_app(token: dict[str, str]) -> str:
    """The way of the first day: show the password once more, take the secret, show a code."""
    assert api("POST", "auth/reauthenticate", {"password": PASSWORD}, **token).status_code == 200
    secret = api("GET", "auth/authenticators/totp", **token).json()["meta"]["secret"]
    done = api("POST", "auth/authenticators/totp", {"code": code_of(secret)}, **token)
    assert done.status_code == 200, done.content
    return str(secret)


def test_a_password_alone_reads_nothing() -> None:
    clinician = a_clinician(a_team())
    answer = api("GET", "patients", **bearer(sign_in(clinician)))
    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (403, "totp_required")


@pytest.mark.django_db(transaction=True)  # allauth tells of a new authenticator after the commit
def test_the_first_day() -> None:
    clinician = a_clinician(a_team())
    first = bearer(sign_in(clinician))
    set_up_app(first)
    assert api("GET", "patients", **first).status_code == 200
    codes = api("GET", "auth/authenticators/recovery-codes", **first).json()["data"]["unused_codes"]
    assert len(codes) == 10


def test_every_other_day() -> None:
    clinician = a_clinician(a_team())
    secret = set_up_app(bearer(sign_in(clinician)))
    half = sign_in(clinician)
    assert half.status_code == 401
    assert half["Content-Type"] == "application/problem+json"
    assert [flow["id"] for flow in half.json()["data"]["flows"] if flow.get("is_pending")] == ["mfa_authenticate"]
    assert "access_token" not in half.json()["meta"]
    half_way = {"x_session_token": half.json()["meta"]["session_token"]}
    wrong = api("POST", "auth/2fa/authenticate", {"code": "000000"}, **half_way)
    assert (wrong.status_code, wrong.json()["errors"][0]["field"]) == (400, "code")
    whole = api("POST", "auth/2fa/authenticate", {"code": code_of(secret)}, **half_way)
    assert api("GET", "patients", **bearer(whole)).status_code == 200


def test_a_recovery_code_stands_in_once() -> None:
    clinician = a_clinician(a_team())
    set_up_app(bearer(sign_in(clinician)))
    stored = Authenticator.objects.get(user=clinician, type=Authenticator.Type.RECOVERY_CODES)
    code = stored.wrap().get_unused_codes()[0]
    for status in (200, 400):
        half_way = {"x_session_token": sign_in(clinician).json()["meta"]["session_token"]}
        assert api("POST", "auth/2fa/authenticate", {"code": code}, **half_way).status_code == status


def test_the_secret_is_not_readable_in_the_database() -> None:
    clinician = a_clinician(a_team())
    secret = set_up_app(bearer(sign_in(clinician)))
    for stored in Authenticator.objects.filter(user=clinician):
        assert secret not in str(stored.data)
    assert MFAAdapter().decrypt(Authenticator.objects.get(type="totp").data["secret"]) == secret


def test_who_signs_out_is_out() -> None:
    token = bearer(sign_in(a_clinician(a_team())))
    assert api("GET", "auth/session", **token).status_code == 200
    assert api("DELETE", "auth/session", **token).status_code == 204
    assert api("GET", "auth/session", **token).status_code == 401
    assert api("GET", "patients", **token).status_code == 401


def test_passwords_are_not_guessed() -> None:
    clinician = a_clinician(a_team())
    wrong = {"email": clinician.email, "password": "not this one"}
    answers = [api("POST", "auth/login", wrong).status_code for _ in range(6)]
    assert answers == [400] * 5 + [429]
    assert sign_in(clinician).status_code == 429


def test_a_wrong_password_and_an_unknown_address_look_alike() -> None:
    known = api("POST", "auth/login", {"email": a_user().email, "password": "not this one"}).json()
    unknown = api("POST", "auth/login", {"email": "nobody@example.org", "password": "not this one"}).json()
    assert known["errors"] == unknown["errors"]


def test_second_factors_are_not_guessed() -> None:
    clinician = a_clinician(a_team())
    set_up_app(bearer(sign_in(clinician)))
    half_way = {"x_session_token": sign_in(clinician).json()["meta"]["session_token"]}
    answers = [api("POST", "auth/2fa/authenticate", {"code": f"{n:06}"}, **half_way).status_code for n in range(12)]
    assert answers[-1] == 429


def test_patients_get_no_password_by_mail() -> None:
    patient = a_patient()
    assert patient.user is not None
    for user in (patient.user, a_clinician(a_team())):
        assert api("POST", "auth/password/request", {"email": user.email}).status_code == 200
    assert [message.to for message in mail.outbox] == [[user.email]]


def test_nobody_signs_up() -> None:
    page = Client().post("/accounts/signup/", {"email": "new@example.org", "password1": PASSWORD})
    assert "closed" in page.content.decode().lower()
    assert not User.objects.filter(email="new@example.org").exists()


def test_a_browser_without_a_second_factor_is_sent_to_get_one() -> None:
    client = browser(a_clinician(a_team()), second_factor=False)
    sent = urlsplit(client.get("/?q=1").headers["Location"])
    assert (sent.path, parse_qs(sent.query)) == ("/accounts/2fa/totp/activate/", {"next": ["/?q=1"]})
    assert client.get("/admin/").headers["Location"].startswith("/accounts/2fa/totp/activate/")


def test_a_browser_that_has_not_shown_its_second_factor_is_asked_for_it() -> None:
    clinician = a_clinician(a_team())
    set_up_app(bearer(sign_in(clinician)))
    client = browser(clinician, second_factor=False)
    assert client.get("/").headers["Location"].startswith("/accounts/2fa/reauthenticate/")


def test_an_operator_needs_one_too() -> None:
    operator = a_user(is_staff=True, is_superuser=True)
    assert browser(operator, second_factor=False).get("/admin/").status_code == 302
    assert browser(operator).get("/admin/").status_code == 200


def test_operators_see_no_patients_accounts() -> None:
    patient = a_patient()
    assert patient.user is not None
    page = browser(a_user(is_staff=True, is_superuser=True)).get("/admin/people/user/").content.decode()
    assert patient.user.email not in page
