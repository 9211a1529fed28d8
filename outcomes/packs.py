"""The words that a clinic may use though they can't ship: loaded by language, held to the instrument, removable.

What ships stays as it is: a clinic's pack adds a language, and never takes the place of one of ours. A pack belongs to
its clinic alone.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from datetime import datetime

import msgspec
from django.db import transaction
from django.db.models import QuerySet
from django.dispatch import Signal

from backend.people.models import Clinic, User
from backend.rest.body import nul_field
from outcomes import library
from outcomes.clinic_models import TextPack
from outcomes.instrument import Instrument, Text
from outcomes.soundness import Flaw, text_flaws

# Sent in the transaction that takes an instrument's last words from a clinic, with `clinic_id`, `code` and `now`.
words_gone = Signal()


class BadPackError(ValueError):
    """A text that can't be loaded; `flaws` names each field that is wrong."""

    def __init__(self, flaws: Iterable[Flaw]) -> None:
        self.flaws = tuple(flaws)
        super().__init__("\n".join(f"{flaw.field}: {flaw.why}" for flaw in self.flaws))


def read_pack(content: object, clinic: Clinic, code: str) -> Text:
    """A text as it was sent, if this clinic can load it for this instrument. Raises BadPackError."""
    if (field := nul_field(content)) is not None:
        raise BadPackError([Flaw(field, "holds a NUL character, which can't be stored")])
    try:
        text = msgspec.convert(content, Text)
    except msgspec.ValidationError as error:
        why, _, field = str(error).partition(" - at ")
        raise BadPackError([Flaw(field.strip("`").removeprefix("$.") or "file", why)]) from error
    if text.code != code:
        raise BadPackError([Flaw("code", f"is {text.code}, not {code}")])
    try:
        instrument = library.get(text.code, text.version)
    except library.UnknownInstrumentError as error:
        raise BadPackError([Flaw("version", str(error))]) from error
    found = text_flaws(text, instrument)
    if text.language in instrument.texts:
        found.append(Flaw("language", "ships with the project, and stays as its owner wrote it"))
    if text.language not in clinic.languages:
        found.append(Flaw("language", f"is none of the clinic's: {', '.join(clinic.languages)}"))
    if found:
        raise BadPackError(found)
    return text


def load_pack(clinic: Clinic, text: Text, licence: str, *, by: User | None, now: datetime) -> TextPack:
    """Give a clinic these words, on its word that `licence` allows it to use them. The same once more changes nothing.

    `text` comes from `read_pack`. Raises BadPackError.
    """
    if not licence.strip():
        raise BadPackError([Flaw("licence", "say on what grounds the clinic may use this text")])
    content = msgspec.to_builtins(text)
    digest = hashlib.sha256(msgspec.json.encode(text, order="deterministic")).hexdigest()
    with transaction.atomic():
        Clinic.objects.select_for_update(no_key=True).get(pk=clinic.pk)
        same = TextPack.objects.filter(clinic=clinic, code=text.code, version=text.version, language=text.language)
        standing = same.filter(removed_at=None).first()
        if standing and (standing.digest, standing.licence) == (digest, licence.strip()):
            return standing
        same.filter(removed_at=None).update(removed_at=now, removed_by=by)
        return TextPack.objects.create(
            clinic=clinic,
            code=text.code,
            version=text.version,
            language=text.language,
            content=content,
            digest=digest,
            licence=licence.strip(),
            loaded_by=by,
            loaded_at=now,
        )


def remove_pack(pack: TextPack, *, by: User | None, now: datetime) -> bool:
    """Take a text from its clinic; False if it was gone already. What was answered under it stays."""
    with transaction.atomic():
        Clinic.objects.select_for_update(no_key=True).get(pk=pack.clinic_id)
        if not TextPack.objects.filter(pk=pack.pk, removed_at=None).update(removed_at=now, removed_by=by):
            return False
        if not texts_of(pack.clinic_id, library.get(pack.code)):
            words_gone.send(TextPack, clinic_id=pack.clinic_id, code=pack.code, now=now)
    return True


def texts_of(clinic_id: int | None, instrument: Instrument) -> dict[str, Text]:
    """The words of an instrument that a clinic may show, by language: what ships, and its own.

    One statement, none for no clinic.
    """
    if clinic_id is None:
        return dict(instrument.texts)
    packs = _standing(clinic_id).filter(code=instrument.code, version=instrument.version)
    return {pack.language: _text(pack) for pack in packs} | instrument.texts


def own_texts(clinic_id: int) -> dict[tuple[str, str], dict[str, Text]]:
    """All texts of a clinic's own: by instrument and version, by language. One statement."""
    found: dict[tuple[str, str], dict[str, Text]] = {}
    for pack in _standing(clinic_id):
        found.setdefault((pack.code, pack.version), {})[pack.language] = _text(pack)
    return found


def languages_of(clinic_id: int | None) -> dict[str, list[str]]:
    """The languages in which a clinic can show each instrument's newest version. One statement, none for no clinic."""
    own = _standing(clinic_id).values_list("code", "version", "language") if clinic_id is not None else []
    found = {each.code: set(each.languages) for each in library.newest()}
    for code, version, language in own:
        if library.get(code).version == version:
            found[code].add(language)
    return {code: sorted(languages) for code, languages in found.items()}


def _standing(clinic_id: int) -> QuerySet[TextPack]:
    return TextPack.objects.filter(clinic=clinic_id, removed_at=None)


def _text(pack: TextPack) -> Text:
    return msgspec.convert(pack.content, Text)


def in_language[T](texts: Mapping[str, T], *wanted: str) -> T | None:
    """Of an instrument's texts the one in the first of these languages that there is, else in English, else any."""
    return next((texts[language] for language in (*wanted, "en", *texts) if language in texts), None)
