"""Settings, read from the environment; what is not said is the safe choice.

Without DATABASE_URL there is no database: the commands that need none (`score`, `trend`) run, all others say so.
"""

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

from django.utils.csp import CSP
from environs import Env

from backend.rest.logs import logging_configuration

env = Env()

BASE_DIR = Path(__file__).resolve().parent.parent

DEBUG = env.bool("DEBUG", False)
SECRET_KEY = env.str("SECRET_KEY", "")  # Django refuses an empty one at the first use.
ALLOWED_HOSTS: list[str] = env.list("ALLOWED_HOSTS", [])
CSRF_TRUSTED_ORIGINS: list[str] = env.list("CSRF_TRUSTED_ORIGINS", [])

INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.postgres",
    "allauth",
    "allauth.account",
    "allauth.headless",
    "allauth.mfa",
    "allauth.usersessions",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "backend.rest",
    "backend.people",
    "outcomes",
    "exercises",
    "backend.reminders",
    "backend.sync",
    "backend.dashboard",
]

MIDDLEWARE = [
    "backend.rest.middleware.RequestId",
    "backend.rest.logs.RequestLog",
    "backend.rest.middleware.Problems",
    "django.middleware.security.SecurityMiddleware",
    "django.middleware.csp.ContentSecurityPolicyMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "backend.people.second_factor.SecondFactorRequired",
    "backend.dashboard.language.ReadersLanguage",
    "backend.dashboard.oversize.RefuseOversize",
    "backend.dashboard.idle.IdleLock",  # which reads what is sent
]

ROOT_URLCONF = "backend.urls"
WSGI_APPLICATION = "backend.wsgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "backend" / "dashboard" / "templates"],  # before allauth's: its pages wear our clothes
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    }
]

# A server thread holds one connection while it works, so a pool smaller than the threads answers 500 under load.
WEB_THREADS = env.int("WEB_THREADS", 8)

if env.str("DATABASE_URL", ""):
    DATABASES = {"default": env.dj_db_url("DATABASE_URL")}
    DATABASES["default"].setdefault("OPTIONS", {}).update(
        # A pool that can't connect tries again ever more rarely, for minutes after the database is back. One that gives
        # up soon is asked anew by the next request.
        pool={"min_size": 1, "max_size": WEB_THREADS + 2, "timeout": 10, "reconnect_timeout": 3},
        connect_timeout=5,
        # A statement that comes again is parsed and planned once a connection; that was half of what a push cost here.
        server_side_binding=True,
        prepare_threshold=5,
        # One runaway query or forgotten transaction holds up everybody else. Seconds; 0 is no limit, for migrations.
        options=f"-c statement_timeout={env.int('STATEMENT_TIMEOUT', 30)}s -c idle_in_transaction_session_timeout=60s",
    )

