"""What the views for those who look after a patient share."""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from rest_framework.request import Request
from rest_framework.views import APIView

from backend.people.authentication import IsStaff
from backend.people.models import Patient, User
from backend.rest.problems import Problem, problem
from exercises import prescribing


class StaffView(APIView):
    """For those who look after the patient; to everybody else there is no such patient."""

    permission_classes = [IsStaff]

    def patient(self, request: Request, patient_id: int) -> Patient:
        return get_object_or_404(Patient.objects.visible_to(request.user), pk=patient_id)

    def user(self, request: Request) -> User:
        assert isinstance(request.user, User)  # noqa: S101  the permission has looked
        return request.user


def guarded(write: Callable[[], HttpResponse], plan: str = "") -> HttpResponse:
    """What `write` answers, or why the programme can't be so: 422 by field, 409 with each block of the safety gate.

    `plan` is where in the body the plan stands, whose fields begin with `items`.
    """
    try:
        return write()
    except prescribing.RefusedError as error:
        field = f"{plan}{error.field}" if error.field.startswith("items.") else error.field
        raise Problem(422, error.code, error.detail, field=field) from None
    except prescribing.BlockedError as error:
        return problem(
            409,
            [
                (f"overrides.{block.key}", block.code, "The safety gate stands in the way; override it with a reason.")
                for block in error.blocks
            ],
        )
