"""One state of the database for everything that is read in it, however long that takes to leave."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from django.db import connection, transaction

# A state that is held keeps old rows from being cleared away, so a reader who stalls loses it sooner than a slow one.
STALLED, LONGEST = "5min", "1h"


@contextmanager
def one_state() -> Iterator[None]:
    """What is read within is of one moment, and nothing is written. Within a transaction, it is that one's state."""
    if connection.in_atomic_block:
        yield
        return
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
            cursor.execute(f"SET LOCAL idle_in_transaction_session_timeout = '{STALLED}'")
            cursor.execute(f"SET LOCAL transaction_timeout = '{LONGEST}'")
            cursor.execute("SELECT")  # the moment is that of the first query
        yield


def of_one_state(lines: Iterable[bytes]) -> Iterator[bytes]:
    """The lines, as the database was when the first of them was read. Closing it ends the transaction."""
    with one_state():
        yield from lines
