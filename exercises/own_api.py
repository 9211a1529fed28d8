"""A clinic's own exercises, beside the shared ones and without touching them."""

from __future__ import annotations

from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import OpenApiExample, OpenApiResponse, extend_schema
from rest_framework.request import Request

from backend.people.authentication import staff
from backend.rest.body import read_as
from backend.rest.openapi import json_response, problems, schema_of
from backend.rest.problems import Problem, problem
from exercises import keeping
from exercises.api import ShownExercise, language_of, shown
from exercises.entry import Exercise
from exercises.examples import EXERCISE, SHOWN
from exercises.models import Exercise as Row
from exercises.staff_view import StaffView
from exercises.uploads import hung


class OwnView(StaffView):
    """For staff of the clinic; to others there is no such clinic."""

    def clinic(self, request: Request, clinic_id: int) -> int:
        if clinic_id not in staff(request).clinics:
            raise Http404
        return clinic_id


def unsound(error: keeping.UnsoundError) -> HttpResponse:
    return problem(422, error.flaws)


class ClinicExercisesView(OwnView):
    """A new exercise of the clinic's own. One with a shared slug takes the shared one's place in this clinic."""

    @extend_schema(
        operation_id="clinic_exercise_create",
        request={"application/json": schema_of(Exercise)},
        responses={201: OpenApiResponse(schema_of(ShownExercise)), **problems(400, 401, 403, 404, 409, 422)},
        examples=[
            OpenApiExample("an own exercise", EXERCISE, request_only=True),
            OpenApiExample("entered", SHOWN, response_only=True, status_codes=["201"]),
        ],
    )
    def post(self, request: Request, clinic_id: int) -> HttpResponse:
        clinic = self.clinic(request, clinic_id)
        try:
            row = keeping.add(read_as(request, Exercise), clinic)
        except keeping.UnsoundError as error:
            return unsound(error)
        except keeping.ExistsError:
            raise Problem(409, "exists", "The clinic has an exercise of this slug.", field="slug") from None
        return json_response(shown(row, language_of(request)), 201)


class ClinicExerciseView(OwnView):
    """One exercise of the clinic's own: changed, or retired. Old prescriptions keep it as it was."""

    @extend_schema(
        operation_id="clinic_exercise_write",
        request={"application/json": schema_of(Exercise)},
        responses={200: OpenApiResponse(schema_of(ShownExercise)), **problems(400, 401, 403, 404, 422)},
        examples=[
            OpenApiExample("an own exercise", EXERCISE, request_only=True),
            OpenApiExample("written", SHOWN, response_only=True, status_codes=["200"]),
        ],
    )
    def put(self, request: Request, clinic_id: int, own: str) -> HttpResponse:
        old = get_object_or_404(Row, clinic=self.clinic(request, clinic_id), slug=own)
        entry = read_as(request, Exercise)
        if entry.slug != own:
            raise Problem(422, "other_slug", "An exercise keeps its slug.", field="slug")
        try:
            row = keeping.rewrite(old, entry, clinic_id)
        except keeping.UnsoundError as error:
            return unsound(error)
        return json_response(shown(row, language_of(request), hung([clinic_id], [own]).get(own, ())))

    @extend_schema(
        operation_id="clinic_exercise_retire",
        responses={204: OpenApiResponse(description="Retired."), **problems(401, 403, 404, 422)},
    )
    def delete(self, request: Request, clinic_id: int, own: str) -> HttpResponse:
        row = get_object_or_404(Row, clinic=self.clinic(request, clinic_id), slug=own, retired=False)
        try:
            keeping.retire(row, clinic_id)
        except keeping.UnsoundError as error:
            return unsound(error)
        return HttpResponse(status=204)
