from concurrent.futures import ThreadPoolExecutor
from uuid import uuid4

from django.core.cache import cache
from rest_framework.exceptions import Throttled

from backend.rest.throttles import knock


def let_in(who: str) -> bool:
    try:
        knock("test", who, most=5, seconds=3600)
    except Throttled:
        return False
    return True


def test_the_sixth_of_five_is_turned_away() -> None:
    who = str(uuid4())
    assert [let_in(who) for _ in range(7)] == [True] * 5 + [False] * 2


def test_each_is_counted_alone() -> None:
    assert all(let_in(str(uuid4())) for _ in range(6))


def test_a_burst_does_not_slip_through() -> None:
    who = str(uuid4())
    with ThreadPoolExecutor(16) as pool:
        assert sum(pool.map(lambda _: let_in(who), range(64))) == 5


def test_who_knocks_is_not_readable_in_the_cache() -> None:
    who = str(uuid4())
    knock("test", who, most=5, seconds=3600)
    assert not cache._cache.get_client().keys(f"*{who}*")  # type: ignore[attr-defined]
