"""E-mail, by SMTP or through a provider of django-anymail's, as the settings say. The target is an address."""

from __future__ import annotations

import re
import smtplib
from datetime import UTC, datetime
from email.utils import parseaddr

from anymail.exceptions import AnymailError, AnymailInvalidAddress, AnymailRecipientsRefused, AnymailRequestsAPIError
from django.conf import settings
from django.core.mail import EmailMessage

from backend.reminders.channels import ChannelError, Notice, read_retry_after

PER_SECOND = 10  # what a provider's smallest plan takes

# Enhanced status codes (RFC 3463) that say so of the recipient: bad address or domain, moved, off, no mail taken there.
NOBODY = {b"5.1.0", b"5.1.1", b"5.1.2", b"5.1.3", b"5.1.6", b"5.1.10", b"5.2.1"}


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
        code, text = max(error.recipients.values(), default=(0, b""))
        raise ChannelError(f"the address is refused with {code}", permanent=_is_gone(code, text)) from error
    except (AnymailError, smtplib.SMTPException, OSError) as error:
        raise ChannelError(f"not taken: {type(error).__name__}") from error
    except ValueError as error:  # of this address, which may hold letters like ı that pass as i, or of our own
        ours = target.rpartition("@")[0].isascii()
        raise ChannelError("the address can't be written to", permanent=not ours) from error
    return message_id


def _is_gone(code: int, text: bytes) -> bool:
    """Whether nobody is at this address. A refusal of us, of our relay or of this one mail says nothing of that."""
    if enhanced := re.match(rb"\s*(\d\.\d+\.\d+)\b", text):
        return enhanced[1] in NOBODY
    return code in (550, 551, 553) and b"relay" not in text.lower()


def _api_error(error: AnymailRequestsAPIError) -> ChannelError:
    status = error.status_code or 0
    headers = error.response.headers if error.response is not None else {}
    wait = read_retry_after(headers.get("Retry-After"), datetime.now(UTC))
    return ChannelError(f"the provider answers {status}", permanent=status in (400, 422), retry_after=wait)
