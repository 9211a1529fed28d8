"""Alive and ready."""

import pytest
from django.core.cache import cache
from django.db import connection
from django.test import Client
from pytest_django.fixtures import Settings

from backend.rest import health


@pytest.fixture(autouse=True)
def nothing_remembered() -> None:
    cache.delete_many([health.WORKER, health.ALERTS])
    health.migrations.cache_clear()


def test_alive_needs_neither_database_nor_https(client: Client) -> None:
    response = client.get("/healthz")
    assert (response.status_code, response.content) == (200, b"ok\n")


@pytest.mark.django_db
def test_ready_when_all_is_there(client: Client) -> None:
    health.worker_is_alive()
    health.alerts_are_watched()
    response = client.get("/readyz")
    assert response.status_code == 200
    assert set(response.json().values()) == {True}
    assert set(response.json()) == {"database", "migrations", "broker", "worker", "alerts"}
    assert "no-store" in response["Cache-Control"]


@pytest.mark.django_db
def test_not_ready_while_no_worker_speaks_up(client: Client) -> None:
    response = client.get("/readyz")
    assert response.status_code == 503
    assert response.json()["worker"] is False


@pytest.mark.django_db
def test_the_operator_is_alarmed_when_nobody_watches_the_clocks_of_alerts(
    client: Client, caplog: pytest.LogCaptureFixture
) -> None:
    health.worker_is_alive()
    response = client.get("/readyz")
    assert (response.status_code, response.json()["alerts"]) == (503, False)
    assert [record.levelname for record in caplog.records if "clocks of alerts" in record.message] == ["ERROR"]


@pytest.mark.django_db
def test_not_ready_while_a_migration_is_missing(client: Client) -> None:
    health.worker_is_alive()
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM django_migrations WHERE app = 'sessions'")
    response = client.get("/readyz")
    assert (response.status_code, response.json()["migrations"]) == (503, False)


@pytest.mark.django_db
def test_not_ready_while_the_broker_is_away(client: Client, settings: Settings) -> None:
    health.worker_is_alive()
    settings.CELERY_BROKER_URL = "redis://127.0.0.1:1/0"
    response = client.get("/readyz")
    assert (response.status_code, response.json()["broker"]) == (503, False)


def test_not_ready_without_a_database(client: Client) -> None:
    response = client.get("/readyz")  # this test may not use one
    assert (response.status_code, response.json()["database"]) == (503, False)
