"""Who is asking: a patient's phone, or a clinic's staff.

A phone brings an access token of allauth's; a colleague brings one too, or the session cookie of the browser. What the
rest of the house reads is the small struct that stands in `request.auth` afterwards.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import UUID

from allauth.account.authentication import get_authentication_records
from allauth.account.internal.userkit import str_to_user_id
from allauth.headless.internal.sessionkit import lookup_session
from allauth.headless.tokens.strategies.jwt.internal import decode_token, session_key_from_sid, validate_token_user
from django.contrib.sessions.backends.base import SessionBase
from django.db import connection
from django.http import HttpRequest
from django.utils import timezone, translation
from rest_framework.authentication import BaseAuthentication, SessionAuthentication
from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from backend.people.models import Device, Membership, Role, User
from backend.rest.problems import Problem

if TYPE_CHECKING:
    from rest_framework.views import APIView

CHALLENGE = "Bearer"


@dataclass(frozen=True, slots=True)
class Phone:
    """A patient's signed-in phone. Without consent in force it may read, but brings no new data."""

    user_id: int
    patient_id: int
    clinic_id: int
    device_id: UUID
    language: str
    time_zone: str
    consent: bool


@dataclass(frozen=True, slots=True)
class Staff:
    """A colleague: their role in each of their clinics, and whether they have shown their second factor."""

    user_id: int
    roles: Mapping[int, str]
    second_factor: bool

    @property
    def clinics(self) -> list[int]:
        return list(self.roles)

    @property
    def admin_of(self) -> list[int]:
        return [clinic for clinic, role in self.roles.items() if role == Role.ADMIN]


def bearer(request: HttpRequest | Request) -> dict[str, Any] | None:
    """What the access token says, None if the request has none; 401 if it is forged, expired or of another kind."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer":
        return None
    payload: dict[str, Any] | None = decode_token(token.strip(), "access")
    if payload is None:
        raise invalid_token()
    return payload


def invalid_token() -> Problem:
    headers = {"WWW-Authenticate": f'{CHALLENGE} error="invalid_token"'}
    return Problem(401, "invalid_token", "The access token is not valid or no longer so: refresh it.", headers=headers)


USER = ("id", "email", "language", "is_active", "is_staff", "is_superuser")
PHONE = f"""
SELECT patient.user_id, patient.id, patient.clinic_id, device.id, patient.language, patient.time_zone,
    EXISTS (SELECT FROM people_consent WHERE patient_id = patient.id AND withdrawn_at IS NULL),
    {", ".join(f"account.{name}" for name in USER)}
FROM people_device AS device
JOIN people_patient AS patient ON patient.id = device.patient_id
JOIN people_user AS account ON account.id = patient.user_id
WHERE device.session_key = %s AND device.revoked_at IS NULL AND patient.user_id = %s AND account.is_active
    AND EXISTS (SELECT FROM django_session WHERE session_key = device.session_key AND expire_date > %s)
"""  # noqa: S608  the names are ours


def phone_of(payload: Mapping[str, Any]) -> tuple[User, Phone] | None:
    """The phone behind a token, in one SQL statement: the session lives, the device is not revoked, the user is active.

    So a revoked phone is out with its next request, however long its access token would still run. Every request of a
    phone begins here, so the statement is written out: building it anew each time takes longer than running it.
    """
    key, user_id = session_key_from_sid(payload["sid"]), str_to_user_id(payload["sub"])
    with connection.cursor() as cursor:
        cursor.execute(PHONE, [key, user_id, timezone.now()])
        found = cursor.fetchone()
    if found is None:
        return None
    return User.from_db(connection.alias, USER, found[7:]), Phone(*found[:7])


def speak_to(request: HttpRequest | Request, phone: Phone) -> None:
    """A phone that doesn't say in which language it wants to be answered is answered in its patient's."""
    if not request.headers.get("Accept-Language"):
        translation.activate(phone.language)


def staff_of(user: User, session: SessionBase) -> Staff:
    roles = dict(Membership.objects.filter(user=user).values_list("clinic_id", "role"))
    return Staff(user.pk, roles, second_factor(user, session))


def second_factor(user: User, session: SessionBase) -> bool:
    """Whether this very session has shown a second factor; that the account has one is not enough."""
    request = HttpRequest()
    request.session = session
    return any(record["method"] == "mfa" for record in get_authentication_records(request, user))


class BearerAuthentication(BaseAuthentication):
    """An access token: a phone's, or, if a session of staff stands behind it, a colleague's."""

    def authenticate(self, request: Request) -> tuple[User, Phone | Staff] | None:
        payload = bearer(request)
        if payload is None:
            return None
        if found := phone_of(payload):
            speak_to(request, found[1])
            return found
        session = lookup_session(session_key_from_sid(payload["sid"]))
        user = session and validate_token_user(payload, session)
        if not user or Device.objects.filter(patient__user=user).exists():
            raise invalid_token()
        return user, staff_of(user, session)

    def authenticate_header(self, request: Request) -> str:
        return CHALLENGE


class BrowserAuthentication(SessionAuthentication):
    """The session cookie that a colleague's browser has; every write needs the CSRF token."""

    def authenticate(self, request: Request) -> tuple[User, Staff] | None:
        found = super().authenticate(request)
        if found is None or not isinstance(user := found[0], User):
            return None
        return user, staff_of(user, request._request.session)


def require_phone(request: HttpRequest) -> Phone:
    """The phone behind a request to a bare Django view; 401 or 403 as the API answers them."""
    payload = bearer(request)
    if payload is None:
        raise Problem(401, "not_authenticated", "Sign in.", headers={"WWW-Authenticate": CHALLENGE})
    found = phone_of(payload)
    if found is None:
        raise invalid_token()
    request.user, phone = found
    speak_to(request, phone)
    return phone


def phone(request: Request) -> Phone:
    """The phone that asks, behind `IsPatient`."""
    assert isinstance(request.auth, Phone)  # noqa: S101  the permission has looked
    return request.auth


def staff(request: Request) -> Staff:
    """The colleague who asks, behind `IsStaff`."""
    assert isinstance(request.auth, Staff)  # noqa: S101  the permission has looked
    return request.auth


class IsPatient(BasePermission):
    """A patient's phone."""

    message = "This is for a patient's phone."

    def has_permission(self, request: Request, view: APIView) -> bool:
        return isinstance(request.auth, Phone)


class IsConsenting(IsPatient):
    """A patient's phone, with consent in force: for whatever takes new data in."""

    def has_permission(self, request: Request, view: APIView) -> bool:
        if not super().has_permission(request, view):
            return False
        if not phone(request).consent:
            raise Problem(403, "consent_withdrawn", "There is no consent in force, so nothing new is taken in.")
        return True


class IsStaff(BasePermission):
    """A colleague of some clinic, with their second factor shown. Operators are none.

    Which objects they reach is the querysets' matter: `Patient.objects.visible_to(request.user)`, or their clinics.
    """

    message = "This is for a clinic's staff."

    def has_permission(self, request: Request, view: APIView) -> bool:
        auth = request.auth
        if not isinstance(auth, Staff) or not auth.roles or request.user.is_staff:
            return False
        if not auth.second_factor:
            raise Problem(403, "totp_required", "Set up an authenticator app, or sign in with yours.")
        return True


class IsClinicAdmin(IsStaff):
    """An admin of some clinic."""

    message = "This is for a clinic's admins."

    def has_permission(self, request: Request, view: APIView) -> bool:
        return super().has_permission(request, view) and bool(staff(request).admin_of)
