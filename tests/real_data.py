"""Files of real people's answers, kept outside the project: tests that need one are skipped where it is absent."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

PROJECT = Path(__file__).parent.parent
PLACES = (os.environ.get("STEADYBACK_REAL_DATA"), PROJECT / "../shared/data", PROJECT / "../../shared/data")


def real_file(name: str) -> Path:
    """The file, or the end of the test with the reason said."""
    for place in PLACES:
        if place and (path := Path(place) / name).exists():
            return path.resolve()
    pytest.skip(f"{name} is not in $STEADYBACK_REAL_DATA, ../shared/data or ../../shared/data")
