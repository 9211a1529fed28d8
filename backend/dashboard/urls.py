"""The clinicians' pages. No address holds a name or a value: names are searched for by POST, rows have numbers."""

from django.urls import include, path

from backend.dashboard.views import account, alerts, being_told, panel, refused, unsent

app_name = "dashboard"

urlpatterns = [
    path("", panel.home, name="home"),
    path("me/language/", account.language, name="language"),
    path("me/calls/", being_told.calls, name="calls"),
    path("me/calls/worker.js", being_told.worker, name="calls_worker"),
    path("me/idle", unsent.idle, name="idle"),
    path("me/unsent/", unsent.unsent, name="unsent"),
    path("me/unsent/send", unsent.send, name="send_unsent"),
    path("me/unsent/leave", unsent.leave, name="leave_unsent"),
    path("me/sign-out-everywhere", account.sign_out_everywhere, name="sign_out_everywhere"),
    path("clinics/<int:clinic_id>/", panel.patients, name="panel"),
    path("clinics/<int:clinic_id>/clinic/", include("backend.dashboard.clinic_urls")),
    path("clinics/<int:clinic_id>/patients.csv", panel.table, name="panel_table"),
    path("clinics/<int:clinic_id>/views", panel.save_view, name="save_view"),
    path("clinics/<int:clinic_id>/views/<int:view_id>/delete", panel.delete_view, name="delete_view"),
    path("clinics/<int:clinic_id>/alerts/", alerts.work_list, name="alerts"),
    path("clinics/<int:clinic_id>/alerts/<int:alert_id>/step", alerts.step, name="alert_step"),
    path("patients/<int:patient_id>/", include("backend.dashboard.patient_urls")),
    path("clinics/<int:clinic_id>/quarantine/", refused.quarantine, name="quarantine"),
    path(
        "clinics/<int:clinic_id>/quarantine/<int:patient_id>/<uuid:item_id>", refused.handle, name="quarantine_handle"
    ),
]
