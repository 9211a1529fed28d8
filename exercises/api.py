"""The exercise catalogue for whoever is signed in: the shared exercises, and those of their own clinic."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
from django.db.models import Count, Max, QuerySet
from django.http import Http404, HttpResponse
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework.request import Request
from rest_framework.views import APIView

from backend.people.authentication import Phone, Staff
from backend.rest.etag import conditional, etag_of
from backend.rest.openapi import problems, schema_of
from backend.rest.paging import KeysetPagination, read_limit
from backend.rest.problems import Problem, in_words
from exercises.dose import Dose
from exercises.entry import LANGUAGE, Change, Codes, Evidence, Media, Words
from exercises.entry import Exercise as Entry
from exercises.examples import CODES, SHOWN
from exercises.finding import catalogue, like
from exercises.library import library
from exercises.models import Exercise
from exercises.uploads import hung


class ListedExercise(msgspec.Struct):
    """An exercise in the list. `own` is the clinic's, not shared; `version` changes with the content."""

    slug: str
    name: str
    purpose: str
    modality: str
    level: int
    position: str
    equipment: list[str]
    targets: list[str]
    own: bool
    version: str


class ExercisePage(msgspec.Struct):
    results: list[ListedExercise]
    next: str | None


class ShownExercise(msgspec.Struct):
    """All that a patient needs to do the exercise at home. `hypotheses` are what reviews propose, never a promise."""

    slug: str
    own: bool
    version: str
    language: str
    words: Words
    modality: str
    level: int
    position: str
    equipment: tuple[str, ...]
    targets: tuple[str, ...]
    hypotheses: list[str]
    dose: Dose
    rpe: tuple[int, int]
    met: float | None
    clearance: bool
    regression: Change
    progression: Change
    contraindications: tuple[str, ...]
    precautions: tuple[str, ...]
    evidence: Evidence
    certainty: str
    licence: str
    author: str
    media: tuple[Media, ...]


def listed(row: Exercise, language: str) -> ListedExercise:
    words = _words(row.content, language)
    return ListedExercise(
        slug=row.slug,
        name=words["name"],
        purpose=words["purpose"],
        modality=row.modality,
        level=row.level,
        position=row.position,
        equipment=row.equipment,
        targets=row.targets,
        own=row.clinic_id is not None,
        version=row.digest,
    )


def _words(content: dict[str, Any], language: str) -> dict[str, Any]:
    words: dict[str, Any] = content["words"]
    found: dict[str, Any] = words.get(language) or words[LANGUAGE]
    return found


def shown(row: Exercise, language: str, hung: tuple[Media, ...] = ()) -> ShownExercise:
    """The whole entry, with what the asker's clinic hangs on it."""
    entry = msgspec.convert(row.content, Entry)
    codes = codes_in(language)
    return ShownExercise(
        slug=entry.slug,
        own=row.clinic_id is not None,
        version=row.digest,
        language=language if language in entry.words else LANGUAGE,
        words=entry.words_in(language),
        modality=entry.modality,
        level=entry.level,
        position=entry.position,
        equipment=entry.equipment,
        targets=entry.targets,
        hypotheses=[codes.targets[code] for code in entry.targets],
        dose=entry.dose,
        rpe=entry.rpe,
        met=entry.met,
        clearance=entry.clearance,
        regression=entry.regression,
        progression=entry.progression,
        contraindications=entry.contraindications,
        precautions=entry.precautions,
        evidence=entry.evidence,
        certainty=codes.grades[entry.evidence.grade],
        licence=entry.licence,
        author=entry.author,
        media=(*entry.media, *hung),
    )


def codes_in(language: str) -> Codes:
    codes = library().codes
    return codes.get(language) or codes[LANGUAGE]


def language_of(request: Request) -> str:
    return str(request.query_params.get("language") or getattr(request.user, "language", LANGUAGE))


def clinics_of(request: Request) -> list[int]:
    """The asker's own clinics: one of a patient, perhaps several of a colleague."""
    match request.auth:
        case Phone(clinic_id=clinic):
            return [clinic]
        case Staff(roles=roles):
            return list(roles)
    return []


def visible(request: Request) -> QuerySet[Exercise]:
    """The shared exercises, and those of the asker's own clinics. One of the clinic's hides the shared one."""
    return catalogue(clinics_of(request))


