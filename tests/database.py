"""The database that a test works on, for programs that it starts."""

import os
from urllib.parse import urlsplit

from django.db import connection


def database_url() -> str:
    """As the database itself says where we are."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_database()")
        (name,) = cursor.fetchone()
    return urlsplit(os.environ["DATABASE_URL"])._replace(path=f"/{name}").geturl()
