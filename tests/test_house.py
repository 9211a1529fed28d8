"""What holds for the whole house."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from django.conf import settings
from django.core.management import call_command

ROOT = Path(settings.BASE_DIR)
CODE = {"backend", "outcomes", "exercises", "tests", "bench"}
# The hosts that packages, toolchains and images come from. Which of them to ask is the machine's business: an
# address in the repository would send people past their own mirror, and lapse.
HOSTS = rb"pypi\.org|pythonhosted\.org|npmjs\.org|jsdelivr\.net|unpkg\.com|astral\.sh|ghcr\.io|releases[/]download"


def tracked() -> list[Path]:
    """The repository's files; a copy without its history has none, and is not a failure."""
    if not (ROOT / ".git").exists():
        pytest.skip("not a git checkout")
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True).stdout.decode()
    return [Path(name) for name in listed.split("\0") if name and (ROOT / name).exists()]


@pytest.mark.django_db
def test_no_migration_is_missing() -> None:
    call_command("makemigrations", "--check", "--dry-run")


def test_imports_run_one_way() -> None:
    result = subprocess.run([Path(sys.executable).parent / "lint-imports"], cwd=ROOT, capture_output=True, text=True)
    assert result.returncode == 0, result.stdout


def test_production_settings_pass_every_deployment_check() -> None:
    production = {
        "PATH": os.environ["PATH"],
        "SECRET_KEY": "a-key-for-this-check-alone-" + "0123456789abcdefghijklmnopqrstuvwxyz",
        "ALLOWED_HOSTS": "steadyback.example",
        "DATABASE_URL": "postgresql://user@database/steadyback",
        "REDIS_URL": "redis://broker:6379/0",
    }
    command = [sys.executable, "manage.py", "check", "--deploy", "--fail-level", "WARNING"]
    result = subprocess.run(command, cwd=ROOT, env=production, capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    assert "0 silenced" in result.stdout


def test_there_are_no_other_folders_of_code() -> None:
    folders = {path.parts[0] for path in tracked() if path.suffix == ".py" and len(path.parts) > 1}
    assert folders <= CODE


def test_no_file_names_where_to_download_from() -> None:
    found = [path for path in tracked() if re.search(HOSTS, (ROOT / path).read_bytes())]
    assert found == []


def test_every_pinned_package_has_its_hashes() -> None:
    for path in ROOT.glob("requirements*.txt"):
        for requirement in re.split(r"\n(?=\S)", path.read_text().strip()):
            assert re.match(r"[a-z0-9._-]+==", requirement), (path, requirement)
            assert "--hash=sha256:" in requirement, (path, requirement)


def test_python_is_said_once_and_the_same_everywhere() -> None:
    assert (ROOT / ".python-version").read_text().strip() == "3.13" == ".".join(map(str, sys.version_info[:2]))


def test_nothing_ever_says_that_a_risk_is_low() -> None:
    """NICE NG225: no scale predicts suicide, so none may sound as if it did."""
    words = re.compile(rb"low[ -]risk|geringes\s+risiko|niedriges\s+risiko", re.IGNORECASE)
    shown = [path for path in tracked() if path.parts[0] in CODE - {"tests"} and path.suffix != ".md"]
    assert [path for path in shown if words.search((ROOT / path).read_bytes())] == []
