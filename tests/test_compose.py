"""The production layout: valid, healthy by its own account, and closed by default."""

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from django.conf import settings
from django.core.cache import cache
from pytest_django.fixtures import Settings

from backend.rest import health

ROOT = Path(settings.BASE_DIR)
FILE = ROOT / "docker-compose.yml"
OURS = ["web", "worker", "beat", "migrate"]


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    return dict(yaml.safe_load(FILE.read_text()))


def test_it_is_valid_against_the_compose_specification() -> None:
    check = Path(sys.executable).parent / "check-jsonschema"
    result = subprocess.run([check, "--builtin-schema", "vendor.compose-spec", FILE], capture_output=True, text=True)
    assert result.returncode == 0, result.stdout


def test_the_parts_are_there_in_the_versions_we_test_with(compose: dict[str, Any]) -> None:
    assert set(compose["services"]) == {*OURS, "database", "broker"}
    assert compose["services"]["database"]["image"] == "postgres:18"
    assert compose["services"]["broker"]["image"] == "redis:8"


@pytest.mark.parametrize("name", ["web", "worker", "beat", "database", "broker"])
def test_whatever_stays_up_says_whether_it_is_well(compose: dict[str, Any], name: str) -> None:
    assert compose["services"][name]["healthcheck"]["test"]


def test_data_live_in_named_volumes(compose: dict[str, Any]) -> None:
    used = {volume.split(":")[0] for service in compose["services"].values() for volume in service.get("volumes", [])}
    assert used == set(compose["volumes"]) == {"database", "broker", "uploads"}


def test_no_secret_has_a_default() -> None:
    named = re.findall(r"\$\{(\w*(?:PASSWORD|SECRET|KEY)\w*)([^}]*)\}", FILE.read_text())
    databases = {"POSTGRES_PASSWORD", "POSTGRES_SUPERUSER_PASSWORD"}
    assert {name for name, _ in named} == databases | {"REDIS_PASSWORD", "SECRET_KEY", "EMAIL_PASSWORD"}
    for name, rest in named:
        # A mail server may want no password; without the others nothing starts, and the message says what is missing.
        assert rest.startswith(":?") or (name, rest) == ("EMAIL_PASSWORD", ":-"), name
    assert "POSTGRES_HOST_AUTH_METHOD" not in FILE.read_text()


@pytest.mark.parametrize("name", OURS)
def test_ours_run_read_only_and_without_privileges(compose: dict[str, Any], name: str) -> None:
    service = compose["services"][name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert "user" not in service
    assert re.search(r"^USER (\d+):\1$", (ROOT / "Dockerfile").read_text(), re.MULTILINE)


def test_only_the_web_server_is_reachable_and_only_from_this_machine(compose: dict[str, Any]) -> None:
    ports = {name: service["ports"] for name, service in compose["services"].items() if "ports" in service}
    assert ports == {"web": ["127.0.0.1:${WEB_PORT:-8000}:8000"]}
    assert compose["networks"]["inside"]["internal"] is True
    assert compose["services"]["database"]["networks"] == compose["services"]["broker"]["networks"] == ["inside"]


def test_what_is_said_to_our_programs_is_what_they_read(compose: dict[str, Any]) -> None:
    read = set(re.findall(r"env\.\w+\(['\"](\w+)['\"]", (ROOT / "backend" / "settings.py").read_text()))
    for name in OURS:
        assert set(compose["services"][name]["environment"]) <= read


def test_the_application_owns_its_database_and_is_no_superuser(compose: dict[str, Any]) -> None:
    """The tests, too, run as an ordinary role: see tests/services.py."""
    script = compose["configs"]["make_role"]["content"]
    assert re.findall(r"CREATE ROLE (\w+) ([A-Z ]+)", script) == [("steadyback", "LOGIN PASSWORD ")]
    assert "CREATE DATABASE steadyback OWNER steadyback;" in script
    database = compose["services"]["database"]
    assert database["configs"] == [{"source": "make_role", "target": "/docker-entrypoint-initdb.d/role.sh"}]
    for name in OURS:
        assert compose["services"][name]["environment"]["DATABASE_URL"].startswith("postgresql://steadyback:")


def test_threads_and_connections_are_matched(compose: dict[str, Any]) -> None:
    """Each thread of the web server can have a connection; more threads than WEB_THREADS would wait for one."""
    threads = re.search(r'"--blocking-threads", "(\d+)"', (ROOT / "Dockerfile").read_text())
    assert threads
    assert threads[1] == compose["services"]["web"]["environment"]["WEB_THREADS"]


def test_beats_sign_of_life_is_found_where_its_health_check_looks(compose: dict[str, Any], settings: Settings) -> None:
    settings.CACHES = {"default": settings.CACHES["default"] | {"KEY_PREFIX": ""}}  # as it is outside the tests
    health.beat_is_alive()
    check = compose["services"]["beat"]["healthcheck"]["test"][-1]
    command = [sys.executable, "-c", check]
    environment = {"REDIS_URL": settings.REDIS_URL}
    assert subprocess.run(command, env=environment).returncode == 0
    cache.delete(health.BEAT)
    assert subprocess.run(command, env=environment, stderr=subprocess.DEVNULL).returncode != 0


def test_the_image_holds_what_runs_and_nothing_else() -> None:
    kept = [line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")]
    assert {"backend", "outcomes", "exercises", "manage.py", "requirements.txt"} <= set(kept)
    assert not {"tests", "bench", ".git", ".local", ".venv"} & set(kept)
