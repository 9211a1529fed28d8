"""How often this connection has run each prepared statement by one plan for all, and by one made for the occasion."""

from django.db import connection


def plans() -> dict[str, tuple[int, int]]:
    """By name. Other tests have used the connection before: what counts is by how much these grow."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT name, generic_plans, custom_plans FROM pg_prepared_statements")
        return {name: (generic, custom) for name, generic, custom in cursor.fetchall()}


def grown(before: dict[str, tuple[int, int]]) -> dict[str, tuple[int, int]]:
    """By how much since, in the same order."""
    return {
        name: (generic - before.get(name, (0, 0))[0], custom - before.get(name, (0, 0))[1])
        for name, (generic, custom) in plans().items()
    }
