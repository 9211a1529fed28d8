import pytest
from django.test import Client

pytestmark = pytest.mark.urls("tests.backend.rest.views")


def test_an_unchanged_thing_is_not_sent_again() -> None:
    first = Client().get("/api/tagged")
    assert first.json() == {"code": "phq-9"}
    again = Client().get("/api/tagged", headers={"if-none-match": first["ETag"]})
    assert (again.status_code, again.content, again["ETag"]) == (304, b"", first["ETag"])


def test_a_changed_thing_is_sent() -> None:
    assert Client().get("/api/tagged", headers={"if-none-match": '"older"'}).status_code == 200


def test_nothing_in_between_keeps_it() -> None:
    assert Client().get("/api/tagged")["Cache-Control"] == "private, no-cache"
