"""The clinicians' pages. No address holds a name or a value: names are searched for by POST, rows have numbers."""

from django.urls import path

from backend.dashboard.views import panel, patient

app_name = "dashboard"

urlpatterns = [
    path("", panel.home, name="home"),
    path("clinics/<int:clinic_id>/", panel.patients, name="panel"),
    path("patients/<int:patient_id>/", patient.overview, name="patient"),
]
