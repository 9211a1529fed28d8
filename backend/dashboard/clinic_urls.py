"""Below /clinics/<clinic>/clinic/: the pages about the clinic as a whole."""

from django.urls import path

from backend.dashboard.views import clinic

urlpatterns = [
    path("", clinic.hub, name="clinic"),
]
