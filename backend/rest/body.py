"""Reads what a client sent, within a limit."""

import re
import zlib
from collections.abc import Mapping
from typing import Any

import msgspec
from django.http import HttpRequest
from rest_framework.parsers import BaseParser
from rest_framework.request import Request

from backend.rest.problems import Problem, in_words

MIB = 1_048_576


def read_body(request: HttpRequest | Request, limit: int = MIB) -> bytes:
    """The body, decompressed if it came as gzip; 413 if it has more than `limit` bytes, compressed or not.

    A bomb costs no more memory than the limit: decompression stops there.
    """
    raw = request._request if isinstance(request, Request) else request
    data = raw.read(limit + 1)
    match raw.headers.get("Content-Encoding", "identity").strip().lower():
        case "identity" | "":
            pass
        case "gzip" | "x-gzip":
            data = gunzip(data, limit) if len(data) <= limit else data
        case _:
            raise Problem(415, "unsupported_encoding", "Send the body as it is, or as gzip.")
    if len(data) > limit:
        raise Problem(413, "too_large", in_words("The body has more than %(n)s bytes.", n=limit))
    return data


def gunzip(data: bytes, limit: int) -> bytes:
    """At most `limit` + 1 bytes of what `data` holds; the one too many tells that there was more."""
    stream = zlib.decompressobj(wbits=31)
    try:
        plain = stream.decompress(data, limit + 1)
    except zlib.error as error:
        raise Problem(400, "malformed_gzip", "The body is not valid gzip.") from error
    if len(plain) <= limit and (not stream.eof or stream.unused_data):
        raise Problem(400, "malformed_gzip", "The gzip body is cut off or has something after its end.")
    return plain


class JSONParser(BaseParser):
    """JSON within the limits of `read_body`, and stricter than Python's: no NaN, no number past a double."""

    media_type = "application/json"

    def parse(self, stream: Any, media_type: str | None = None, parser_context: Mapping[str, Any] | None = None) -> Any:
        assert parser_context is not None  # noqa: S101  DRF always gives one
        body = read_body(parser_context["request"])
        try:
            read = msgspec.json.decode(body)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise Problem(400, "malformed_json", "The body is not valid JSON.") from error
        refuse_nul(body)
        return read


_MESSAGE = re.compile(r"^(?P<what>.*?)(?: - at `(?:key in )?\$(?P<path>.*)`)?$", re.DOTALL)


def read_as[T](request: Request, kind: type[T]) -> T:
    """The JSON body as a struct; 400 that names the field where it doesn't fit."""
    body = read_body(request)
    try:
        read = msgspec.json.decode(body, type=kind)
    except msgspec.ValidationError as error:
        match = _MESSAGE.match(str(error))
        what, path = (match["what"], match["path"] or "") if match else (str(error), "")
        field = path.replace("[", ".").replace("]", "").strip(".")
        if missing := re.search(r"missing required field `(.*)`", what):
            field = ".".join(filter(None, [field, missing[1]]))
            raise Problem(400, "required", "This field is missing.", field=field) from None
        raise Problem(400, "invalid", f"{what}.", field=field or None) from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Problem(400, "malformed_json", "The body is not valid JSON.") from error
    refuse_nul(body)
    return read


def refuse_nul(body: bytes) -> None:
    """400 that names the field where JSON holds a NUL: no text of the database can."""
    if b"\\u0000" in body and (field := nul_field(msgspec.json.decode(body))):
        raise Problem(400, "nul_byte", "A NUL character can't be stored.", field=field)


def nul_field(value: object, path: tuple[str, ...] = ()) -> str | None:
    """The dotted path of the first text in `value` that holds a NUL character, or None."""
    match value:
        case str():
            return ".".join(path) if "\0" in value else None
        case dict():
            children = [(str(key), inner) for key, inner in value.items()]
        case list():
            children = [(str(position), inner) for position, inner in enumerate(value)]
        case _:
            return None
    for key, inner in children:
        here = (*path, key.replace("\0", "?"))
        if "\0" in key:
            return ".".join(here)
        if found := nul_field(inner, here):
            return found
    return None
