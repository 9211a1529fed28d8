"""What a patient is asked for, under /api/v1/."""

from django.urls import path

from backend.reminders.api import AgendaView

urlpatterns = [path("agenda", AgendaView.as_view(), name="agenda")]