def filtered(rows: QuerySet[Exercise], asked: Mapping[str, str]) -> QuerySet[Exercise]:
    """The rows that a query asks for; 400 for a code that is none."""
    codes = library().codes[LANGUAGE]
    for name, known in (("modality", codes.modalities), ("position", codes.positions)):
        if value := asked.get(name):
            _must_be(value, known, name)
            rows = rows.filter(**{name: value})
    if target := asked.get("target"):
        _must_be(target, codes.targets, "target")
        rows = rows.filter(targets__contains=[target])
    if level := asked.get("level"):
        _must_be(level, ("1", "2", "3"), "level")
        rows = rows.filter(level=int(level))
    if "equipment" in asked:
        at_home = [each for each in asked["equipment"].split(",") if each]
        for each in at_home:
            _must_be(each, codes.equipment, "equipment")
        rows = rows.filter(equipment__contained_by=at_home)
    return rows


def _must_be(value: str, known: Any, field: str) -> None:
    if value not in known:
        raise Problem(400, "unknown_code", in_words("One of: %(known)s.", known=", ".join(known)), field=field)


EXAMPLE_LIST = {
    "results": [
        {
            "slug": "cat-cow",
            "name": "Cat-cow",
            "purpose": "Moves every part of your back through an easy range.",
            "modality": "yoga",
            "level": 1,
            "position": "hands-and-knees",
            "equipment": ["mat"],
            "targets": ["prefrontal-fear"],
            "own": False,
            "version": "4a1f0c6be53b0c2d9a7b7f0e3d1a9c55",
        }
    ],
    "next": None,
}
FILTERS = [
    OpenApiParameter("modality", str, description="Such as yoga; the codes are at /exercise-codes."),
    OpenApiParameter("level", int, description="1 to 3."),
    OpenApiParameter("position", str),
    OpenApiParameter("target", str, description="What the reviews propose, always a hypothesis."),
    OpenApiParameter("equipment", str, description="What is at home, separated by commas: nothing else is needed."),
    OpenApiParameter("q", str, description="A word or two of name or purpose; a letter may be wrong. Best first."),
    OpenApiParameter("language", str, description="The asker's own unless said."),
    OpenApiParameter("limit", int, description="How many on a page, 1 to 500."),
    OpenApiParameter("cursor", str, description="Opaque; taken from `next`. Not with q."),
]


class ExercisesView(APIView):
    """The catalogue, filtered and searched."""

    keyset = ("slug", "id")

    @extend_schema(
        operation_id="exercises_list",
        parameters=FILTERS,
        responses={200: OpenApiResponse(schema_of(ExercisePage)), **problems(400, 401)},
        examples=[OpenApiExample("one of many", EXAMPLE_LIST, response_only=True)],
    )
    def get(self, request: Request) -> HttpResponse:
        language = language_of(request)
        rows = filtered(visible(request), request.query_params)
        newest = rows.aggregate(count=Count("pk"), newest=Max("updated_at"))

        def build() -> object:
            if words := request.query_params.get("q", "").replace("\0", "").strip()[:100]:
                found = like(rows, words)[: read_limit(request)]
                return msgspec.to_builtins(ExercisePage([listed(row, language) for row in found], None))
            pages = KeysetPagination()
            page = pages.paginate_queryset(rows, request, self)
            return msgspec.to_builtins(ExercisePage([listed(row, language) for row in page], pages.next_link))

        asked = sorted(request.query_params.items())
        return conditional(request, etag_of("exercises", language, newest["count"], newest["newest"], asked), build)


class ExerciseView(APIView):
    """One exercise, whole."""

    @extend_schema(
        operation_id="exercise_read",
        parameters=[OpenApiParameter("language", str, description="The asker's own unless said.")],
        responses={200: OpenApiResponse(schema_of(ShownExercise)), **problems(401, 404)},
        examples=[OpenApiExample("a clinic's own", SHOWN, response_only=True)],
    )
    def get(self, request: Request, slug: str) -> HttpResponse:
        row = visible(request).filter(slug=slug).order_by("clinic").first()
        if row is None:
            raise Http404
        language, media = language_of(request), hung(clinics_of(request), [slug]).get(slug, ())
        return conditional(
            request,
            etag_of(slug, row.digest, language, media),
            lambda: msgspec.to_builtins(shown(row, language, media)),
        )


class CodesView(APIView):
    """The code lists with their words: modalities, positions, equipment, conditions and so on."""

    @extend_schema(
        operation_id="exercise_codes",
        parameters=[OpenApiParameter("language", str, description="The asker's own unless said.")],
        responses={200: OpenApiResponse(schema_of(Codes)), **problems(401)},
        examples=[OpenApiExample("one of each", CODES, response_only=True)],
    )
    def get(self, request: Request) -> HttpResponse:
        codes = codes_in(language_of(request))
        return conditional(request, etag_of("codes", msgspec.json.encode(codes)), lambda: msgspec.to_builtins(codes))
