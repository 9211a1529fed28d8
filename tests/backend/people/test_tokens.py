from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import Any

import jwt
import pytest
import time_machine
from django.conf import settings
from django.contrib.sessions.models import Session
from django.db import connection
from django.test import Client
from django.utils import timezone

from backend.people.models import Device, Patient
from backend.people.tokens import Tokens, start_session
from tests.factories import a_patient


def signed_in() -> tuple[Patient, Tokens]:
    patient = a_patient()
    assert patient.user is not None
    key, tokens = start_session(patient.user)
    Device.objects.create(id=patient_device(patient), clinic=patient.clinic, patient=patient, session_key=key)
    return patient, tokens


def patient_device(patient: Patient) -> str:
    return f"00000000-0000-7000-8000-{patient.pk:012}"


def refresh(token: str, at: datetime | None = None) -> Any:
    def ask() -> Any:
        return Client().post("/api/v1/auth/refresh", {"refresh_token": token}, content_type="application/json")

    if at is None:
        return ask()
    with time_machine.travel(at, tick=False):
        return ask()


def pair(response: Any) -> Tokens:
    assert response.status_code == 200, response.content
    data = response.json()["data"]
    return Tokens(data["access_token"], data["refresh_token"])


def lets_in(access: str, at: datetime | None = None) -> bool:
    with time_machine.travel(at or timezone.now(), tick=False):
        return Client(headers={"authorization": f"Bearer {access}"}).get("/api/v1/me").status_code == 200


@pytest.mark.django_db
def test_a_refresh_token_brings_a_pair_that_works() -> None:
    _, tokens = signed_in()
    new = pair(refresh(tokens.refresh))
    assert new.refresh != tokens.refresh
    assert lets_in(new.access)
    assert pair(refresh(new.refresh))


@pytest.mark.django_db
def test_a_phone_that_comes_back_within_ninety_days_stays_signed_in() -> None:
    _, tokens = signed_in()
    at = timezone.now()
    for _ in range(3):
        at += timedelta(days=89)
        tokens = pair(refresh(tokens.refresh, at))
        assert lets_in(tokens.access, at)
    assert refresh(tokens.refresh, at + timedelta(days=91)).status_code == 401


@pytest.mark.django_db
def test_an_access_token_lives_a_quarter_of_an_hour() -> None:
    _, tokens = signed_in()
    assert lets_in(tokens.access, timezone.now() + timedelta(minutes=14))
    assert not lets_in(tokens.access, timezone.now() + timedelta(minutes=16))


@pytest.mark.django_db
def test_a_lost_reply_is_forgiven_for_a_minute() -> None:
    _, tokens = signed_in()
    now = timezone.now()
    refresh(tokens.refresh, now)
    again = pair(refresh(tokens.refresh, now + timedelta(seconds=59)))
    assert lets_in(again.access, now + timedelta(seconds=60))
    assert pair(refresh(again.refresh, now + timedelta(days=1)))


@pytest.mark.django_db
def test_later_reuse_ends_the_session_for_both() -> None:
    _, tokens = signed_in()
    now = timezone.now()
    new = pair(refresh(tokens.refresh, now))
    response = refresh(tokens.refresh, now + timedelta(seconds=61))
    assert (response.status_code, response.json()["errors"][0]["code"]) == (401, "invalid_refresh_token")
    assert not lets_in(new.access)
    assert refresh(new.refresh).status_code == 401
    assert not Session.objects.exists()


@pytest.mark.django_db
def test_a_phone_that_asked_twice_may_keep_either_answer() -> None:
    for kept in (0, 1):
        _, tokens = signed_in()
        now = timezone.now()
        answers = [pair(refresh(tokens.refresh, now)), pair(refresh(tokens.refresh, now + timedelta(seconds=1)))]
        assert pair(refresh(answers[kept].refresh, now + timedelta(days=1)))


@pytest.mark.django_db
def test_of_two_successors_only_one_has_a_future() -> None:
    """A thief who shares the minute of grace is found out as soon as both go on."""
    _, stolen = signed_in()
    now = timezone.now()
    mine, thiefs = pair(refresh(stolen.refresh, now)), pair(refresh(stolen.refresh, now + timedelta(seconds=5)))
    later = now + timedelta(hours=1)
    assert pair(refresh(mine.refresh, later))
    assert refresh(thiefs.refresh, later + timedelta(minutes=2)).status_code == 401
    assert not Session.objects.exists()


@pytest.mark.django_db
def test_a_database_from_a_backup_signs_nobody_out() -> None:
    _, tokens = signed_in()
    backup = Session.objects.get()
    newer = pair(refresh(tokens.refresh, timezone.now() + timedelta(hours=1)))
    backup.save()
    assert pair(refresh(newer.refresh, timezone.now() + timedelta(hours=2)))


@pytest.mark.django_db
@pytest.mark.parametrize("kind", ["access", "garbage", "forged", "none"])
def test_what_is_no_refresh_token_refreshes_nothing(kind: str) -> None:
    _, tokens = signed_in()
    claims = jwt.decode(tokens.refresh, options={"verify_signature": False})
    sent = {
        "access": tokens.access,
        "garbage": "a.b.c",
        "forged": jwt.encode(claims, "another key that is long enough for its purpose", algorithm="HS256"),
        "none": jwt.encode(claims, None, algorithm="none"),  # type: ignore[arg-type]
    }[kind]
    assert refresh(sent).status_code == 401
    assert pair(refresh(tokens.refresh))


@pytest.mark.django_db
def test_a_refresh_token_opens_no_door() -> None:
    assert not lets_in(signed_in()[1].refresh)


@pytest.mark.django_db
def test_a_token_of_another_user_is_not_taken_for_this_session() -> None:
    _, tokens = signed_in()
    claims = jwt.decode(tokens.access, options={"verify_signature": False}) | {"sub": str(a_patient().user_id)}
    assert not lets_in(jwt.encode(claims, settings.SECRET_KEY, algorithm="HS256"))


@pytest.mark.django_db
def test_refreshing_is_counted() -> None:
    statuses = [refresh("a.b.c").status_code for _ in range(61)]
    assert statuses == [401] * 60 + [429]


@pytest.mark.django_db(transaction=True)
def test_refreshes_in_the_same_moment_all_get_a_pair_that_works() -> None:
    _, tokens = signed_in()

    def ask(_: int) -> Any:
        try:
            return refresh(tokens.refresh)
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        pairs = [pair(response) for response in pool.map(ask, range(4))]
    assert len({one.refresh for one in pairs}) == 4
    assert all(lets_in(one.access) for one in pairs)
    assert pair(refresh(pairs[0].refresh))
