"""Every address the server answers."""

from allauth.account.decorators import secure_admin_login
from django.contrib import admin
from django.urls import URLPattern, URLResolver, include, path
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView

from backend.rest.health import healthz, readyz

admin.autodiscover()
admin.site.login = secure_admin_login(admin.site.login)  # type: ignore[method-assign]

urlpatterns: list[URLPattern | URLResolver] = [
    path("api/v1/", include("backend.sync.urls")),  # first, as nearly all requests are a phone's
    path("healthz", healthz, name="healthz"),
    path("readyz", readyz, name="readyz"),
    path("api/v1/schema", SpectacularAPIView.as_view(), name="schema"),
    # The split view loads its script from an address of ours, so a content security policy can forbid inline ones.
    path("api/docs/", SpectacularSwaggerSplitView.as_view(url_name="schema"), name="docs"),
    path("api/v1/", include("backend.people.urls")),
    path("api/v1/", include("outcomes.urls")),
    path("api/v1/", include("exercises.urls")),
    path("api/v1/", include("backend.reminders.urls")),
    path("accounts/", include("allauth.urls")),
    path("admin/", admin.site.urls),
    path("", include("backend.dashboard.urls")),
]
