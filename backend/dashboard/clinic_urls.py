"""Below /clinics/<clinic>/clinic/: the pages about the clinic as a whole."""

from django.urls import path

from backend.dashboard.views import (
    clinic,
    clinic_patients,
    clinic_rota,
    clinic_staff,
    clinic_texts,
    clinic_thresholds,
    exports,
    figures,
    instruments,
    plans,
    review,
)

urlpatterns = [
    path("", clinic.hub, name="clinic"),
    path("patients/", clinic_patients.patients, name="clinic_patients"),
    path("patients/new", clinic_patients.add, name="add_patient"),
    path("staff/", clinic_staff.staff, name="clinic_staff"),
    path("staff/<int:member_id>/role", clinic_staff.role, name="change_role"),
    path("staff/<int:member_id>/letter", clinic_staff.letter, name="send_letter"),
    path("staff/<int:member_id>/remove", clinic_staff.remove, name="remove_member"),
    path("rota/", clinic_rota.rota, name="clinic_rota"),
    path("rota/hours", clinic_rota.hours, name="set_hours"),
    path("rota/holidays", clinic_rota.holiday, name="set_holiday"),
    path("rota/chain", clinic_rota.chain, name="set_chain"),
    path("rota/fallback", clinic_rota.fallback, name="set_fallback"),
    path("thresholds/", clinic_thresholds.thresholds, name="clinic_thresholds"),
    path("thresholds/<slug:rule_code>", clinic_thresholds.change, name="set_thresholds"),
    path("texts/", clinic_texts.texts, name="clinic_texts"),
    path("texts/<slug:kind>/<slug:language>/", clinic_texts.text, name="clinic_text"),
    path("settings/", clinic.settings, name="clinic_settings"),
    path("teams/", clinic_staff.teams, name="clinic_teams"),
    path("teams/<int:team_id>", clinic_staff.team, name="change_team"),
    path("instruments/", instruments.instruments, name="instruments"),
    path("instruments/<slug:code>/", instruments.instrument, name="instrument"),
    path("instruments/<slug:code>/text", instruments.load_text, name="load_text"),
    path("instruments/<slug:code>/text/<int:pack_id>/remove", instruments.remove_text, name="remove_text"),
    path("instruments/<slug:code>/reading", instruments.reading, name="instrument_reading"),
    path("review/", review.review, name="review"),
    path("review/decide", review.decide, name="review_decide"),
    path("doing/", figures.doing, name="doing"),
    path("plans/", plans.plans, name="plans"),
    path("exports/", exports.exports, name="exports"),
]
