from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
import time_machine
from django.db import connection
from django.test import Client
from django.utils import timezone

from backend.people.enrolment import hash_of, invite, is_adult
from backend.people.models import Audit, ClinicText, Device, Invitation, Patient, User
from backend.rest.problems import Problem
from tests.factories import a_clinician, a_patient, a_team
from tests.signin import a_consent, a_device, phone

BORN = date(1980, 5, 17)


def invited(**fields: Any) -> tuple[Patient, str]:
    """A patient whom the clinic has just invited, and the code."""
    patient = a_patient(**{"user": None, "status": "invited", "date_of_birth": BORN} | fields)
    ClinicText.objects.create(clinic=patient.clinic, kind="consent", language="en", version=1, body="I agree.")
    code, _ = invite(patient, Invitation.Purpose.ENROL, a_clinician(patient.care_team).pk, timezone.now())
    return patient, code


def relinkable() -> tuple[Patient, str]:
    patient = a_patient(date_of_birth=BORN)
    a_consent(patient)
    code, _ = invite(patient, Invitation.Purpose.RELINK, a_clinician(patient.care_team).pk, timezone.now())
    return patient, code


def form(code: str, **fields: Any) -> dict[str, Any]:
    return {
        "code": code,
        "date_of_birth": BORN.isoformat(),
        "device": {"id": str(uuid4()), "name": "test phone"},
        "consent": {"language": "en", "version": 1},
        "language": "en",
        "time_zone": "Europe/Zurich",
    } | fields


def send(address: str, body: Any) -> Any:
    return Client().post(f"/api/v1/{address}", body, content_type="application/json")


def error(response: Any) -> tuple[int, str | None, str]:
    first = response.json()["errors"][0]
    return response.status_code, first["field"], first["code"]


def me(response: Any) -> Any:
    return Client(headers={"authorization": f"Bearer {response.json()['access_token']}"}).get("/api/v1/me")


@pytest.mark.django_db
def test_a_code_becomes_an_account_with_consent_zone_and_phone() -> None:
    patient, code = invited(time_zone="Europe/Zurich")
    sent = form(code, time_zone="Asia/Tokyo", email="Patient@Example.org")
    response = send("enrol", sent)
    assert response.status_code == 201
    assert response["Cache-Control"] == "no-store"
    patient.refresh_from_db()
    assert patient.user is not None
    assert (patient.status, patient.user.email, patient.time_zone) == ("active", "patient@example.org", "Asia/Tokyo")
    assert not patient.user.has_usable_password()
    assert [row.time_zone for row in patient.zones.order_by("since")] == ["Europe/Zurich", "Asia/Tokyo"]
    assert patient.consents.get().text.version == 1
    assert str(patient.devices.get().pk) == sent["device"]["id"]
    said = me(response).json()
    assert (said["id"], said["consent"]["version"], said["time_zone"]) == (patient.pk, 1, "Asia/Tokyo")
    assert set(Audit.objects.filter(patient=patient).values_list("action", flat=True)) == {
        "write invitation",
        "write consent",
        "enrol phone",
        "read profile",
    }


@pytest.mark.django_db
def test_without_an_address_the_account_gets_one_of_nobodys() -> None:
    patient, code = invited()
    send("enrol", form(code))
    assert User.objects.get(patient=patient).email.endswith("@patients.invalid")


@pytest.mark.django_db
def test_an_invitation_shows_what_one_is_asked_to_agree_to() -> None:
    patient, code = invited()
    ClinicText.objects.create(clinic=patient.clinic, kind="consent", language="en", version=2, body="I agree again.")
    said = send("invitation", {"code": code}).json()
    assert (said["purpose"], said["clinic"]["id"]) == ("enrol", patient.clinic_id)
    assert said["consent"] == [{"language": "en", "version": 2, "body": "I agree again."}]
    assert Invitation.objects.get(patient=patient).redeemed_at is None


@pytest.mark.django_db
def test_a_code_may_be_typed_as_it_is_read() -> None:
    _, code = invited()
    typed = code.lower().replace("-", " ").replace("0", "o").replace("1", "l")
    assert hash_of(typed) == hash_of(code)
    assert send("enrol", form(typed)).status_code == 201


