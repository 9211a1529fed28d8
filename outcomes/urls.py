"""Instruments, responses and trends, under /api/v1/."""

from django.urls import path

from outcomes import alert_api, api, baseline_api, export_api, instrument_api

urlpatterns = [
    path("instruments", instrument_api.InstrumentsView.as_view(), name="instruments"),
    path("instruments/<slug:code>", instrument_api.InstrumentView.as_view(), name="instrument"),
    path("clinics/<int:clinic_id>/instrument-texts", instrument_api.PacksView.as_view(), name="instrument-texts"),
    path(
        "clinics/<int:clinic_id>/instrument-texts/<int:pack_id>",
        instrument_api.PackView.as_view(),
        name="instrument-text",
    ),
    path("clinics/<int:clinic_id>/instrument-choices", instrument_api.ChoicesView.as_view(), name="instrument-choices"),
    path(
        "clinics/<int:clinic_id>/instrument-choices/<slug:code>",
        instrument_api.ChoiceView.as_view(),
        name="instrument-choice",
    ),
    path("clinics/<int:clinic_id>/exports", export_api.ClinicExportsView.as_view(), name="clinic-exports"),
    path("clinics/<int:clinic_id>/exports/<str:file>", export_api.ClinicExportView.as_view(), name="clinic-export"),
    path("patients/<int:patient_id>/exports", export_api.PatientExportsView.as_view(), name="patient-exports"),
    path("patients/<int:patient_id>/exports/<str:file>", export_api.PatientExportView.as_view(), name="patient-export"),
    path("trends", api.TrendsView.as_view(), name="trends"),
    path("patients/<int:patient_id>/responses", api.PatientResponsesView.as_view(), name="patient-responses"),
    path("patients/<int:patient_id>/trends", api.PatientTrendsView.as_view(), name="patient-trends"),
    path("patients/<int:patient_id>/baselines", baseline_api.BaselinesView.as_view(), name="patient-baselines"),
    path("alerts", alert_api.AlertsView.as_view(), name="alerts"),
    path("alerts/<int:alert_id>", alert_api.AlertView.as_view(), name="alert"),
    path("alerts/<int:alert_id>/events", alert_api.AlertEventsView.as_view(), name="alert-events"),
    path("clinics/<int:clinic_id>/alert-rules", alert_api.AlertRulesView.as_view(), name="alert-rules"),
    path("clinics/<int:clinic_id>/alert-rules/<slug:rule_code>", alert_api.AlertRuleView.as_view(), name="alert-rule"),
]
