from typing import Any

import pytest


@pytest.fixture(autouse=True)
def _count_from_zero(settings: Any, request: pytest.FixtureRequest) -> None:
    """Throttles of one test don't see the knocks of another, in this process or the one beside it."""
    settings.CACHES = {"default": settings.CACHES["default"] | {"KEY_PREFIX": request.node.nodeid}}
