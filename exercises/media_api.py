"""Pictures and clips of exercises: shown to who may see the exercise; a clinic uploads its own and takes them down."""

from __future__ import annotations

from datetime import datetime
from pathlib import PurePath
from typing import IO
from uuid import UUID

import msgspec
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import UploadedFile
from django.http import FileResponse, Http404, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.utils.cache import get_conditional_response, patch_cache_control
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.views import APIView

from backend.rest.etag import etag_of
from backend.rest.openapi import json_response, problems, schema_of
from backend.rest.problems import Problem, in_words
from backend.rest.ranges import asked_of, narrow
from exercises.api import clinics_of, visible
from exercises.library import shared_media
from exercises.media import TYPES, UnfitError
from exercises.models import ExerciseMedia
from exercises.own_api import OwnView
from exercises.uploads import CLINIC_LICENCES, LONGEST, TooManyError, hanging, take_down, take_in


class StoredMedia(msgspec.Struct):
    """A picture or a clip on an exercise; `file` is its address under exercise-media/."""

    id: UUID
    file: str
    size: int
    width: int
    height: int
    licence: str
    author: str
    alternative_text: str
    uploaded_at: datetime


class MediaList(msgspec.Struct):
    results: list[StoredMedia]


EXAMPLE = {
    "id": "01990d2a-5b1c-7c3e-9a58-0d6f4c1b2a37",
    "file": "01990d2a-5b1c-7c3e-9a58-0d6f4c1b2a37.webp",
    "size": 48210,
    "width": 1200,
    "height": 800,
    "licence": "CC-BY-4.0",
    "author": "the clinic",
    "alternative_text": "Somebody on hands and knees, the back rounded like a cat's.",
    "uploaded_at": "2026-11-22T09:00:00Z",
}
UPLOAD = {
    "type": "object",
    "required": ["file", *LONGEST],
    "properties": {
        "file": {"type": "string", "format": "binary", "description": "JPEG, PNG, WebP, MP4 or WebM, by its content."},
        "licence": {"type": "string", "enum": list(CLINIC_LICENCES)},
        "author": {"type": "string"},
        "alternative_text": {"type": "string", "description": "What is to be seen, for who can't see it."},
    },
}


def stored(row: ExerciseMedia) -> StoredMedia:
    return StoredMedia(row.pk, *(getattr(row, name) for name in StoredMedia.__struct_fields__[1:]))


class ClinicMediaView(OwnView):
    """What this clinic hangs on an exercise, shared or its own; and one more picture or clip."""

    parser_classes = [MultiPartParser]

    @extend_schema(
        operation_id="clinic_exercise_media_list",
        responses={200: OpenApiResponse(schema_of(MediaList)), **problems(401, 403, 404)},
        examples=[OpenApiExample("one", {"results": [EXAMPLE]}, response_only=True)],
    )
    def get(self, request: Request, clinic_id: int, slug: str) -> HttpResponse:
        rows = hanging(self.clinic(request, clinic_id), slug)
        return json_response(MediaList([stored(row) for row in rows]))

    @extend_schema(
        operation_id="clinic_exercise_media_create",
        request={"multipart/form-data": UPLOAD},
        responses={201: OpenApiResponse(schema_of(StoredMedia)), **problems(400, 401, 403, 404, 409, 413, 415, 422)},
        examples=[OpenApiExample("hung", EXAMPLE, response_only=True, status_codes=["201"])],
    )
    def post(self, request: Request, clinic_id: int, slug: str) -> HttpResponse:
        clinic = self.clinic(request, clinic_id)
        if not visible(request).filter(slug=slug).exists():
            raise Http404
        said = {name: _said(request, name, most) for name, most in LONGEST.items()}
        if said["licence"] not in CLINIC_LICENCES:
            raise Problem(
                422,
                "unknown_licence",
                in_words("One of: %(known)s.", known=", ".join(CLINIC_LICENCES)),
                field="licence",
            )
        file = request.FILES.get("file")
        if not isinstance(file, UploadedFile) or file.size is None:
            raise Problem(400, "required", "Send the picture or the clip.", field="file")
        try:
            row = take_in(clinic, slug, file, **said, by=self.user(request), now=timezone.now())
        except TooManyError as error:
            raise Problem(409, "too_many", str(error), field="file") from None
        except UnfitError as error:
            raise Problem(422, error.code, error.detail, field="file") from None
        return json_response(stored(row), 201)


