"""The phone's door, under /api/v1/."""

from django.urls import path

from backend.sync.api import ResponsesView, SyncView

urlpatterns = [
    path("sync", SyncView.as_view(), name="sync"),
    path("responses/", ResponsesView.as_view(), name="responses"),
]