@pytest.mark.django_db
def test_a_code_is_not_in_the_database() -> None:
    patient, code = invited()
    row = Invitation.objects.filter(patient=patient).values().get()
    assert code not in str(row)
    assert code.replace("-", "") not in str(row)


@pytest.mark.django_db
def test_a_code_works_once() -> None:
    _, code = invited()
    send("enrol", form(code))
    assert error(send("enrol", form(code))) == (400, "code", "used")


@pytest.mark.django_db
def test_a_phone_whose_reply_was_lost_asks_again() -> None:
    patient, code = invited()
    sent = form(code)
    lost, found = send("enrol", sent), send("enrol", sent)
    assert found.status_code == 201
    assert me(found).status_code == 200
    assert me(lost).status_code == 401
    assert (Device.objects.count(), patient.consents.count()) == (1, 1)


@pytest.mark.django_db
def test_but_not_much_later() -> None:
    _, code = invited()
    sent = form(code)
    send("enrol", sent)
    with time_machine.travel(timezone.now() + timedelta(minutes=11)):
        assert error(send("enrol", sent)) == (400, "code", "used")


@pytest.mark.django_db
def test_a_code_expires() -> None:
    _, code = invited()
    with time_machine.travel(timezone.now() + timedelta(days=14)):
        assert error(send("enrol", form(code))) == (400, "code", "expired")


@pytest.mark.django_db
def test_a_new_code_kills_the_one_before() -> None:
    patient, code = invited()
    other, _ = invite(patient, Invitation.Purpose.ENROL, a_clinician(patient.care_team).pk, timezone.now())
    assert error(send("enrol", form(code))) == (400, "code", "expired")
    assert send("enrol", form(other)).status_code == 201


@pytest.mark.django_db
def test_a_code_to_link_a_phone_enrols_nobody_and_the_other_way_round() -> None:
    assert error(send("enrol", form(relinkable()[1]))) == (400, "code", "unknown")
    assert error(send("relink", form(invited()[1]))) == (400, "code", "unknown")


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("fields", "field", "code"),
    [
        ({"date_of_birth": "1980-05-18"}, "date_of_birth", "mismatch"),
        ({"date_of_birth": "1890-05-17"}, "date_of_birth", "out_of_range"),
        ({"date_of_birth": "2190-05-17"}, "date_of_birth", "out_of_range"),
        ({"date_of_birth": "17.5.1980"}, "date_of_birth", "invalid"),
        ({"consent": {"language": "en", "version": 2}}, "consent.version", "outdated"),
        ({"consent": {"language": "fr", "version": 1}}, "consent.language", "unknown"),
        ({"consent": None}, "consent", "null"),
        ({"language": "fr"}, "language", "unknown"),
        ({"time_zone": "Mars/Olympus"}, "time_zone", "unknown"),
        ({"time_zone": "../etc/passwd"}, "time_zone", "unknown"),
        ({"email": "nobody"}, "email", "invalid"),
        ({"device": {"id": "x"}}, "device.id", "invalid"),
        ({"code": ""}, "code", "blank"),
        ({"code": "a\0b"}, "code", "nul_byte"),
        ({"code": "0000-0000-0000"}, "code", "unknown"),
    ],
)
def test_what_is_wrong_is_named_and_nothing_is_left_behind(fields: Any, field: str, code: str) -> None:
    patient, good = invited()
    assert error(send("enrol", form(good) | fields)) == (400, field, code)
    patient.refresh_from_db()
    assert patient.user is None
    assert not patient.devices.exists()
    assert send("enrol", form(good)).status_code == 201


@pytest.mark.django_db
def test_nobody_enrols_with_somebody_elses_address_or_phone() -> None:
    elsewhere = a_patient()
    assert elsewhere.user is not None
    device, _ = a_device(elsewhere)
    _, code = invited()
    taken = form(code, email=elsewhere.user.email.upper())
    assert error(send("enrol", taken)) == (400, "email", "taken")
    taken = form(code, device={"id": str(device.pk), "name": ""})
    assert error(send("enrol", taken)) == (400, "device.id", "taken")