def _said(request: Request, name: str, most: int) -> str:
    value = request.POST.get(name)
    if not isinstance(value, str) or not value.strip():
        raise Problem(400, "required", "This field is missing.", field=name)
    if len(value) > most or "\0" in value:
        raise Problem(400, "invalid", in_words("At most %(n)s characters, none of them NUL.", n=most), field=name)
    return value.strip()


class ClinicMediumView(OwnView):
    """Take a picture or a clip down."""

    @extend_schema(
        operation_id="clinic_exercise_media_remove",
        responses={204: OpenApiResponse(description="Taken down."), **problems(401, 403, 404)},
    )
    def delete(self, request: Request, clinic_id: int, slug: str, media_id: UUID) -> HttpResponse:
        rows = hanging(self.clinic(request, clinic_id), slug)
        take_down(get_object_or_404(rows, pk=media_id), by=self.user(request), now=timezone.now())
        return HttpResponse(status=204)


class MediaView(APIView):
    """The file itself: of the shared catalogue to everybody, a clinic's own to its people and patients alone."""

    @extend_schema(
        operation_id="exercise_media_read",
        parameters=[
            OpenApiParameter("Range", str, OpenApiParameter.HEADER, description="One part, such as bytes=65536-."),
            OpenApiParameter(
                "If-Range", str, OpenApiParameter.HEADER, description="The ETag of what is there already."
            ),
        ],
        responses={(code, kind): OpenApiResponse(bytes) for code in (200, 206) for kind in sorted(set(TYPES.values()))}
        | problems(401, 404, 416),
    )
    def get(self, request: Request, media: str) -> HttpResponseBase:
        etag, opened, size = self._find(request, media)
        response: HttpResponseBase | None = get_conditional_response(request._request, etag=etag)
        if response is None:
            response = self._send(request, media, etag, opened, size)
        else:
            opened.close()
        response["Content-Type"] = TYPES[media.rpartition(".")[2]]
        response["ETag"] = etag
        # Whatever a browser may take it for, it runs nothing and nobody else embeds it.
        response["X-Content-Type-Options"] = "nosniff"
        response["Content-Security-Policy"] = "default-src 'none'; sandbox"
        response["Cross-Origin-Resource-Policy"] = "same-origin"
        response["Accept-Ranges"] = "bytes"
        patch_cache_control(response, private=True, no_cache=True)
        return response

    def _send(self, request: Request, media: str, etag: str, opened: IO[bytes], size: int) -> FileResponse:
        """All of it, or the part that a phone lacks whose download broke off."""
        try:
            part = asked_of(request._request, size, etag)
        except Problem:
            opened.close()
            raise
        response = FileResponse(opened, as_attachment=True, filename=media)
        if part is not None:
            narrow(response, opened, part, size)
        return response

    def _find(self, request: Request, file: str) -> tuple[str, IO[bytes], int]:
        """Its ETag, the open file, and how many bytes it has."""
        if path := shared_media().get(file):
            content, size = path.open("rb"), path.stat().st_size
            return etag_of(file, path.stat().st_mtime_ns, size), content, size
        name = PurePath(file)
        try:
            number = UUID(name.stem)
        except ValueError:
            raise Http404 from None
        row = get_object_or_404(ExerciseMedia, pk=number, clinic__in=clinics_of(request), removed_at=None)
        if row.file != file:
            raise Http404
        try:
            return etag_of(row.digest), default_storage.open(row.path), row.size
        except FileNotFoundError:
            raise Http404 from None
