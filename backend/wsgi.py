"""The WSGI entry point. What all requests share is loaded here, before threads ask for it all at once."""

import os
from importlib import import_module

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "backend.settings")

application = get_wsgi_application()


def prepare() -> None:
    from django.conf import settings

    from backend.rest.structs import prepare_structs
    from outcomes import library

    import_module(settings.ROOT_URLCONF)
    library.newest()
    prepare_structs()


prepare()
