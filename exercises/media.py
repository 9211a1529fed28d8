"""Pictures and clips taken in by what they are: known by their content, and written anew without what a camera put in.

A file's name and headers are not believed. A picture is decoded and encoded again, so that neither a place, a serial
number nor a script survives; a clip's streams are copied into a new container, which leaves the same behind.
"""

from __future__ import annotations

import io
from typing import IO, Literal

import msgspec

from backend.rest.problems import in_words

MIB = 1_048_576
LARGEST_PICTURE, LARGEST_CLIP = 10 * MIB, 50 * MIB
MOST_PIXELS = 50_000_000  # a small file may hold a picture that fills the memory
LONGEST_SIDE = 1600  # more than a phone shows

TYPES = {"webp": "image/webp", "png": "image/png", "jpg": "image/jpeg", "mp4": "video/mp4", "webm": "video/webm"}
# What phones and browsers play, by container.
CODECS = {"mp4": {"h264", "hevc", "av1", "aac"}, "webm": {"vp8", "vp9", "av1", "opus", "vorbis"}}
# Named, because FFmpeg would otherwise try every format it knows, among them lists that point at other files.
_DEMUXERS = {"mp4": "mov", "webm": "matroska"}

type Extension = Literal["webp", "png", "jpg", "mp4", "webm"]


class UnfitError(ValueError):
    """A file that is no picture and no clip, or not one that is taken; `code` says why."""

    def __init__(self, code: str, detail: str) -> None:
        self.code, self.detail = code, in_words(detail)
        super().__init__(self.detail)


class Prepared(msgspec.Struct, frozen=True):
    """What is kept of an uploaded file."""

    extension: Extension
    content: bytes
    width: int
    height: int


def sniff(head: bytes) -> Extension | None:
    """What a file is by its first sixteen bytes."""
    match head:
        case _ if head.startswith(b"\xff\xd8\xff"):
            return "jpg"
        case _ if head.startswith(b"\x89PNG\r\n\x1a\n"):
            return "png"
        case _ if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
            return "webp"
        case _ if head[4:8] == b"ftyp":
            return "mp4"
        case _ if head.startswith(b"\x1aE\xdf\xa3"):
            return "webm"
    return None


def prepare(source: IO[bytes], size: int) -> Prepared:
    """The picture or clip in `source` of so many bytes, made safe to serve. Raises UnfitError."""
    kind = sniff(source.read(16))
    source.seek(0)
    if kind is None:
        raise UnfitError("unknown_type", "Send a JPEG, PNG or WebP picture, or an MP4 or WebM clip.")
    largest = LARGEST_CLIP if kind in CODECS else LARGEST_PICTURE
    if size > largest:
        raise UnfitError("too_large", in_words("This may have at most %(n)s MiB.", n=largest // MIB))
    return _clip(source, kind) if kind in CODECS else _picture(source, kind)


def _picture(source: IO[bytes], kind: Extension) -> Prepared:
    from PIL import Image, ImageOps  # 4 MB that only those processes have which are given a picture

    name = {"jpg": "JPEG"}.get(kind, kind.upper())
    try:
        with Image.open(source, formats=[name]) as opened:
            if opened.width * opened.height > MOST_PIXELS:
                raise UnfitError(
                    "too_many_pixels",
                    in_words("This may have at most %(n)s million pixels.", n=MOST_PIXELS // 1_000_000),
                )
            picture = ImageOps.exif_transpose(opened)
            picture.thumbnail((LONGEST_SIDE, LONGEST_SIDE))
            bare = picture.convert("RGBA" if picture.has_transparency_data else "RGB")
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise UnfitError(
            "too_many_pixels", in_words("This may have at most %(n)s million pixels.", n=MOST_PIXELS // 1_000_000)
        ) from None
    except (OSError, SyntaxError, ValueError, EOFError) as error:
        if isinstance(error, UnfitError):
            raise
        raise UnfitError("unreadable", "This picture is damaged.") from None
    bare.info.clear()
    written = io.BytesIO()
    bare.save(written, "WEBP", quality=85)
    return Prepared("webp", written.getvalue(), bare.width, bare.height)


def _clip(source: IO[bytes], kind: Extension) -> Prepared:
    import av  # 20 MB that only those processes have which are given a clip

    written = io.BytesIO()
    try:
        with av.open(source, "r", format=_DEMUXERS[kind]) as given:
            streams = [*given.streams.video, *given.streams.audio]
            if len(given.streams.video) != 1 or any(each.codec_context.name not in CODECS[kind] for each in streams):
                raise UnfitError(
                    "unknown_codec",
                    in_words("One picture track; codecs: %(known)s.", known=", ".join(sorted(CODECS[kind]))),
                )
            frame = next(given.decode(video=0))  # it is one if it can be seen
            given.seek(0)
            with av.open(written, "w", format=kind) as made:
                kept = {each.index: made.add_stream_from_template(each) for each in streams}
                for packet in given.demux(streams):
                    if packet.dts is not None:
                        packet.stream = kept[packet.stream_index]
                        made.mux(packet)
    except (av.FFmpegError, StopIteration, LookupError):
        raise UnfitError("unreadable", "This clip is damaged.") from None
    return Prepared(kind, written.getvalue(), frame.width, frame.height)
