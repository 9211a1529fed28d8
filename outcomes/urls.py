"""Instruments, responses and trends, under /api/v1/."""

from django.urls import path

from outcomes import api

urlpatterns = [
    path("instruments", api.InstrumentsView.as_view(), name="instruments"),
    path("instruments/<slug:code>", api.InstrumentView.as_view(), name="instrument"),
    path("trends", api.TrendsView.as_view(), name="trends"),
    path("patients/<int:patient_id>/responses", api.PatientResponsesView.as_view(), name="patient-responses"),
    path("patients/<int:patient_id>/trends", api.PatientTrendsView.as_view(), name="patient-trends"),
]
