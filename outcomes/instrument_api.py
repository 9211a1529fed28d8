"""Instruments for whoever is signed in, with their own clinic's words; and what a clinic adds: texts, choices."""

from __future__ import annotations

from datetime import datetime

import msgspec
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404
from django.utils import timezone
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.views import APIView

from backend.people.authentication import IsClinicAdmin, IsStaff, Phone, Staff
from backend.people.clinic_api import AdminWrites, own_clinic
from backend.people.models import User
from backend.rest.etag import conditional, etag_of
from backend.rest.openapi import json_response, problems, schema_of
from backend.rest.problems import problem
from outcomes import choices, library, packs
from outcomes.clinic_models import InstrumentChoice, TextPack
from outcomes.shown import ShownInstrument, etag, shown


class Listed(msgspec.Struct):
    """An instrument in the list. Without a language it can be imported and scored, but not shown to a patient."""

    code: str
    version: str
    title: str
    languages: list[str]
    recall: str
    licence: str


class InstrumentList(msgspec.Struct):
    results: list[Listed]


class InstrumentsView(APIView):
    """All instruments in their newest version."""

    @extend_schema(
        operation_id="instruments_list",
        parameters=[OpenApiParameter("clinic", int, description="Staff: with the words of which of their clinics.")],
        responses={200: OpenApiResponse(schema_of(InstrumentList)), **problems(401, 404)},
        examples=[
            OpenApiExample(
                "one of many",
                {
                    "results": [
                        {
                            "code": "phq-8",
                            "version": "1",
                            "title": "Patient Health Questionnaire-8",
                            "languages": ["en"],
                            "recall": "2 weeks",
                            "licence": "public domain",
                        }
                    ]
                },
                response_only=True,
            )
        ],
    )
    def get(self, request: Request) -> HttpResponse:
        languages = packs.languages_of(clinic_of(request))
        found = [
            Listed(each.code, each.version, each.title, languages[each.code], each.recall, each.licence)
            for each in library.newest()
        ]
        answer = InstrumentList(found)
        return conditional(request, etag_of(msgspec.json.encode(answer)), lambda: msgspec.to_builtins(answer))


class InstrumentView(APIView):
    """One instrument: items, options, languages, version."""

    @extend_schema(
        operation_id="instrument_read",
        parameters=[
            OpenApiParameter("version", str, description="An older version; the newest unless said."),
            OpenApiParameter("language", str, description="One of its languages; the asker's unless said."),
            OpenApiParameter("clinic", int, description="Staff: with the words of which of their clinics."),
        ],
        responses={200: OpenApiResponse(schema_of(ShownInstrument)), **problems(401, 404)},
        examples=[
            OpenApiExample(
                "a single item",
                {
                    "code": "nrs-pain",
                    "version": "1",
                    "title": "Pain, numeric rating scale",
                    "languages": ["en"],
                    "language": "en",
                    "introduction": None,
                    "recall": "24 hours",
                    "owner": "generic",
                    "licence": "own wording",
                    "items": [
                        {
                            "id": "pain",
                            "text": "How strong was your pain?",
                            "optional": False,
                            "only_if": None,
                            "values": [],
                            "labels": {"0": "no pain"},
                            "range": [0, 10],
                            "decimals": 0,
                            "unit": None,
                            "longest": None,
                        }
                    ],
                },
                response_only=True,
            )
        ],
    )
    def get(self, request: Request, code: str) -> HttpResponse:
        try:
            instrument = library.get(code, request.query_params.get("version"))
        except library.UnknownInstrumentError:
            raise Http404 from None
        texts = packs.texts_of(clinic_of(request), instrument)
        own = request.auth.language if isinstance(request.auth, Phone) else getattr(request.user, "language", "en")
        answer = shown(instrument, texts, request.query_params.get("language") or own, own)
        return conditional(request, etag(answer), lambda: msgspec.to_builtins(answer))


def clinic_of(request: Request) -> int | None:
    """Whose words the asker gets: a phone its clinic's; staff those of the clinic they name, or of their only one."""
    if isinstance(request.auth, Phone):
        return request.auth.clinic_id
    clinics = request.auth.clinics if isinstance(request.auth, Staff) else []
    named = request.query_params.get("clinic")
    if named is None:
        return clinics[0] if len(clinics) == 1 else None
    if named not in map(str, clinics):
        raise Http404
    return int(named)


class PackShown(msgspec.Struct):
    """A text that a clinic has loaded, on its word that `licence` allows it. `removed_at`: it is shown no more."""

    id: int
    instrument: str
    version: str
    language: str
    title: str
    licence: str
    loaded_at: datetime
    removed_at: datetime | None


class PackList(msgspec.Struct):
    """Newest first; those that were removed or replaced too."""

    results: list[PackShown]


EXAMPLE_PACK = {
    "id": 3,
    "instrument": "tsk-11",
    "version": "1",
    "language": "de",
    "title": "Tampa-Skala",
    "licence": "Letter of the owner, 2026-03-02, file 17/2026",
    "loaded_at": "2026-11-22T09:00:00Z",
    "removed_at": None,
}


def pack_shown(pack: TextPack) -> PackShown:
    return PackShown(
        pack.pk,
        pack.code,
        pack.version,
        pack.language,
        pack.content["title"],
        pack.licence,
        pack.loaded_at,
        pack.removed_at,
    )


class PackSerializer(serializers.Serializer[TextPack]):
    licence = serializers.CharField(max_length=500, help_text="on what grounds the clinic may use these words")
    text = serializers.DictField(help_text="as in a file of text: code, version, language, title, items, options, …")


