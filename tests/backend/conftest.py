import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest


@pytest.fixture
def directory() -> Iterator[Path]:
    """A folder that `nobody` may enter; pytest's own may not be."""
    path = Path(tempfile.mkdtemp(prefix="steadyback-local-"))
    path.chmod(0o755)
    yield path
    shutil.rmtree(path, ignore_errors=True)


def soon(happens: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + 20
    while not happens() and time.monotonic() < deadline:
        time.sleep(0.05)
    return happens()
