"""A pytest plugin: brings up the tests' own PostgreSQL and Redis-protocol server before Django is configured.

With DATABASE_URL and REDIS_URL set, those are used instead. pytest-xdist workers inherit the controller's; each has a
database of its own in PostgreSQL and in Redis too, or they would count each other's throttles.
"""

import atexit
import os
import tempfile
from contextlib import ExitStack
from pathlib import Path

import psycopg

from backend.local import services


def ordinary_role(superusers_url: str) -> str:
    """The URL of a role that may make databases and is no superuser, as in production: what it can't do, fails here."""
    with psycopg.connect(superusers_url, autocommit=True) as connection:
        connection.execute("CREATE ROLE steadyback LOGIN CREATEDB")
        connection.execute("CREATE DATABASE steadyback OWNER steadyback")
    return superusers_url.replace("postgres@/postgres", "steadyback@/steadyback")


os.environ.setdefault("SECURE_SSL_REDIRECT", "false")
os.environ.setdefault("SECRET_KEY", "only-for-tests-" + "x" * 50)

if not os.environ.get("DATABASE_URL") or not os.environ.get("REDIS_URL"):
    stack = ExitStack()
    atexit.register(stack.close)
    directory = Path(tempfile.mkdtemp(prefix="steadyback-tests-"))
    directory.chmod(0o755)  # root runs PostgreSQL as nobody, who must be able to enter
    urls = stack.enter_context(services(directory, durable=False))
    if not os.environ.get("DATABASE_URL"):
        urls["DATABASE_URL"] = ordinary_role(urls["DATABASE_URL"])
    os.environ.update(urls)

if worker := os.environ.get("PYTEST_XDIST_WORKER"):
    server, _, _ = os.environ["REDIS_URL"].rpartition("/")
    os.environ["REDIS_URL"] = f"{server}/{int(worker.removeprefix('gw')) + 1}"
