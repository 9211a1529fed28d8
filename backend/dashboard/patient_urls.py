"""Below /patients/<patient>/: the pages about one patient."""

from django.urls import path

from backend.dashboard.views import (
    background,
    baseline,
    clinic_patients,
    editing,
    notes,
    patient,
    phone,
    programme,
    reminders,
    transfers,
    treatments,
)

PRESCRIPTION = "programme/<uuid:prescription_id>"

urlpatterns = [
    path("", patient.overview, name="patient"),
    path("series", patient.series, name="series"),
    path("visit.pdf", patient.visit, name="visit"),
    path("baseline/<str:measure_code>", baseline.baseline, name="baseline"),
    path("programme/", programme.programme, name="programme"),
    path("programme/start", editing.start, name="programme_start"),
    path("programme/new", editing.new, name="programme_new"),
    path(f"{PRESCRIPTION}/change", editing.change, name="programme_change"),
    path(f"{PRESCRIPTION}/pause", programme.pause, name="programme_pause"),
    path(f"{PRESCRIPTION}/resume", programme.resume, name="programme_resume"),
    path(f"{PRESCRIPTION}/stop", programme.stop, name="programme_stop"),
    path("proposals/<uuid:proposal_id>/decide", programme.decide_proposal, name="proposal_decide"),
    path("answers/", patient.answers, name="answers"),
    path("background/", background.background, name="background"),
    path("background/conditions/<int:condition_id>/over", background.condition_over, name="condition_over"),
    path("background/treatments/new/<slug:treatment_kind>", treatments.new, name="treatment_new"),
    path("background/treatments/<uuid:treatment_id>/", treatments.treatment, name="treatment"),
    path("notes/", notes.notes, name="notes"),
    path("reminders/", reminders.reminders, name="reminders"),
    path("reminders/schedules/new", reminders.schedule_new, name="schedule_new"),
    path("reminders/schedules/<uuid:schedule_id>/change", reminders.schedule_change, name="schedule_change"),
    path("reminders/schedules/<uuid:schedule_id>/end", reminders.end, name="schedule_end"),
    path("reminders/away/<uuid:absence_id>/back", reminders.back, name="absence_back"),
    path("phone/", phone.phone, name="phone"),
    path("phone/code", phone.make_code, name="make_code"),
    path("phone/lost", phone.phone_lost, name="phone_lost"),
    path("manage/", clinic_patients.manage, name="manage"),
    path("manage/status", clinic_patients.status, name="change_status"),
    path("manage/transfer", transfers.transfer, name="transfer"),
    path("manage/erase", clinic_patients.erasure, name="erase"),
    path("record/", patient.record, name="record"),
]
