"""Exercises and home programmes, under /api/v1/."""

from django.urls import path

from exercises import api, care_api, programme_api

PRESCRIPTION = "patients/<int:patient_id>/prescriptions/<uuid:prescription_id>"

urlpatterns = [
    path("exercises", api.ExercisesView.as_view(), name="exercises"),
    path("exercises/<slug:slug>", api.ExerciseView.as_view(), name="exercise"),
    path("exercise-codes", api.CodesView.as_view(), name="exercise-codes"),
    path("prescriptions", programme_api.OwnPrescriptionsView.as_view(), name="prescriptions"),
    path(
        "patients/<int:patient_id>/prescriptions",
        programme_api.PrescriptionsView.as_view(),
        name="patient-prescriptions",
    ),
    path("patients/<int:patient_id>/prescriptions/check", programme_api.CheckView.as_view(), name="prescription-check"),
    path(PRESCRIPTION, programme_api.PrescriptionView.as_view(), name="prescription"),
    path(f"{PRESCRIPTION}/change", programme_api.ChangeView.as_view(), name="prescription-change"),
    path(f"{PRESCRIPTION}/stop", programme_api.StopView.as_view(), name="prescription-stop"),
    path(f"{PRESCRIPTION}/pause", programme_api.PauseView.as_view(), name="prescription-pause"),
    path(f"{PRESCRIPTION}/resume", programme_api.ResumeView.as_view(), name="prescription-resume"),
    path("patients/<int:patient_id>/sessions", programme_api.SessionsView.as_view(), name="patient-sessions"),
    path("preferences", care_api.OwnPreferencesView.as_view(), name="preferences"),
    path("patients/<int:patient_id>/preferences", care_api.PreferencesView.as_view(), name="patient-preferences"),
    path("patients/<int:patient_id>/conditions", care_api.ConditionsView.as_view(), name="patient-conditions"),
    path(
        "patients/<int:patient_id>/conditions/<int:condition_id>/end",
        care_api.EndConditionView.as_view(),
        name="condition-end",
    ),
    path("patients/<int:patient_id>/clearances", care_api.ClearancesView.as_view(), name="patient-clearances"),
    path("patients/<int:patient_id>/proposals", care_api.ProposalsView.as_view(), name="patient-proposals"),
    path(
        "patients/<int:patient_id>/proposals/<uuid:proposal_id>/decide",
        care_api.DecideView.as_view(),
        name="proposal-decide",
    ),
    path("patients/<int:patient_id>/adherence", care_api.AdherenceView.as_view(), name="patient-adherence"),
]
