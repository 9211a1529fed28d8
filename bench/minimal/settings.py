"""Ours, with the views that it is compared with beside: the same server, middleware, pool and database."""

from backend.settings import *  # noqa: F403
from backend.settings import INSTALLED_APPS as OURS

INSTALLED_APPS = [*OURS, "rest_framework.authtoken", "bench.minimal"]
ROOT_URLCONF = "bench.minimal.urls"
HEADLESS_JWT_ACCESS_TOKEN_EXPIRES_IN = 86_400  # no phone of a long run stops to refresh its token