@pytest.mark.parametrize(
    ("born", "today", "adult"),
    [
        (date(2008, 11, 22), date(2026, 11, 22), True),
        (date(2008, 11, 23), date(2026, 11, 22), False),
        (date(2004, 2, 29), date(2022, 2, 28), False),
        (date(2004, 2, 29), date(2022, 3, 1), True),
    ],
)
def test_patients_are_eighteen(born: date, today: date, adult: bool) -> None:
    assert is_adult(born, today) is adult


@pytest.mark.django_db
def test_a_minor_does_not_enrol_until_their_birthday_where_they_are() -> None:
    with time_machine.travel(datetime(2026, 11, 22, 10, 30, tzinfo=UTC)):  # half an hour before midnight in Auckland
        _, code = invited(date_of_birth=None)
        sent = form(code, date_of_birth="2008-11-23", time_zone="Pacific/Auckland")
        assert error(send("enrol", sent)) == (400, "date_of_birth", "not_an_adult")
    with time_machine.travel(datetime(2026, 11, 22, 11, 30, tzinfo=UTC)):
        assert send("enrol", sent).status_code == 201


@pytest.mark.django_db(transaction=True)
def test_of_two_who_redeem_one_code_in_the_same_moment_one_wins() -> None:
    _, code = invited()

    def redeem(_: int) -> int:
        try:
            return int(send("enrol", form(code)).status_code)
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        assert sorted(pool.map(redeem, range(4))) == [201, 400, 400, 400]
    assert Device.objects.count() == 1


@pytest.mark.django_db
def test_codes_are_not_guessed() -> None:
    answers = [error(send("enrol", form(f"0000-0000-{n:04}"))) for n in range(31)]
    assert answers[:30] == [(400, "code", "unknown")] * 30
    assert answers[30] == (429, None, "throttled")


@pytest.mark.django_db
def test_a_found_code_does_not_help_to_guess_the_date_of_birth() -> None:
    _, code = invited()
    for day in range(1, 11):
        assert error(send("enrol", form(code, date_of_birth=f"1970-01-{day:02}")))[2] == "mismatch"
    right = Client(REMOTE_ADDR="192.0.2.7").post("/api/v1/enrol", form(code), content_type="application/json")
    assert error(right) == (429, None, "throttled")


@pytest.mark.django_db
def test_nobody_guesses_while_nobody_counts(settings: Any) -> None:
    _, code = invited()
    away = {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": "redis://127.0.0.1:1"}
    settings.CACHES = {"default": away}
    assert error(send("enrol", form(code))) == (503, None, "unavailable")
    assert (
        error(Client().post("/api/v1/auth/login", {"email": "a@example.org", "password": "x"}, "application/json"))[0]
        == 503
    )


@pytest.mark.django_db
def test_another_phone_is_linked_beside_the_first() -> None:
    patient, code = relinkable()
    first = phone(patient)
    response = send("relink", form(code))
    assert me(response).json()["id"] == patient.pk
    assert first.get("/api/v1/me").status_code == 200


@pytest.mark.django_db
def test_a_phone_that_was_set_up_anew_is_the_same_phone() -> None:
    patient, code = relinkable()
    device, token = a_device(patient)
    response = send("relink", form(code, device={"id": str(device.pk), "name": "the same"}))
    assert me(response).status_code == 200
    assert Client(headers={"authorization": f"Bearer {token}"}).get("/api/v1/me").status_code == 401
    assert patient.devices.get().name == "the same"


@pytest.mark.django_db
def test_who_has_an_account_is_not_invited_and_who_has_none_gets_no_other_phone() -> None:
    enrolled, waiting = a_patient(a_team()), a_patient(user=None, status="invited")
    for patient, purpose, code in [
        (enrolled, Invitation.Purpose.ENROL, "enrolled"),
        (waiting, Invitation.Purpose.RELINK, "not_enrolled"),
        (a_patient(status="discharged"), Invitation.Purpose.RELINK, "discharged"),
    ]:
        with pytest.raises(Problem) as refused:
            invite(patient, purpose, a_clinician(patient.care_team).pk, timezone.now())
        assert refused.value.get_codes() == code
