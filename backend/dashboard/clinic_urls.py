"""Below /clinics/<clinic>/clinic/: the pages about the clinic as a whole."""

from django.urls import path

from backend.dashboard.views import clinic, clinic_patients

urlpatterns = [
    path("", clinic.hub, name="clinic"),
    path("patients/", clinic_patients.patients, name="clinic_patients"),
    path("patients/new", clinic_patients.add, name="add_patient"),
]
