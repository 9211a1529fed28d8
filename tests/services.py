"""A pytest plugin: brings up the tests' own PostgreSQL and Redis-protocol server before Django is configured.

With DATABASE_URL and REDIS_URL set, those are used instead. pytest-xdist workers inherit the controller's.
"""

import atexit
import os
import tempfile
from contextlib import ExitStack
from pathlib import Path

from backend.local import services

os.environ.setdefault("SECURE_SSL_REDIRECT", "false")
os.environ.setdefault("SECRET_KEY", "only-for-tests-" + "x" * 50)

if "DATABASE_URL" not in os.environ or "REDIS_URL" not in os.environ:
    stack = ExitStack()
    atexit.register(stack.close)
    directory = stack.enter_context(tempfile.TemporaryDirectory(prefix="steadyback-tests-"))
    for name, value in stack.enter_context(services(Path(directory), durable=False)).items():
        os.environ.setdefault(name, value)
