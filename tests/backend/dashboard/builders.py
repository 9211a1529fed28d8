"""Clinics, colleagues and patients for the dashboard's tests. Everybody is visibly made up."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from hashlib import blake2b
from itertools import count
from typing import Any

from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.test import Client
from uuid_utils.compat import uuid7

from backend.dashboard.models import SavedView
from backend.people.models import CareTeam, Clinic, Membership, Patient, Role, User
from backend.sync.models import Quarantine
from outcomes.models import Alert, AlertEvent, InstrumentVersion, Measure, Response, Score, Summary, Trend

NOW = datetime(2026, 6, 15, 10, tzinfo=UTC)
TODAY = date(2026, 6, 15)

_numbers = count(1)


def clinic(name: str = "", **fields: Any) -> Clinic:
    return Clinic.objects.create(name=name or f"Clinic {next(_numbers)}", time_zone="Europe/Zurich", **fields)


def team(of: Clinic, name: str = "") -> CareTeam:
    return CareTeam.objects.create(clinic=of, name=name or f"Team {next(_numbers)}")


def colleague(of: Clinic, *teams: CareTeam, role: str = Role.CLINICIAN, **fields: Any) -> User:
    n = next(_numbers)
    user = User.objects.create_user(f"colleague-{n}@clinic.example", name=f"Colleague {n}", **fields)
    Membership.objects.create(clinic=of, user=user, role=role).teams.set(teams)
    return user


def patient(in_team: CareTeam, name: str = "", **fields: Any) -> Patient:
    n = next(_numbers)
    values: dict[str, Any] = {
        "identifier": f"P-{n:05}",
        "name": name or f"Example Person {n}",
        "time_zone": "Europe/Zurich",
        "status": Patient.Status.ACTIVE,
    }
    return Patient.objects.create(clinic=in_team.clinic, care_team=in_team, **(values | fields))


def summary(of: Patient, **fields: Any) -> Summary:
    values: dict[str, Any] = {"computed_at": NOW, "last_entry_day": TODAY}
    Summary.objects.filter(patient=of).update(**(values | fields))
    of.refresh_from_db()
    return of.summary


def alert(of: Patient, rule: str = "SUI-1", **fields: Any) -> Alert:
    values: dict[str, Any] = {
        "rule_version": "1",
        "severity": Alert.Severity.CRITICAL,
        "source": uuid7(),
        "origin": "phone",
        "authored_at": NOW,
        "received_at": NOW,
        "late": False,
        "opened_at": NOW,
        "due_at": NOW + timedelta(hours=1),
    }
    made = Alert.objects.create(clinic=of.clinic, patient=of, rule=rule, **(values | fields))
    AlertEvent.objects.create(clinic=of.clinic, patient=of, alert=made, kind="raised", at=NOW)
    return made


def scores(of: Patient, code: str, values: Sequence[float | None] | Mapping[date, float], last: date = TODAY) -> None:
    """One value a day up to `last`, None for a day without one; or the values of the days named."""
    if not isinstance(values, Mapping):
        first = last - timedelta(days=len(values) - 1)
        values = {first + timedelta(days=n): value for n, value in enumerate(values) if value is not None}
    measure, _ = Measure.objects.get_or_create(code=code)
    Score.objects.bulk_create(
        Score(
            clinic=of.clinic,
            patient=of,
            measure=measure,
            source=uuid7(),
            value=value,
            local_day=day,
            at=datetime(day.year, day.month, day.day, 19, tzinfo=UTC),
        )
        for day, value in values.items()
    )


def trend(of: Patient, code: str, **fields: Any) -> Trend:
    measure, _ = Measure.objects.get_or_create(code=code)
    values: dict[str, Any] = {"n": 20, "last_day": TODAY, "last_value": 4.0, "level": 4.2, "computed_at": NOW}
    return Trend.objects.create(clinic=of.clinic, patient=of, measure=measure, **(values | fields))


def response(of: Patient, code: str, answers: dict[str, Any], at: datetime = NOW, **fields: Any) -> Response:
    instrument, _ = InstrumentVersion.objects.get_or_create(code=code, version="1", defaults={"digest": "0" * 64})
    values: dict[str, Any] = {
        "id": uuid7(),
        "rev": 1,
        "received_at": at,
        "local_day": at.date(),
        "utc_offset": 120,
        "status": "complete",
        "origin": "phone",
        "time_zone": "Europe/Zurich",
        "digest": b"0" * 16,
    }
    values |= {"authored_at": at, "answers": answers, "instrument": instrument} | fields
    return Response.objects.create(clinic=of.clinic, patient=of, **values)


def refused(of: Patient, content: bytes = b"{", **fields: Any) -> Quarantine:
    values: dict[str, Any] = {
        "id": uuid7(),
        "kind": "response",
        "status": "rejected",
        "errors": [{"field": "instrument", "code": "unknown", "detail": "There is no instrument 'nope'."}],
        "digest": blake2b(content, digest_size=16).digest(),
        "received_at": NOW,
        "origin": "phone",
    }
    return Quarantine.objects.create(clinic=of.clinic, patient=of, content=content, **(values | fields))


def saved_view(of: User, at: Clinic, **fields: Any) -> SavedView:
    return SavedView.objects.create(user=of, clinic=at, **({"name": "A view", "query": "silent=1"} | fields))


def sign_in(client: Client, user: User) -> None:
    """A session that has shown both factors."""
    session = client.session
    session[SESSION_KEY] = str(user.pk)
    session[BACKEND_SESSION_KEY] = settings.AUTHENTICATION_BACKENDS[0]
    session[HASH_SESSION_KEY] = user.get_session_auth_hash()
    session["account_authentication_methods_user"] = str(user.pk)
    session["account_authentication_methods"] = [
        {"method": "password", "at": NOW.timestamp(), "email": user.email},
        {"method": "mfa", "at": NOW.timestamp(), "type": "totp", "id": 0},
    ]
    session.save()
    client.cookies[settings.SESSION_COOKIE_NAME] = str(session.session_key)