REDIS_URL = env.str("REDIS_URL", "")
if REDIS_URL:
    CACHES = {"default": {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": REDIS_URL}}

AUTH_USER_MODEL = "people.User"
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
PASSWORD_HASHERS = ["django.contrib.auth.hashers.ScryptPasswordHasher"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in ("UserAttributeSimilarityValidator", "MinimumLengthValidator", "CommonPasswordValidator")
]

LANGUAGE_CODE = "en"
TIME_ZONE = "UTC"
USE_TZ = True

LOCALE_PATHS = [BASE_DIR / "backend" / "dashboard" / "locale", BASE_DIR / "backend" / "locale"]

# Nothing inline, nothing from outside. `data:` is the QR code that allauth draws for the authenticator app.
SECURE_CSP = {
    "default-src": [CSP.NONE],
    "script-src": [CSP.SELF],
    "style-src": [CSP.SELF],
    "img-src": [CSP.SELF, "data:"],
    "media-src": [CSP.SELF],
    "font-src": [CSP.SELF],
    "connect-src": [CSP.SELF],
    "form-action": [CSP.SELF],
    "frame-ancestors": [CSP.NONE],
    "base-uri": [CSP.NONE],
}

# What clinics upload, pictures and clips of exercises: served by views that ask who may see them, never by address.
STORAGES = {
    "default": {
        "BACKEND": "django.core.files.storage.FileSystemStorage",
        "OPTIONS": {"location": env.str("UPLOADS", str(BASE_DIR / ".local" / "uploads"))},
    },
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
FILE_UPLOAD_PERMISSIONS = 0o600
# Bodies are small, but for these: addresses, and how many bytes.
LARGER_BODIES = {r"(/api/v1)?/clinics/[0-9]+/(clinic/)?exercises/[^/]+/media": 52 * 1_048_576}

STATIC_URL = "static/"
WHITENOISE_USE_FINDERS = True  # served from where they lie: no collecting, nothing to forget at a release

LOGGING = logging_configuration(json=env.bool("LOG_JSON", True))

SECURE_REDIRECT_EXEMPT = ["^(healthz|readyz)$"]  # asked from within, by machines that keep the certificate elsewhere
SECURE_SSL_REDIRECT = env.bool("SECURE_SSL_REDIRECT", not DEBUG)
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if env.bool("BEHIND_TLS_PROXY", False) else None
SECURE_HSTS_SECONDS = 31_536_000
SECURE_HSTS_INCLUDE_SUBDOMAINS = True
SECURE_HSTS_PRELOAD = True
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = env.bool("SECURE_COOKIES", not DEBUG)

# Letters are about passwords, and reminders for those who can't be pushed to. By SMTP, or through a provider of
# django-anymail's such as `postmark`, with that backend's own options as JSON. A demo prints them.
DEFAULT_FROM_EMAIL = env.str("EMAIL_FROM", "steadyback@localhost")
EMAIL_PROVIDER = env.str("EMAIL_PROVIDER", "")
if env.bool("EMAIL_PRINTED", False):
    mailer: dict[str, Any] = {"BACKEND": "django.core.mail.backends.console.EmailBackend"}
elif EMAIL_PROVIDER:
    mailer = {
        "BACKEND": f"anymail.backends.{EMAIL_PROVIDER}.EmailBackend",
        "OPTIONS": {"timeout": 10, **json.loads(env.str("EMAIL_PROVIDER_OPTIONS"))},
    }
else:
    mailer = {
        "BACKEND": "django.core.mail.backends.smtp.EmailBackend",
        "OPTIONS": {
            "host": env.str("EMAIL_HOST", "localhost"),
            "port": env.int("EMAIL_PORT", 587),
            "username": env.str("EMAIL_USER", ""),
            "password": env.str("EMAIL_PASSWORD", ""),
            "use_tls": True,
            "timeout": 10,
        },
    }
MAILERS = {"default": mailer}

# Pushing to phones. A Google service account as JSON, for Firebase Cloud Messaging (which reaches iOS, too); a VAPID
# key, 32 bytes in base64url, and whom push services may write to about it. Without them those channels are off.
FCM_SERVICE_ACCOUNT: dict[str, str] = json.loads(env.str("FCM_SERVICE_ACCOUNT", "{}"))
VAPID_PRIVATE_KEY = env.str("VAPID_PRIVATE_KEY", "")
VAPID_CONTACT = env.str("VAPID_CONTACT", f"mailto:{DEFAULT_FROM_EMAIL}")

CELERY_BROKER_URL = REDIS_URL
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BEAT_SCHEDULER = "backend.celery:Scheduler"
CELERY_BEAT_MAX_LOOP_INTERVAL = 30  # seconds

REST_FRAMEWORK = {
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "backend.people.authentication.BearerAuthentication",
        "backend.people.authentication.BrowserAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["backend.rest.body.JSONParser"],
    "DEFAULT_PAGINATION_CLASS": "backend.rest.paging.KeysetPagination",
    "EXCEPTION_HANDLER": "backend.rest.problems.exception_handler",
    "TEST_REQUEST_DEFAULT_FORMAT": "json",
}

SPECTACULAR_SETTINGS = {
    "TITLE": "Steadyback",
    "VERSION": "1",
    "OAS_VERSION": "3.1.0",
    "SCHEMA_PATH_PREFIX": "/api/v1",
    "SERVE_INCLUDE_SCHEMA": False,
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "SERVE_AUTHENTICATION": [],  # everybody may read how to ask
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "backend.rest.openapi.add_components",
        "backend.people.sign_in_schema.add_sign_in",
    ],
}

# Signing in is allauth's: pages for the browser under /accounts/, the same as JSON under /api/v1/auth/.
# Nobody signs up: staff are made by an operator, patients by redeeming an invitation.
ACCOUNT_USER_DISPLAY = "backend.people.adapters.own_name"
ACCOUNT_ADAPTER = "backend.people.adapters.AccountAdapter"
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_SESSION_REMEMBER = False  # a clinic's computers are shared: closing the browser signs out
ALLAUTH_TRUSTED_PROXY_COUNT = 1 if SECURE_PROXY_SSL_HEADER else 0
MFA_ADAPTER = "backend.people.adapters.MFAAdapter"
MFA_FORMS = {
    "authenticate": "backend.people.adapters.CodeForm",
    "reauthenticate": "backend.people.adapters.CodeAgainForm",
}
MFA_TOTP_ISSUER = "Steadyback"
MFA_TOTP_TOLERANCE = 1  # a code that ran out while it was typed, or a phone some seconds off (RFC 6238, 5.2)
LOGIN_REDIRECT_URL = "/"

# A colleague's session ends after a working day; a phone's is renewed by each refresh, and dies after 90 days without.
SESSION_COOKIE_AGE = int(timedelta(hours=12).total_seconds())
HEADLESS_CLIENTS = ["app"]
HEADLESS_JWT_REFRESH_TOKEN_EXPIRES_IN = int(timedelta(days=90).total_seconds())
HEADLESS_JWT_ACCESS_TOKEN_EXPIRES_IN = int(timedelta(minutes=15).total_seconds())
# Only this server reads its tokens, so there is no public key to hand out: HS256 with SECRET_KEY.
HEADLESS_JWT_ALGORITHM = "HS256"
# Each use of a token asks whether its session still lives; without this a lost phone's token would outlive it.
HEADLESS_JWT_STATEFUL_VALIDATION_ENABLED = True
HEADLESS_TOKEN_STRATEGY = "backend.people.tokens.TokenStrategy"  # noqa: S105
