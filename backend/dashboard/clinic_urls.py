"""Below /clinics/<clinic>/clinic/: the pages about the clinic as a whole."""

from django.urls import path

from backend.dashboard.views import clinic, clinic_patients, clinic_staff

urlpatterns = [
    path("", clinic.hub, name="clinic"),
    path("patients/", clinic_patients.patients, name="clinic_patients"),
    path("patients/new", clinic_patients.add, name="add_patient"),
    path("staff/", clinic_staff.staff, name="clinic_staff"),
    path("staff/<int:member_id>/role", clinic_staff.role, name="change_role"),
    path("staff/<int:member_id>/letter", clinic_staff.letter, name="send_letter"),
    path("staff/<int:member_id>/remove", clinic_staff.remove, name="remove_member"),
    path("teams/", clinic_staff.teams, name="clinic_teams"),
    path("teams/<int:team_id>", clinic_staff.team, name="change_team"),
]
