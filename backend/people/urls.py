"""Signing in, enrolment, the patient's own things, and the staff's side of people; all under /api/v1/."""

from allauth.headless.account import views as account
from allauth.headless.constants import Client
from allauth.headless.mfa import views as mfa
from django.urls import path

from backend.people.refresh import RefreshView

# Of allauth's many addresses, those that this product needs.
auth = {
    "login": account.LoginView,
    "session": account.SessionView,
    "reauthenticate": account.ReauthenticateView,
    "password/request": account.RequestPasswordResetView,
    "password/reset": account.ResetPasswordView,
    "password/change": account.ChangePasswordView,
    "2fa/authenticate": mfa.AuthenticateView,
    "2fa/reauthenticate": mfa.ReauthenticateView,
    "authenticators": mfa.AuthenticatorsView,
    "authenticators/totp": mfa.ManageTOTPView,
    "authenticators/recovery-codes": mfa.ManageRecoveryCodesView,
    "refresh": RefreshView,
}

urlpatterns = [path(f"auth/{name}", view.as_api_view(client=Client.APP)) for name, view in auth.items()]
