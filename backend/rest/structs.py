"""Structs made ready before there are threads."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress

import msgspec


def prepare_structs() -> None:
    """Let msgspec work out, now, how each struct that has been imported is decoded.

    It would do so at the struct's first use. Another thread that comes upon the struct meanwhile finds it half done,
    and the process dies of a segmentation fault: so did a web server whose first requests came all at once.
    """
    for struct in _below(msgspec.Struct):
        with suppress(TypeError, NameError):  # it is of ours alone, and nobody decodes it
            msgspec.json.Decoder(struct)


def _below(struct: type[msgspec.Struct]) -> Iterator[type[msgspec.Struct]]:
    for each in struct.__subclasses__():
        yield each
        yield from _below(each)
