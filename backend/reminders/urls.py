"""What a patient is asked for, under /api/v1/."""

from django.urls import path

from backend.reminders import api, clinic_api, colleague_api, staff_api

PATIENT = "patients/<int:patient_id>"

urlpatterns = [
    path("agenda", api.AgendaView.as_view(), name="agenda"),
    path("reminder-settings", api.OwnSettingsView.as_view(), name="reminder-settings"),
    path("reminder-settings/email", api.OwnEmailView.as_view(), name="reminder-email"),
    path("call-settings", colleague_api.CallSettingsView.as_view(), name="call-settings"),
    path("call-settings/browsers", colleague_api.BrowsersView.as_view(), name="call-browsers"),
    path("call-settings/browsers/<int:browser_id>", colleague_api.BrowserView.as_view(), name="call-browser"),
    path("clinics/<int:clinic_id>/follow-ups", clinic_api.FollowUpsView.as_view(), name="clinic-follow-ups"),
    path(f"{PATIENT}/schedules", staff_api.SchedulesView.as_view(), name="patient-schedules"),
    path(f"{PATIENT}/schedules/offers", staff_api.OffersView.as_view(), name="patient-schedule-offers"),
    path(f"{PATIENT}/schedules/plan", staff_api.PlanView.as_view(), name="patient-schedule-plan"),
    path(
        f"{PATIENT}/schedules/<uuid:schedule_id>/change",
        staff_api.ChangeScheduleView.as_view(),
        name="patient-schedule-change",
    ),
    path(
        f"{PATIENT}/schedules/<uuid:schedule_id>/end", staff_api.EndScheduleView.as_view(), name="patient-schedule-end"
    ),
    path(f"{PATIENT}/slots", staff_api.SlotsView.as_view(), name="patient-slots"),
    path(f"{PATIENT}/reminder-settings", staff_api.ReminderSettingsView.as_view(), name="patient-reminder-settings"),
    path(f"{PATIENT}/reminder-settings/email", staff_api.EmailView.as_view(), name="patient-reminder-email"),
    path(f"{PATIENT}/absences", staff_api.AbsencesView.as_view(), name="patient-absences"),
    path(
        f"{PATIENT}/absences/<uuid:absence_id>/cancel",
        staff_api.CancelAbsenceView.as_view(),
        name="patient-absence-cancel",
    ),
]
