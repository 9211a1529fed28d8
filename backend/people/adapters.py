"""Where our sign-in differs from allauth's."""

from base64 import urlsafe_b64encode
from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.base.forms import AuthenticateForm, ReauthenticateForm
from cryptography.fernet import Fernet
from django.conf import settings
from django.forms import Field
from django.http import HttpRequest
from django.utils.crypto import salted_hmac

from backend.people.models import Patient, User


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]
    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False

    def send_password_reset_mail(self, user: User, email: str, context: dict[str, Any]) -> None:
        """Patients have no password, and a forgotten one is no way to get one: their phone is linked by a code."""
        if not Patient.objects.filter(user=user).exists():
            super().send_password_reset_mail(user, email, context)


class MFAAdapter(DefaultMFAAdapter):  # type: ignore[misc]
    """Keeps the secrets of authenticator apps encrypted, so that a copy of the database can't make codes."""

    def encrypt(self, text: str) -> str:
        return cipher().encrypt(text.encode()).decode()

    def decrypt(self, encrypted_text: str) -> str:
        return cipher().decrypt(encrypted_text.encode()).decode()


def own_name(user: User) -> str:
    """How allauth's pages and mails call somebody."""
    return user.name or user.email


def cipher() -> Fernet:
    key = salted_hmac("backend.people.totp", "", secret=settings.SECRET_KEY, algorithm="sha256").digest()
    return Fernet(urlsafe_b64encode(key))


class _TypedAtOnce:
    """The code is all there is to do on its page, and it runs out in half a minute."""

    fields: dict[str, Field]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["code"].widget.attrs["autofocus"] = True


class CodeForm(_TypedAtOnce, AuthenticateForm):  # type: ignore[misc]
    pass


class CodeAgainForm(_TypedAtOnce, ReauthenticateForm):  # type: ignore[misc]
    pass
