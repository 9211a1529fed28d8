"""Exercises and home programmes, under /api/v1/."""

from django.urls import path

from exercises import advice_api, api, care_api, media_api, own_api, programme_api, session_api, treatment_api

TREATMENT = "patients/<int:patient_id>/treatments/<uuid:treatment_id>"
PRESCRIPTION = "patients/<int:patient_id>/prescriptions/<uuid:prescription_id>"

urlpatterns = [
    path("exercises", api.ExercisesView.as_view(), name="exercises"),
    path("exercises/<slug:slug>", api.ExerciseView.as_view(), name="exercise"),
    path("exercise-codes", api.CodesView.as_view(), name="exercise-codes"),
    path("clinics/<int:clinic_id>/exercises", own_api.ClinicExercisesView.as_view(), name="clinic-exercises"),
    path("clinics/<int:clinic_id>/exercises/<slug:own>", own_api.ClinicExerciseView.as_view(), name="clinic-exercise"),
    path(
        "clinics/<int:clinic_id>/exercises/<slug:slug>/media",
        media_api.ClinicMediaView.as_view(),
        name="clinic-exercise-media",
    ),
    path(
        "clinics/<int:clinic_id>/exercises/<slug:slug>/media/<uuid:media_id>",
        media_api.ClinicMediumView.as_view(),
        name="clinic-exercise-medium",
    ),
    path("exercise-media/<str:media>", media_api.MediaView.as_view(), name="exercise-media"),
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
    path("patients/<int:patient_id>/sessions", session_api.SessionsView.as_view(), name="patient-sessions"),
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
    path("exercise-templates", advice_api.TemplatesView.as_view(), name="exercise-templates"),
    path("exercise-templates/<slug:template>", advice_api.TemplateView.as_view(), name="exercise-template"),
    path("patients/<int:patient_id>/suggestions", advice_api.SuggestionsView.as_view(), name="patient-suggestions"),
    path("patients/<int:patient_id>/treatments", treatment_api.TreatmentsView.as_view(), name="patient-treatments"),
    path(f"{TREATMENT}/end", treatment_api.EndTreatmentView.as_view(), name="treatment-end"),
    path(f"{TREATMENT}/sessions", treatment_api.GivenView.as_view(), name="treatment-sessions"),
    path(f"{TREATMENT}/slopes", treatment_api.SlopesView.as_view(), name="treatment-slopes"),
]
