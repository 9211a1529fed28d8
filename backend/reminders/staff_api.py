"""What a patient is asked for and how they are reminded, under /api/v1/patients/…: for those who look after them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from uuid import UUID

import msgspec
from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from django.utils import timezone
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework.request import Request

from backend.people import audit
from backend.people.models import Origin, Patient
from backend.people.writes import Door
from backend.reminders import examples, wishes
from backend.reminders.models import Absence, Schedule
from backend.reminders.scheduling import (
    Offers,
    ScheduleError,
    apply_plan,
    ask_anew,
    change_rule,
    end_schedule,
    offers,
    plans,
)
from backend.reminders.slots import Rule
from backend.reminders.timeline import AskedSlot, ShownSchedule, schedules_of, shown_schedules, timeline
from backend.rest.body import read_as
from backend.rest.openapi import json_response, problems, schema_of
from backend.rest.problems import Problem, in_words, problem
from exercises.prescribing import today_of
from exercises.staff_view import StaffView

LONGEST_LOOK = timedelta(days=92)


class ScheduleList(msgspec.Struct):
    results: list[ShownSchedule]


class AskFor(msgspec.Struct, forbid_unknown_fields=True):
    """One instrument by one rule. `anchor_on` where the rule counts from a surgery or a date."""

    code: str
    rule: Rule
    anchor_on: date | None = None


class ChangeRule(msgspec.Struct, forbid_unknown_fields=True):
    rule: Rule
    anchor_on: date | None = None


class AskByPlan(msgspec.Struct, forbid_unknown_fields=True):
    """All that a plan holds. `anchor_on` where it counts from a surgery."""

    plan: str
    anchor_on: date | None = None


class LeftOut(msgspec.Struct):
    """What of a plan is not asked and why; `instead` is asked in its place, if anything is."""

    why_not: str
    detail: str
    instead: str | None


class Applied(msgspec.Struct):
    schedules: list[ShownSchedule]
    left_out: list[LeftOut]


class Timeline(msgspec.Struct):
    """In order of their days."""

    results: list[AskedSlot]


class AbsenceList(msgspec.Struct):
    results: list[wishes.ShownAbsence]


def guarded(write: Callable[[], HttpResponse]) -> HttpResponse:
    """What `write` answers, or 422 with the reason, the field and the instrument that is offered instead."""
    try:
        return write()
    except ScheduleError as error:
        return problem(422, [(error.field, error.code, str(error))], more={"instead": error.instead})
    except wishes.AbsenceError as error:
        raise Problem(422, error.error.code, error.error.detail, field=error.error.field) from None


def by_staff(request: Request) -> Door:
    return Door(origin=Origin.CLINIC, received_at=timezone.now(), user_id=request.user.pk)


class PatientView(StaffView):
    def patient(self, request: Request, patient_id: int) -> Patient:
        return get_object_or_404(Patient.objects.visible_to(request.user).select_related("clinic"), pk=patient_id)

    def schedule(self, request: Request, patient_id: int, schedule_id: UUID) -> Schedule:
        patient = self.patient(request, patient_id)
        schedules = Schedule.objects.select_related("patient__clinic")
        return get_object_or_404(schedules, patient=patient, pk=schedule_id)


class SchedulesView(PatientView):
    """What a patient is asked for, and one more instrument."""

    @extend_schema(
        operation_id="patient_schedules_list",
        responses={200: OpenApiResponse(schema_of(ScheduleList)), **problems(401, 403, 404)},
        examples=[OpenApiExample("a diary", {"results": [examples.SCHEDULE]}, response_only=True)],
    )
    def get(self, request: Request, patient_id: int) -> HttpResponse:
        patient = self.patient(request, patient_id)
        found = shown_schedules(schedules_of(patient.pk))
        audit.record("read schedules", [patient.pk], request.user.pk, count=len(found))
        return json_response(ScheduleList(found))

    @extend_schema(
        operation_id="patient_schedule_create",
        request={"application/json": schema_of(AskFor)},
        responses={201: OpenApiResponse(schema_of(ShownSchedule)), **problems(400, 401, 403, 404, 422)},
        examples=[
            OpenApiExample("a diary", {"code": "daily-diary", "rule": examples.DIARY}, request_only=True),
            OpenApiExample("asked", examples.SCHEDULE, response_only=True, status_codes=["201"]),
        ],
    )
    def post(self, request: Request, patient_id: int) -> HttpResponse:
        patient, asked = self.patient(request, patient_id), read_as(request, AskFor)

        def write() -> HttpResponse:
            made = ask_anew(
                patient, asked.code, asked.rule, timezone.now(), anchor_on=asked.anchor_on, by=self.user(request)
            )
            audit.record("wrote schedule", [patient.pk], request.user.pk)
            return json_response(shown_schedules([made])[0], 201)

        return guarded(write)


class OffersView(PatientView):
    """What a patient could be asked, singly and by plans; and why what can't be asked can't."""

    @extend_schema(
        operation_id="patient_schedule_offers",
        responses={200: OpenApiResponse(schema_of(Offers)), **problems(401, 403, 404)},
        examples=[OpenApiExample("nobody on call", examples.OFFERS, response_only=True)],
    )
    def get(self, request: Request, patient_id: int) -> HttpResponse:
        return json_response(offers(self.patient(request, patient_id)))


class PlanView(PatientView):
    """Ask for all that a plan holds, as far as it can be asked."""

    @extend_schema(
        operation_id="patient_schedule_plan",
        request={"application/json": schema_of(AskByPlan)},
        responses={201: OpenApiResponse(schema_of(Applied)), **problems(400, 401, 403, 404, 422)},
        examples=[
            OpenApiExample("the default", {"plan": "default"}, request_only=True),
            OpenApiExample("applied", examples.APPLIED, response_only=True, status_codes=["201"]),
        ],
    )
    def post(self, request: Request, patient_id: int) -> HttpResponse:
        patient, asked = self.patient(request, patient_id), read_as(request, AskByPlan)
        if asked.plan not in plans():
            raise Problem(422, "unknown_plan", in_words("One of: %(known)s.", known=", ".join(plans())), field="plan")

        def write() -> HttpResponse:
            made, left_out = apply_plan(
                patient, asked.plan, timezone.now(), anchor_on=asked.anchor_on, by=self.user(request)
            )
            audit.record("wrote schedule", [patient.pk], request.user.pk, count=len(made))
            why = [LeftOut(error.code, str(error), error.instead) for error in left_out]
            return json_response(Applied(shown_schedules(made), why), 201)

        return guarded(write)


class ChangeScheduleView(PatientView):
    """Ask by another rule from now on; what was done stays done."""

    @extend_schema(
        operation_id="patient_schedule_change",
        request={"application/json": schema_of(ChangeRule)},
        responses={200: OpenApiResponse(schema_of(ShownSchedule)), **problems(400, 401, 403, 404, 422)},
        examples=[
            OpenApiExample("a diary", {"rule": examples.DIARY}, request_only=True),
            OpenApiExample("changed", examples.SCHEDULE | {"version": 2}, response_only=True, status_codes=["200"]),
        ],
    )
    def post(self, request: Request, patient_id: int, schedule_id: UUID) -> HttpResponse:
        schedule, asked = self.schedule(request, patient_id, schedule_id), read_as(request, ChangeRule)

        def write() -> HttpResponse:
            changed = change_rule(schedule, asked.rule, timezone.now(), anchor_on=asked.anchor_on)
            audit.record("changed schedule", [patient_id], request.user.pk)
            return json_response(shown_schedules([changed])[0])

        return guarded(write)


class EndScheduleView(PatientView):
    """Ask for it no more. Doing it twice changes nothing."""

    @extend_schema(
        operation_id="patient_schedule_end",
        request=None,
        responses={200: OpenApiResponse(schema_of(ShownSchedule)), **problems(401, 403, 404)},
        examples=[OpenApiExample("ended", examples.SCHEDULE | {"active": False}, response_only=True)],
    )
    def post(self, request: Request, patient_id: int, schedule_id: UUID) -> HttpResponse:
        schedule = self.schedule(request, patient_id, schedule_id)
        end_schedule(schedule, timezone.now())
        audit.record("ended schedule", [patient_id], request.user.pk)
        schedule.refresh_from_db()
        return json_response(shown_schedules([schedule])[0])


def read_days(request: Request, today: date) -> tuple[date, date]:
    """The local days `from` to `to`, two weeks back and one ahead unless said. Raises Problem."""
    days = []
    for name, usual in (("from", today - timedelta(days=14)), ("to", today + timedelta(days=7))):
        try:
            days.append(date.fromisoformat(request.query_params.get(name) or usual.isoformat()))
        except ValueError:
            raise Problem(400, "invalid", "A day is written as 2026-11-22.", field=name) from None
    first, last = days
    if not timedelta(0) <= last - first <= LONGEST_LOOK:
        raise Problem(
            400, "out_of_range", in_words("At most %(n)s days, the first one first.", n=LONGEST_LOOK.days), field="to"
        )
    return first, last


class SlotsView(PatientView):
    """What a patient was asked, how each window stands, and what was said of it, or why not."""

    @extend_schema(
        operation_id="patient_slots_list",
        parameters=[
            OpenApiParameter("from", date, description="The first local day; two weeks ago unless said."),
            OpenApiParameter("to", date, description="The last local day; a week ahead unless said."),
        ],
        responses={200: OpenApiResponse(schema_of(Timeline)), **problems(400, 401, 403, 404)},
        examples=[OpenApiExample("an evening's diary", {"results": [examples.SLOT]}, response_only=True)],
    )
    def get(self, request: Request, patient_id: int) -> HttpResponse:
        patient = self.patient(request, patient_id)
        found = timeline(patient.pk, *read_days(request, today_of(patient, timezone.now())))
        audit.record("read slots", [patient.pk], request.user.pk, count=len(found))
        return json_response(Timeline(found))


class ReminderSettingsView(PatientView):
    """How a patient is reminded: seen, and changed on their behalf."""

    @extend_schema(
        operation_id="patient_reminder_settings",
        responses={200: OpenApiResponse(schema_of(wishes.ShownSettings)), **problems(401, 403, 404)},
        examples=[OpenApiExample("the defaults", examples.SETTINGS, response_only=True)],
    )
    def get(self, request: Request, patient_id: int) -> HttpResponse:
        patient = self.patient(request, patient_id)
        audit.record("read reminder settings", [patient.pk], request.user.pk)
        return json_response(wishes.read_settings(patient.pk))

    @extend_schema(
        operation_id="patient_reminder_settings_change",
        request={"application/json": schema_of(wishes.ChangeSettings)},
        responses={200: OpenApiResponse(schema_of(wishes.ShownSettings)), **problems(400, 401, 403, 404)},
        examples=[
            OpenApiExample("fewer", {"weekly_cap": 7}, request_only=True),
            OpenApiExample("changed", examples.SETTINGS | {"weekly_cap": 7}, response_only=True),
        ],
    )
    def patch(self, request: Request, patient_id: int) -> HttpResponse:
        patient, changes = self.patient(request, patient_id), read_as(request, wishes.ChangeSettings)
        changed = wishes.change_settings(patient, changes, by_staff(request))
        audit.record("changed reminder settings", [patient.pk], request.user.pk)
        return json_response(changed)


class EmailView(PatientView):
    """Where a patient is mailed to."""

    @extend_schema(
        operation_id="patient_reminder_email_set",
        description="Another address, or the same one again: it is right, and is tried once more if it was refused.",
        request={"application/json": schema_of(wishes.SetEmail)},
        responses={200: OpenApiResponse(schema_of(wishes.ShownSettings)), **problems(400, 401, 403, 404, 409)},
        examples=[
            OpenApiExample("an address", examples.EMAIL, request_only=True),
            OpenApiExample("set", examples.SETTINGS, response_only=True),
        ],
    )
    def put(self, request: Request, patient_id: int) -> HttpResponse:
        patient, sent = self.patient(request, patient_id), read_as(request, wishes.SetEmail)
        shown = wishes.set_email(patient, sent.email)
        audit.record("changed e-mail", [patient.pk], request.user.pk)
        return json_response(shown)


class AbsencesView(PatientView):
    """Days on which nothing is asked: a holiday, a hospital stay."""

    @extend_schema(
        operation_id="patient_absences_list",
        responses={200: OpenApiResponse(schema_of(AbsenceList)), **problems(401, 403, 404)},
        examples=[OpenApiExample("a week", {"results": [examples.ABSENCE]}, response_only=True)],
    )
    def get(self, request: Request, patient_id: int) -> HttpResponse:
        patient = self.patient(request, patient_id)
        found = wishes.absences(patient.pk)
        audit.record("read absences", [patient.pk], request.user.pk, count=len(found))
        return json_response(AbsenceList(found))

    @extend_schema(
        operation_id="patient_absence_create",
        request={"application/json": schema_of(wishes.NewAbsence)},
        responses={201: OpenApiResponse(schema_of(wishes.ShownAbsence)), **problems(400, 401, 403, 404, 422)},
        examples=[
            OpenApiExample("a week", examples.DAYS_AWAY, request_only=True),
            OpenApiExample("noted", examples.ABSENCE, response_only=True, status_codes=["201"]),
        ],
    )
    def post(self, request: Request, patient_id: int) -> HttpResponse:
        patient, days = self.patient(request, patient_id), read_as(request, wishes.NewAbsence)

        def write() -> HttpResponse:
            noted = wishes.add_absence(patient, days, by_staff(request))
            audit.record("wrote absence", [patient.pk], request.user.pk)
            return json_response(noted, 201)

        return guarded(write)


class CancelAbsenceView(PatientView):
    """Ask on these days after all. Doing it twice changes nothing."""

    @extend_schema(
        operation_id="patient_absence_cancel",
        request=None,
        responses={200: OpenApiResponse(schema_of(wishes.ShownAbsence)), **problems(401, 403, 404)},
        examples=[OpenApiExample("cancelled", examples.ABSENCE | {"cancelled": True}, response_only=True)],
    )
    def post(self, request: Request, patient_id: int, absence_id: UUID) -> HttpResponse:
        patient = self.patient(request, patient_id)
        absence = get_object_or_404(Absence.objects.select_related("patient"), patient=patient, id=absence_id)
        cancelled = wishes.cancel_absence(absence, by_staff(request))
        audit.record("cancelled absence", [patient.pk], request.user.pk)
        return json_response(cancelled)
