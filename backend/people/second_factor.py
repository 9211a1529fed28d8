"""A second factor for everybody who signs in with a password."""

from typing import Any
from urllib.parse import urlencode

from allauth.account.internal.flows.login import record_authentication
from allauth.mfa.models import Authenticator
from allauth.mfa.signals import authenticator_added
from django.dispatch import receiver
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse

from backend.people.authentication import second_factor
from backend.people.models import User
from backend.rest.middleware import Next

# The pages where one gets a second factor or shows it, and the API, whose permissions ask for it themselves.
OPEN = ("/accounts/", "/api/", "/static/")


class SecondFactorRequired:
    """Sends a browser whose session has shown no second factor to where it can."""

    def __init__(self, get_response: Next) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        user = request.user
        if not isinstance(user, User) or request.path_info.startswith(OPEN) or second_factor(user, request.session):
            return self.get_response(request)
        has_one = Authenticator.objects.filter(user=user, type=Authenticator.Type.TOTP).exists()
        page = reverse("mfa_reauthenticate" if has_one else "mfa_activate_totp")
        return HttpResponseRedirect(f"{page}?{urlencode({'next': request.get_full_path()})}")


@receiver(authenticator_added)
def count_activation_as_shown(request: HttpRequest, user: User, authenticator: Authenticator, **_: Any) -> None:
    """Whoever sets up their app types a code of it, so this session has shown it."""
    if authenticator.type == Authenticator.Type.TOTP:
        record_authentication(request, user, method="mfa", type=authenticator.type, id=authenticator.pk)