class PacksView(APIView):
    """The words that a clinic has licensed for itself: no other clinic ever gets them."""

    permission_classes = [AdminWrites]

    @extend_schema(
        operation_id="instrument_texts_list",
        responses={200: OpenApiResponse(schema_of(PackList)), **problems(401, 403, 404)},
        examples=[OpenApiExample("one", {"results": [EXAMPLE_PACK]}, response_only=True)],
    )
    def get(self, request: Request, clinic_id: int) -> HttpResponse:
        rows = TextPack.objects.filter(clinic=own_clinic(request, clinic_id)).order_by("-loaded_at", "-pk")
        return json_response(PackList([pack_shown(pack) for pack in rows]))

    @extend_schema(
        operation_id="load_instrument_text",
        request=PackSerializer,
        responses={201: OpenApiResponse(schema_of(PackShown)), **problems(400, 401, 403, 404, 413, 415)},
        examples=[
            OpenApiExample(
                "a text",
                {
                    "licence": EXAMPLE_PACK["licence"],
                    "text": {
                        "code": "tsk-11",
                        "version": "1",
                        "language": "de",
                        "title": "Tampa-Skala",
                        "introduction": "…",
                        "source": "…",
                        "licence": "…",
                        "items": {"1": "…"},
                        "options": {"agreement": {"1": "…"}},
                    },
                },
                request_only=True,
            ),
            OpenApiExample("loaded", EXAMPLE_PACK, response_only=True, status_codes=["201"]),
        ],
    )
    def post(self, request: Request, clinic_id: int) -> HttpResponse:
        clinic = own_clinic(request, clinic_id)
        form = PackSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        sent = form.validated_data
        try:
            text = packs.read_pack(sent["text"], clinic, str(sent["text"].get("code", "")))
            pack = packs.load_pack(clinic, text, sent["licence"], by=_user(request), now=timezone.now())
        except packs.BadPackError as error:
            return problem(400, [(f"text.{flaw.field}", "invalid", flaw.why) for flaw in error.flaws])
        return json_response(pack_shown(pack), 201)


class PackView(APIView):
    """One text that a clinic has loaded."""

    permission_classes = [IsClinicAdmin]

    @extend_schema(
        operation_id="remove_instrument_text",
        responses={204: OpenApiResponse(None, "It is shown no more."), **problems(401, 403, 404)},
    )
    def delete(self, request: Request, clinic_id: int, pack_id: int) -> HttpResponse:
        pack = get_object_or_404(TextPack, clinic=own_clinic(request, clinic_id), pk=pack_id)
        packs.remove_pack(pack, by=_user(request), now=timezone.now())
        return HttpResponse(status=204)


class ChoiceShown(msgspec.Struct):
    """How a clinic reads an instrument where sources differ; `version` 0: as its file says."""

    instrument: str
    version: int
    cutoffs: dict[str, dict[str, float]]
    max_missing: dict[str, int]
    tables: dict[str, int]


class ChoiceList(msgspec.Struct):
    """The instruments of which a clinic has chosen anything. Of a table only its size is shown: it is licensed."""

    results: list[ChoiceShown]


EXAMPLE_CHOICE = {
    "instrument": "tsk-17",
    "version": 2,
    "cutoffs": {"total": {"high": 37}},
    "max_missing": {},
    "tables": {},
}


class ChoiceSerializer(serializers.Serializer[InstrumentChoice]):
    cutoffs = serializers.DictField(default=dict, help_text="score, band, where it begins")
    max_missing = serializers.DictField(default=dict, help_text="score, how many of its items may be unanswered")
    tables = serializers.DictField(default=dict, help_text="score, raw value, value: a table that the clinic licensed")


class ChoicesView(APIView):
    """How a clinic reads its instruments where sources differ."""

    permission_classes = [IsStaff]

    @extend_schema(
        operation_id="instrument_choices_list",
        responses={200: OpenApiResponse(schema_of(ChoiceList)), **problems(401, 403, 404)},
        examples=[OpenApiExample("one", {"results": [EXAMPLE_CHOICE]}, response_only=True)],
    )
    def get(self, request: Request, clinic_id: int) -> HttpResponse:
        rows = InstrumentChoice.objects.filter(clinic=own_clinic(request, clinic_id))
        newest = rows.order_by("code", "-version").distinct("code")
        return json_response(ChoiceList([choice_shown(row) for row in newest]))


class ChoiceView(APIView):
    """How a clinic reads one instrument."""

    permission_classes = [IsClinicAdmin]

    @extend_schema(
        operation_id="choose_instrument",
        description="All at once: what is not among it is as the instrument's file says. Scores that stand stay.",
        request=ChoiceSerializer,
        responses={200: OpenApiResponse(schema_of(ChoiceShown)), **problems(400, 401, 403, 404, 413, 415)},
        examples=[
            OpenApiExample("37 and more is high", {"cutoffs": {"total": {"high": 37}}}, request_only=True),
            OpenApiExample("as it holds now", EXAMPLE_CHOICE, response_only=True),
        ],
    )
    def put(self, request: Request, clinic_id: int, code: str) -> HttpResponse:
        clinic = own_clinic(request, clinic_id)
        form = ChoiceSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        try:
            row = choices.choose(clinic, code, form.validated_data, by=_user(request), now=timezone.now())
        except library.UnknownInstrumentError:
            raise Http404 from None
        except choices.BadChoiceError as error:
            return problem(400, [(error.flaw.field, "invalid", error.flaw.why)])
        return json_response(choice_shown(row))


def choice_shown(row: InstrumentChoice) -> ChoiceShown:
    choice = choices.read(row.choice)
    tables = {score: len(table) for score, table in choice.tables.items()}
    return ChoiceShown(row.code, row.version, choice.cutoffs, choice.max_missing, tables)


def _user(request: Request) -> User:
    assert isinstance(request.user, User)  # noqa: S101  the permission has looked
    return request.user
