"""E-mail, by SMTP or through a provider of django-anymail's, as the settings say. The target is an address."""

from __future__ import annotations

import smtplib
from datetime import UTC, datetime
from email.utils import parseaddr

from anymail.exceptions import AnymailError, AnymailInvalidAddress, AnymailRecipientsRefused, AnymailRequestsAPIError
from django.conf import settings
from django.core.mail import EmailMessage

from backend.reminders.channels import ChannelError, Notice, read_retry_after

PER_SECOND = 10  # what a provider's smallest plan takes


def notify(notice: Notice, target: str) -> str:
    domain = parseaddr(settings.DEFAULT_FROM_EMAIL)[1].rpartition("@")[2]
    message_id = f"<{notice.message_id}@{domain}>"
    mail = EmailMessage(notice.title, notice.body, to=[target], headers={"Message-ID": message_id})
    try:
        mail.send()
    except (AnymailRecipientsRefused, AnymailInvalidAddress) as error:
        raise ChannelError("the address is refused", permanent=True) from error
    except AnymailRequestsAPIError as error:
        raise _api_error(error) from error
    except smtplib.SMTPRecipientsRefused as error:
        code = max((code for code, _ in error.recipients.values()), default=0)
        raise ChannelError(f"the address is refused with {code}", permanent=code >= 500) from error
    except (AnymailError, smtplib.SMTPException, OSError) as error:
        raise ChannelError(f"not taken: {type(error).__name__}") from error
    return message_id


def _api_error(error: AnymailRequestsAPIError) -> ChannelError:
    status = error.status_code or 0
    headers = error.response.headers if error.response is not None else {}
    wait = read_retry_after(headers.get("Retry-After"), datetime.now(UTC))
    return ChannelError(f"the provider answers {status}", permanent=status in (400, 422), retry_after=wait)
