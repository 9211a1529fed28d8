"""From a request's bytes to typed items, each on its own: one that is wrong doesn't spoil the batch."""

from __future__ import annotations

import re
from typing import Any
from uuid import UUID

import msgspec

from backend.reminders.intake import AbsenceItem, ReceiptItem, SettingsItem, SnoozeItem
from backend.rest.body import nul_field
from backend.rest.verdicts import FieldError
from backend.sync.salvaging import repeated_field
from exercises.items import AdverseEventItem, FollowupItem, NotTodayItem, SessionItem, SessionWithdrawalItem
from outcomes.cards import CardShownItem
from outcomes.intake import DateTime, ResponseItem, WithdrawalItem

Item = (
    ResponseItem
    | WithdrawalItem
    | SessionItem
    | SessionWithdrawalItem
    | FollowupItem
    | NotTodayItem
    | AdverseEventItem
    | ReceiptItem
    | SnoozeItem
    | AbsenceItem
    | SettingsItem
    | CardShownItem
)

MOST_ITEMS = 500


class SentBy(msgspec.Struct):
    """The phone's own word on itself. Whose phone it is says the token, not this."""

    sent_at: DateTime | None = None
    app: str = ""


class Envelope(msgspec.Struct):
    """The body of a sync: what the phone pushes, and the cursor of what it has already seen."""

    device: SentBy = msgspec.field(default_factory=SentBy)
    cursor: str | None = None
    push: list[msgspec.Raw] = []


class Undecodable(msgspec.Struct, frozen=True):
    """An item that is not what its type demands."""

    kind: str
    client_id: UUID | None
    errors: list[FieldError]


class _Label(msgspec.Struct):
    id: Any = None
    type: Any = None


_envelope = msgspec.json.Decoder(Envelope)
_item = msgspec.json.Decoder(Item)
_label = msgspec.json.Decoder(_Label)
_labels_values = msgspec.json.Decoder(dict[str, msgspec.Raw])


class MalformedError(ValueError):
    """The body as a whole can't be read."""

    def __init__(self, error: FieldError) -> None:
        super().__init__(error.detail)
        self.error = error


def decode_envelope(body: bytes) -> Envelope:
    """Read a sync body. Raises MalformedError, naming the field, where it can't be split into items at all."""
    try:
        return _envelope.decode(body)
    except msgspec.ValidationError as error:
        raise MalformedError(_field_error(error)) from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise MalformedError(FieldError("", "malformed_json", str(error)[:200])) from None
    except RecursionError:
        raise MalformedError(FieldError("", "malformed_json", "This is nested too deep.")) from None


def decode_item(raw: msgspec.Raw) -> Item | Undecodable:
    """Read one item by its `type`, or say which field is wrong with it."""
    try:
        item: Item = _item.decode(raw)
    except msgspec.ValidationError as error:
        return _undecodable(raw, _field_error(error, raw))
    except (msgspec.DecodeError, UnicodeDecodeError):
        return _undecodable(raw, FieldError("", "malformed_json", "This is not valid UTF-8."))
    text = bytes(raw)
    if b"\\u0000" in text and (field := nul_field(msgspec.to_builtins(item))):
        return _undecodable(raw, FieldError(field, "nul_byte", "A NUL character can't be stored."))
    if field := repeated_field(text, item):
        return _undecodable(raw, FieldError(field, "repeated_key", "This field is there more than once."))
    return item


def _undecodable(raw: msgspec.Raw, error: FieldError) -> Undecodable:
    try:
        label = _label.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError):
        label = _Label()
    try:
        client_id = msgspec.convert(label.id, UUID)
    except msgspec.ValidationError:
        client_id = None
    kind = label.type if isinstance(label.type, str) else ""
    return Undecodable(kind.replace("\0", "")[:32], client_id, [error])


_MESSAGE = re.compile(r"^(?P<what>.*?)(?: - at `(?:key in )?\$(?P<path>.*)`)?$", re.DOTALL)
_MISSING = re.compile(r"missing required field `(.*)`")


def _field_error(error: msgspec.ValidationError, raw: msgspec.Raw | None = None) -> FieldError:
    """msgspec's message as a field, a code and a sentence: `$.exercises[0].sets` becomes `exercises.0.sets`."""
    match = _MESSAGE.match(str(error))
    what, path = (match["what"], match["path"] or "") if match else (str(error), "")
    field = path.replace("[...]", "").replace("[", ".").replace("]", "").strip(".")
    if missing := _MISSING.search(what):
        return FieldError(".".join(filter(None, [field, missing[1]])), "required", "This field is missing.")
    if path.endswith("[...]") and raw is not None:
        field = f"{field}.{_unreadable_key(raw, field)}".rstrip(".")
    if field == "type":
        return FieldError(field, "unknown_type", "There is no such type of item.")
    if "out of range" in what:
        return FieldError(field, "out_of_range", "No instrument has numbers of this size.")
    return FieldError(field, "wrong_type" if ", got `" in what else "invalid", f"{what}.")


def _unreadable_key(raw: msgspec.Raw, field: str) -> str:
    """Which key of the object under `field` holds a value that can't be read; msgspec doesn't tell."""
    try:
        values = _labels_values.decode(_labels_values.decode(raw)[field])
    except (msgspec.DecodeError, KeyError):
        return ""
    for key, value in values.items():
        try:
            msgspec.json.decode(value)
        except msgspec.DecodeError:
            return key[:64]
    return ""
