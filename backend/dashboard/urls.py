"""The clinicians' pages. No address holds a name or a value: names are searched for by POST, rows have numbers."""

from django.urls import include, path

from backend.dashboard.views import alerts, clinic_patients, editing, notes, panel, patient, phone, programme, refused

app_name = "dashboard"

PRESCRIPTION = "patients/<int:patient_id>/programme/<uuid:prescription_id>"

urlpatterns = [
    path("", panel.home, name="home"),
    path("clinics/<int:clinic_id>/", panel.patients, name="panel"),
    path("clinics/<int:clinic_id>/clinic/", include("backend.dashboard.clinic_urls")),
    path("clinics/<int:clinic_id>/patients.csv", panel.table, name="panel_table"),
    path("clinics/<int:clinic_id>/views", panel.save_view, name="save_view"),
    path("clinics/<int:clinic_id>/views/<int:view_id>/delete", panel.delete_view, name="delete_view"),
    path("clinics/<int:clinic_id>/alerts/", alerts.work_list, name="alerts"),
    path("clinics/<int:clinic_id>/alerts/<int:alert_id>/step", alerts.step, name="alert_step"),
    path("patients/<int:patient_id>/", patient.overview, name="patient"),
    path("patients/<int:patient_id>/series", patient.series, name="series"),
    path("patients/<int:patient_id>/answers/", patient.answers, name="answers"),
    path("patients/<int:patient_id>/programme/", programme.programme, name="programme"),
    path("patients/<int:patient_id>/programme/start", editing.start, name="programme_start"),
    path("patients/<int:patient_id>/programme/new", editing.new, name="programme_new"),
    path(f"{PRESCRIPTION}/change", editing.change, name="programme_change"),
    path(f"{PRESCRIPTION}/pause", programme.pause, name="programme_pause"),
    path(f"{PRESCRIPTION}/resume", programme.resume, name="programme_resume"),
    path(f"{PRESCRIPTION}/stop", programme.stop, name="programme_stop"),
    path(
        "patients/<int:patient_id>/proposals/<uuid:proposal_id>/decide",
        programme.decide_proposal,
        name="proposal_decide",
    ),
    path("patients/<int:patient_id>/notes/", notes.notes, name="notes"),
    path("patients/<int:patient_id>/phone/", phone.phone, name="phone"),
    path("patients/<int:patient_id>/phone/code", phone.make_code, name="make_code"),
    path("patients/<int:patient_id>/phone/lost", phone.phone_lost, name="phone_lost"),
    path("patients/<int:patient_id>/manage/", clinic_patients.manage, name="manage"),
    path("patients/<int:patient_id>/manage/status", clinic_patients.status, name="change_status"),
    path("patients/<int:patient_id>/manage/erase", clinic_patients.erasure, name="erase"),
    path("patients/<int:patient_id>/record/", patient.record, name="record"),
    path("clinics/<int:clinic_id>/quarantine/", refused.quarantine, name="quarantine"),
    path(
        "clinics/<int:clinic_id>/quarantine/<int:patient_id>/<uuid:item_id>", refused.handle, name="quarantine_handle"
    ),
]
