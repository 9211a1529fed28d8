"""Signing in, enrolment, the patient's own things, and the staff's side of people; all under /api/v1/."""

from django.urls import include, path

from backend.people import api, clinic_api, hours_api, rights_api, staff_api, transfer_api

urlpatterns = [
    path("auth/", include("backend.people.signing_in")),
    path("invitation", api.InvitationView.as_view(), name="invitation"),
    path("enrol", api.EnrolView.as_view(), name="enrol"),
    path("relink", api.RelinkView.as_view(), name="relink"),
    path("me", api.MeView.as_view(), name="me"),
    path("me/devices/<uuid:device_id>", api.MyDeviceView.as_view(), name="my-device"),
    path("me/consent", api.MyConsentView.as_view(), name="my-consent"),
    path("me/export", rights_api.MyCopyView.as_view(), name="my-copy"),
    path("me/transfer", transfer_api.MyTransferView.as_view(), name="my-transfer"),
    path("me/consent/withdraw", api.WithdrawView.as_view(), name="withdraw"),
    path("patients", staff_api.PatientsView.as_view(), name="patients"),
    path("patients/<int:patient_id>", staff_api.PatientView.as_view(), name="patient"),
    path("patients/<int:patient_id>/invitation", staff_api.InviteView.as_view(), name="invite"),
    path("patients/<int:patient_id>/relink", staff_api.StaffRelinkView.as_view(), name="invite-again"),
    path("patients/<int:patient_id>/devices", staff_api.DevicesView.as_view(), name="devices"),
    path("patients/<int:patient_id>/devices/<uuid:device_id>", staff_api.DeviceView.as_view(), name="device"),
    path("patients/<int:patient_id>/export", rights_api.PatientCopyView.as_view(), name="patient-copy"),
    path("patients/<int:patient_id>/erasure", rights_api.ErasureView.as_view(), name="erasure"),
    path("care-teams", clinic_api.TeamsView.as_view(), name="care-teams"),
    path("care-teams/<int:team_id>", clinic_api.TeamView.as_view(), name="care-team"),
    path("members", clinic_api.MembersView.as_view(), name="members"),
    path("clinics", clinic_api.ClinicsView.as_view(), name="clinics"),
    path("clinics/<int:clinic_id>/texts", clinic_api.TextsView.as_view(), name="clinic-texts"),
    path("clinics/<int:clinic_id>/on-call", clinic_api.OnCallView.as_view(), name="on-call"),
    path("clinics/<int:clinic_id>/hours", hours_api.ClinicHoursView.as_view(), name="clinic-hours"),
]
