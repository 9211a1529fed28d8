"""A clinic's own exercises, beside the shared ones and without touching them."""

from __future__ import annotations

import msgspec
from django.db import IntegrityError, transaction
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import OpenApiExample, OpenApiResponse, extend_schema
from rest_framework.request import Request

from backend.people.authentication import staff
from backend.rest.body import read_as
from backend.rest.openapi import json_response, problems, schema_of
from backend.rest.problems import Problem, problem
from exercises.api import ShownExercise, language_of, shown
from exercises.consistency import loops, wrong_in
from exercises.entry import LANGUAGE, Exercise
from exercises.library import library
from exercises.loading import row_of
from exercises.models import Exercise as Row
from exercises.programme_api import StaffView
from exercises.uploads import hung

EXAMPLE = {
    "slug": "towel-slide",
    "modality": "motor-control",
    "level": 1,
    "position": "supine",
    "equipment": ["mat"],
    "targets": ["cortical-excitability"],
    "dose": {"kind": "sets", "sets": 2, "reps": 10, "sessions_per_week": 3},
    "rpe": [2, 4],
    "regression": {"variable": "range"},
    "progression": {"to": "heel-slide"},
    "contraindications": [],
    "precautions": ["late-pregnancy"],
    "evidence": {"grade": "low", "summary": "As heel slide.", "sources": ["Saragiotto 2016"]},
    "licence": "CC0-1.0",
    "author": "the clinic",
    "words": {
        "en": {
            "name": "Towel slide",
            "purpose": "Teaches your trunk to stay quiet while a leg moves.",
            "start": "Lie on your back, one heel on a towel.",
            "steps": ["Slide the heel away.", "Slide it back."],
            "breathing": "Out as it goes.",
            "feel": "Light work.",
            "stop": "Stop if it hurts above 5 out of 10.",
            "easier": "Slide half as far.",
            "harder": "Leave the towel away.",
        }
    },
}
EXAMPLE_SHOWN = {"slug": "towel-slide", "words": {"name": "Towel slide"}, "level": 1}


def known_in(clinic_id: int) -> dict[str, Exercise]:
    """What an entry of this clinic may link to: the shared exercises and its own."""
    own = Row.objects.filter(clinic=clinic_id, retired=False)
    return dict(library().exercises) | {row.slug: msgspec.convert(row.content, Exercise) for row in own}


class OwnView(StaffView):
    """For staff of the clinic; to others there is no such clinic."""

    def clinic(self, request: Request, clinic_id: int) -> int:
        if clinic_id not in staff(request).clinics:
            raise Http404
        return clinic_id

    def checked(self, request: Request, clinic_id: int, slug: str | None = None) -> Exercise | HttpResponse:
        """The entry that was sent, held to what the files are held to; or 422 with all that is wrong."""
        entry = read_as(request, Exercise)
        if slug is not None and entry.slug != slug:
            raise Problem(422, "other_slug", "An exercise keeps its slug.", field="slug")
        if LANGUAGE not in entry.words:
            raise Problem(
                422, "required", "Give the words in English too: they stand in for other languages.", field="words.en"
            )
        if entry.media:
            raise Problem(422, "upload_it", "Pictures and clips are uploaded: see the exercise's media.", field="media")
        known = known_in(clinic_id) | {entry.slug: entry}
        wrong = wrong_in(entry, known, library().codes[LANGUAGE], "clinic") + loops(
            known, dict.fromkeys(known, "clinic")
        )
        return problem(422, [(None, each.code, each.detail) for each in wrong]) if wrong else entry


class ClinicExercisesView(OwnView):
    """A new exercise of the clinic's own. One with a shared slug takes the shared one's place in this clinic."""

    @extend_schema(
        operation_id="clinic_exercise_create",
        request={"application/json": schema_of(Exercise)},
        responses={201: OpenApiResponse(schema_of(ShownExercise)), **problems(400, 401, 403, 404, 409, 422)},
        examples=[
            OpenApiExample("an own exercise", EXAMPLE, request_only=True),
            OpenApiExample("entered", EXAMPLE_SHOWN, response_only=True, status_codes=["201"]),
        ],
    )
    def post(self, request: Request, clinic_id: int) -> HttpResponse:
        entry = self.checked(request, self.clinic(request, clinic_id))
        if isinstance(entry, HttpResponse):
            return entry
        row = row_of(entry, clinic_id)
        try:
            with transaction.atomic():
                row.save(force_insert=True)
        except IntegrityError:
            raise Problem(409, "exists", "The clinic has an exercise of this slug.", field="slug") from None
        return json_response(shown(row, language_of(request)), 201)


class ClinicExerciseView(OwnView):
    """One exercise of the clinic's own: changed, or retired. Old prescriptions keep it as it was."""

    @extend_schema(
        operation_id="clinic_exercise_write",
        request={"application/json": schema_of(Exercise)},
        responses={200: OpenApiResponse(schema_of(ShownExercise)), **problems(400, 401, 403, 404, 422)},
        examples=[
            OpenApiExample("an own exercise", EXAMPLE, request_only=True),
            OpenApiExample("written", EXAMPLE_SHOWN, response_only=True, status_codes=["200"]),
        ],
    )
    def put(self, request: Request, clinic_id: int, own: str) -> HttpResponse:
        old = get_object_or_404(Row, clinic=self.clinic(request, clinic_id), slug=own)
        entry = self.checked(request, clinic_id, own)
        if isinstance(entry, HttpResponse):
            return entry
        row = row_of(entry, clinic_id)
        row.pk = old.pk
        row.save(force_update=True)
        return json_response(shown(row, language_of(request), hung([clinic_id], [own]).get(own, ())))

    @extend_schema(
        operation_id="clinic_exercise_retire",
        responses={204: OpenApiResponse(description="Retired."), **problems(401, 403, 404)},
    )
    def delete(self, request: Request, clinic_id: int, own: str) -> HttpResponse:
        row = get_object_or_404(Row, clinic=self.clinic(request, clinic_id), slug=own, retired=False)
        row.retired = True
        row.save(update_fields=["retired"])
        return HttpResponse(status=204)
