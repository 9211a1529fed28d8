"""Parts of a file (RFC 9110, section 14), so that a download that broke off goes on where it was.

Django's FileResponse knows nothing of them, and WhiteNoise's do without If-Range and refuse a range of one byte.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import IO

from django.http import FileResponse, HttpRequest

from backend.rest.problems import Problem, in_words

_SPAN = re.compile(r"bytes=([0-9]{0,18})-([0-9]{0,18})")


def asked_of(request: HttpRequest, size: int, etag: str) -> range | None:
    """The bytes that are asked for, of so many; None for all of them. Raises Problem where there are no such.

    Several parts at once are answered with the whole, as is what can't be read. With If-Range a part is given only
    of the very file that the client has begun to fetch.
    """
    asked = _SPAN.fullmatch(request.headers.get("Range", "").replace(" ", ""))
    if request.method != "GET" or asked is None or request.headers.get("If-Range", etag) != etag:
        return None
    match asked.groups():
        case ("", ""):
            return None
        case ("", last):
            part = range(max(size - int(last), 0), size)
        case (first, ""):
            part = range(int(first), size)
        case (first, last):
            if int(last) < int(first):
                return None
            part = range(int(first), min(int(last) + 1, size))
    if not part:
        unfit = {"Content-Range": f"bytes */{size}"}
        raise Problem(416, "range_not_satisfiable", in_words("The file has %(n)s bytes.", n=size), headers=unfit)
    return part


def narrow(response: FileResponse, file: IO[bytes], part: range, size: int) -> None:
    """Let the response, which holds the file, send only this part of it."""
    response.streaming_content = _read(file, part, response.block_size)
    response.status_code = 206
    response["Content-Range"] = f"bytes {part.start}-{part.stop - 1}/{size}"
    response["Content-Length"] = len(part)


def _read(file: IO[bytes], part: range, block: int) -> Iterator[bytes]:
    file.seek(part.start)
    left = len(part)
    while left and (content := file.read(min(left, block))):
        left -= len(content)
        yield content
