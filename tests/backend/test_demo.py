"""The demo, as a newcomer starts it and as things go wrong."""

import json
import os
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from backend import demo
from backend.local import Unable, free_port, is_locked
from tests.backend.conftest import soon

ENVIRONMENT = {name: value for name, value in os.environ.items() if name in ("PATH", "HOME", "TMPDIR", "LANG")}


@contextmanager
def started(state: Path, port: int) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-m", "backend.demo", "run", "--port", str(port), "--state", str(state)]
    command += ["--patients", "2"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=ENVIRONMENT, cwd=demo.ROOT) as process:
        try:
            yield process
        finally:
            process.kill()


def until(process: subprocess.Popen[str], words: str) -> str:
    said = ""
    for line in process.stdout or ():
        said += line
        if words in line:
            return said
    raise AssertionError(f"never said {words!r}:\n{said}")


def processes_of(state: Path) -> list[str]:
    return subprocess.run(["pgrep", "-a", "-f", str(state)], capture_output=True, text=True).stdout.splitlines()


@pytest.mark.timeout(300)
def test_the_demo_comes_up_survives_a_kill_and_leaves_nothing_running(directory: Path) -> None:
    port = free_port()
    with started(directory, port) as first:
        until(first, "Steadyback is up")
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz") as response:
            assert set(json.load(response).values()) == {True}
        assert "DATABASE_URL" in demo.running(directory)
        with pytest.raises(Unable, match=f"already running at http://127.0.0.1:{port}"):
            demo.run(directory, free_port(), patients=2)
        first.kill()
    assert soon(lambda: processes_of(directory) == [])
    with started(directory, port) as second:
        until(second, "Steadyback is up")
        second.send_signal(signal.SIGINT)
        until(second, "nothing of it is running any more")
        assert second.wait(20) == 0
    assert processes_of(directory) == []
    assert [path.name for path in directory.glob("*.lock")] == []
    assert demo.running(directory) == {}


def test_a_port_in_use_is_said_in_a_sentence(directory: Path) -> None:
    port = free_port()
    with subprocess.Popen(
        [sys.executable, "-m", "http.server", str(port), "--bind", "127.0.0.1"], stderr=subprocess.DEVNULL
    ) as other:
        assert soon(lambda: is_open(port))
        result = subprocess.run(
            [sys.executable, "-m", "backend.demo", "run", "--port", str(port), "--state", directory],
            capture_output=True,
            text=True,
            env=ENVIRONMENT,
            cwd=demo.ROOT,
        )
        other.kill()
    assert result.returncode == 1
    assert f"port {port}: Address already in use. Take another: make demo PORT=" in result.stdout
    assert "Traceback" not in result.stderr


def is_open(port: int) -> bool:
    try:
        demo.port_is_free(port)
    except Unable:
        return True
    return False


def test_a_reset_leaves_an_empty_folder(directory: Path) -> None:
    (directory / "postgres").mkdir()
    (directory / "postgres" / "PG_VERSION").write_text("18\n")
    (directory / "secret-key").write_text("x")
    demo.reset(directory)
    assert list(directory.iterdir()) == []


def test_words_for_commands_beside_it_survive_odd_characters(directory: Path) -> None:
    environment = {"DATABASE_URL": "postgresql://postgres@/postgres?host=/a%20b/'c", "LOG_JSON": "false"}
    with demo.the_only_one(directory, "http://here"), demo.known(directory, environment):
        assert is_locked(directory / "demo.lock")
        assert demo.running(directory) == environment
        assert (directory / "demo.env").stat().st_mode & 0o077 == 0
    assert demo.running(directory) == {}
