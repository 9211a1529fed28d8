#!/usr/bin/env python
"""Run a management command."""

import os
import sys

from django.core.exceptions import ImproperlyConfigured
from django.core.management import execute_from_command_line

from backend.demo import running

if __name__ == "__main__":
    if "DATABASE_URL" not in os.environ and (demo := running()):
        os.environ.update(demo)
        print("Working on the demo that is running.", file=sys.stderr)
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "backend.settings")
    try:
        execute_from_command_line(sys.argv)
    except ImproperlyConfigured as error:
        if "settings.DATABASES" not in str(error):
            raise
        sys.exit("This command needs a database: set DATABASE_URL, or start the demo (make demo) beside it.")
