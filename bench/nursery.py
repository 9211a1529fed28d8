"""Starts the product's programs, and each again that dies, as an orchestrator would: for runs that kill them.

    python -m bench.nursery DIRECTORY web:PORT worker-1 worker-2 beat-1

They are forked from one process that has imported everything and is connected to nothing, so a new one is there at
once. `DIRECTORY/<name>.pid` says who it is at the moment.
"""

from __future__ import annotations

import os
import sys
import time
from importlib import import_module
from pathlib import Path
from typing import Any

PAUSE = 0.1  # seconds before a dead one is started again


def main(directory: Path, names: list[str]) -> None:
    import_everything()

    alive: dict[int, str] = {}
    for name in names:
        alive[start(directory, name)] = name
    while True:
        dead, _ = os.wait()
        time.sleep(PAUSE)
        name = alive.pop(dead)
        alive[start(directory, name)] = name


NEEDED = ("celery.apps.beat", "celery.apps.worker", "celery.bin.celery", "granian.cli", "kombu.transport.redis")


def import_everything() -> None:
    """Before anybody forks: a program that starts would take seconds to."""
    import django
    from django.db import connections
    from django.urls import get_resolver

    for name in NEEDED:
        import_module(name)
    django.setup()
    from bench.hurried import app

    app.loader.import_default_modules()
    assert get_resolver().url_patterns  # with them come all views
    connection: Any = connections["default"]
    connection.close()  # Celery has let Django check its models, which asks the database for its version
    connection.close_pool()


def start(directory: Path, name: str) -> int:
    child = os.fork()
    if not child:
        try:
            live(directory, name)
        finally:
            os._exit(1)
    kind = name.partition(":")[0]
    unfinished = directory / f"{kind}.pid-unfinished"
    unfinished.write_text(str(child))
    unfinished.rename(directory / f"{kind}.pid")
    return child


def live(directory: Path, name: str) -> None:
    """What the demo runs, in the same words."""
    from bench.hurried import app

    kind, _, port = name.partition(":")
    if kind == "web":
        sys.argv = ["granian", "backend.wsgi:application", "--interface", "wsgi", "--port", port]
        sys.argv += ["--blocking-threads", "4", "--log-level", "error"]
        import_module("granian.cli").entrypoint()
    if kind.startswith("worker"):
        app.start(["-q", "worker", "--concurrency", "2", "--without-mingle", "--hostname", f"{kind}@%h"])
    app.start(["-q", "beat", "--pidfile="])


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:])
