"""How to put right what the server refused: one sentence for each reason that it gives."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from django.utils.translation import gettext_lazy as _

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise

APP = _("The app has sent what it never should. Update it, ask the patient to enter this again, and close.")
READ = _("Read what was sent, ask the patient what they meant, note it in their record, and close.")
CONTENT = _("The phone has content that this server lacks. Have it published here, then try again.")
ORDER = _("What it refers to has not come yet. Once the phone has sent it, try again.")

REPAIRS: dict[str, _StrPromise] = {
    "malformed_json": APP,
    "nul_byte": APP,
    "repeated_key": READ,
    "required": APP,
    "wrong_type": APP,
    "wrong_length": APP,
    "invalid": APP,
    "unknown_type": _("The app is newer than this server. Update the server, then try again."),
    "unknown_instrument": CONTENT,
    "unknown_version": CONTENT,
    "unknown_item": READ,
    "not_an_option": READ,
    "out_of_range": READ,
    "in_the_future": _(
        "The phone's clock runs ahead. Have it set right, ask the patient when this was, and store it with that time."
    ),
    "too_long_ago": _(
        "The phone's clock is far behind. Have it set right, ask the patient when this was, and store it with that "
        "time."
    ),
    "unknown_time_zone": _("The phone names a zone that isn't known here. Update the server, then try again."),
    "before_start": READ,
    "too_long": READ,
    "conflict": _(
        "Something else came first under the same id, and it stays. Compare the two; if this one is right, ask the "
        "patient to correct the other on the phone, and close."
    ),
    "replaces_itself": APP,
    "not_live": _("It was corrected from two phones, and the first correction stands. Compare them, and close."),
    "other_instrument": APP,
    "unknown_response": ORDER,
    "unknown_session": ORDER,
    "unknown_prescription": _(
        "The session is of a programme that this patient doesn't have. Look whether the phone is linked to the right "
        "record; note in the record what was done, and close."
    ),
    "unknown_push_service": _("That address is of no push service known here. Update the app, and close."),
    "unknown_slot": _("What asked for it is gone, so nothing is lost by it. Close."),
    "unknown_message": _("The message that it tells of is gone, so nothing is lost by it. Close."),
    "no_alert": _("The phone showed a safety text that no alert called for. Ask the patient how they are, and close."),
}
"""By the code of the reason."""

OTHERWISE = READ


def repairs_for(errors: Iterable[dict[str, str]]) -> list[_StrPromise]:
    """What to do about an item, each thing once."""
    return list(dict.fromkeys(REPAIRS.get(error.get("code", ""), OTHERWISE) for error in errors))
