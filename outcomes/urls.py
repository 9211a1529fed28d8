"""Instruments, responses and trends, under /api/v1/."""

from django.urls import path

from outcomes import alert_api, api

urlpatterns = [
    path("instruments", api.InstrumentsView.as_view(), name="instruments"),
    path("instruments/<slug:code>", api.InstrumentView.as_view(), name="instrument"),
    path("trends", api.TrendsView.as_view(), name="trends"),
    path("patients/<int:patient_id>/responses", api.PatientResponsesView.as_view(), name="patient-responses"),
    path("patients/<int:patient_id>/trends", api.PatientTrendsView.as_view(), name="patient-trends"),
    path("alerts", alert_api.AlertsView.as_view(), name="alerts"),
    path("alerts/<int:alert_id>", alert_api.AlertView.as_view(), name="alert"),
    path("alerts/<int:alert_id>/events", alert_api.AlertEventsView.as_view(), name="alert-events"),
    path("clinics/<int:clinic_id>/alert-rules", alert_api.AlertRulesView.as_view(), name="alert-rules"),
    path("clinics/<int:clinic_id>/alert-rules/<slug:rule_code>", alert_api.AlertRuleView.as_view(), name="alert-rule"),
]
