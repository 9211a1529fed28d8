from django.urls import path

from backend.urls import urlpatterns as ours
from bench.minimal.views import AnswerView, NothingView, YearView

urlpatterns = [
    path("minimal/answers", AnswerView.as_view()),
    path("minimal/year", YearView.as_view()),
    path("minimal/nothing", NothingView.as_view()),
    *ours,
]
