"""Letters to colleagues. No admin ever knows or types somebody else's password: a new account sets its own."""

from __future__ import annotations

import smtplib

from allauth.account.forms import default_token_generator
from allauth.account.utils import user_pk_to_url_str
from anymail.exceptions import AnymailError
from django.conf import settings
from django.core.mail import EmailMessage
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import override

from backend.people.models import Membership


def welcome(request: HttpRequest, member: Membership) -> bool:
    """Tell a colleague that they work here now; a new account gets a link to set its password. Whether it was taken."""
    user = member.user
    address = reverse("dashboard:panel", args=[member.clinic_id])
    if not user.has_usable_password():
        key = {"uidb36": user_pk_to_url_str(user), "key": default_token_generator.make_token(user)}
        address = reverse("account_reset_password_from_key", kwargs=key)
    context = {
        "member": member,
        "address": request.build_absolute_uri(address),
        "is_new": not user.has_usable_password(),
        "days": settings.PASSWORD_RESET_TIMEOUT // (24 * 3600),
    }
    with override(user.language):
        title = _("Your account at %(clinic)s") % {"clinic": member.clinic.name}
        body = render_to_string("dashboard/letters/welcome.txt", context)
    try:
        EmailMessage(title, body, to=[user.email]).send()
    except (AnymailError, smtplib.SMTPException, OSError):
        return False
    return True
