from collections.abc import Iterator
from typing import Any

import hypothesis
import pytest
from django.utils import translation

# A busy machine is no failure: how long a thing may take is measured in bench/, never in a test.
hypothesis.settings.register_profile(
    "steadyback", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.load_profile("steadyback")


@pytest.fixture(autouse=True)
def _count_from_zero(settings: Any, request: pytest.FixtureRequest) -> None:
    """Throttles of one test don't see the knocks of another, in this process or the one beside it."""
    settings.CACHES = {"default": settings.CACHES["default"] | {"KEY_PREFIX": request.node.nodeid}}


@pytest.fixture(autouse=True)
def _in_english_again() -> Iterator[None]:
    """A thread speaks the language of its last request until the next; the next test may ask for nothing."""
    yield
    translation.deactivate()
