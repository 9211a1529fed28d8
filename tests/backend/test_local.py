"""The servers from wheels: they heal after a killed run and leave nothing behind."""

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
import redis

from backend import local
from tests.backend.conftest import soon

OWNER = """
import sys, time
from pathlib import Path
from backend.local import postgres
with postgres(Path(sys.argv[1]), durable=sys.argv[2] == "durable") as url:
    print(url, flush=True)
    time.sleep(600)
"""


@contextmanager
def owner(directory: Path, durability: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """Another process that owns a server, and its URL."""
    process = subprocess.Popen([sys.executable, "-c", OWNER, directory, durability], stdout=subprocess.PIPE, text=True)
    with process:
        assert process.stdout
        yield process, process.stdout.readline().strip()
        process.kill()


def write(url: str) -> None:
    with psycopg.connect(url) as connection:
        connection.execute("CREATE TABLE kept (word text)")
        connection.execute("INSERT INTO kept VALUES ('kept')")


def read(url: str) -> object:
    with psycopg.connect(url) as connection:
        return connection.execute("SELECT word FROM kept").fetchall()


def test_a_second_start_keeps_the_data(directory: Path) -> None:
    with local.postgres(directory, durable=True) as url:
        write(url)
    with local.postgres(directory, durable=True) as url:
        assert read(url) == [("kept",)]
    assert not local.is_locked(directory / "postgres.lock")


def test_the_server_ends_when_its_owner_is_killed(directory: Path) -> None:
    with owner(directory, "durable") as (process, url):
        write(url)
        process.kill()
        assert soon(lambda: not local.is_locked(directory / "postgres.lock"))
        with local.postgres(directory, durable=True) as url:
            assert read(url) == [("kept",)]


def test_a_test_servers_folder_goes_when_its_owner_is_killed(directory: Path) -> None:
    with owner(directory, "fleeting") as (process, _):
        assert (directory / "postgres").exists()
        process.kill()
        assert soon(lambda: not directory.exists())


def test_a_server_left_by_a_killed_owner_and_guard_is_ended_by_the_next(directory: Path) -> None:
    with owner(directory, "durable") as (process, url):
        write(url)
        [guard] = subprocess.check_output(["pgrep", "-P", str(process.pid), "-f", "guard.py"], text=True).split()
        process.kill()
        os.kill(int(guard), signal.SIGKILL)
    assert local.is_locked(directory / "postgres.lock")
    with local.postgres(directory, durable=True) as url:
        assert read(url) == [("kept",)]


def test_a_stale_lock_file_with_the_number_of_a_living_process_is_no_obstacle(directory: Path) -> None:
    with local.postgres(directory, durable=True) as url:
        write(url)
    for name in ("postmaster.pid", ".s.PGSQL.5432.lock"):
        (directory / "postgres" / name).write_text(f"{os.getpid()}\n{directory}/postgres\n1700000000\n5432\n\n\n\n")
    (directory / "postgres.lock").write_text(str(os.getpid()))
    with local.postgres(directory, durable=True) as url:
        assert read(url) == [("kept",)]


def test_a_database_that_was_cut_short_while_being_made_is_made_again(directory: Path) -> None:
    (directory / "postgres-unfinished").mkdir()
    (directory / "postgres-unfinished" / "PG_VERSION").write_text("18\n")
    with local.postgres(directory, durable=True) as url:
        write(url)


def test_a_long_and_odd_path_is_no_obstacle(directory: Path) -> None:
    deep = directory / ("a folder with 100 % & more " + "x" * 80)
    deep.mkdir()
    with local.postgres(deep, durable=True) as url:
        write(url)
    assert not (deep / "socket-folder").exists()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root's folders are closed to the user PostgreSQL runs as")
def test_root_keeps_the_data_outside_a_folder_that_others_may_not_enter(directory: Path) -> None:
    private = directory / "private"
    private.mkdir(mode=0o700)
    outside = Path("/var/lib/steadyback-demo")
    try:
        with local.postgres(private, durable=True) as url:
            write(url)
        assert private.stat().st_mode & 0o077 == 0
        assert (private / "outside").resolve().parent == outside
        with local.postgres(private, durable=True) as url:
            assert read(url) == [("kept",)]
        (private / "outside").unlink()
        with local.postgres(private, durable=True) as url:
            write(url)  # the link was removed with the rest of the folder: this is a new start
    finally:
        shutil.rmtree((private / "outside").resolve())


def test_a_full_disk_is_said_in_a_sentence(directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(local, "ROOM_NEEDED", shutil.disk_usage(directory).total * 2)
    with pytest.raises(local.Unable, match="the disk is full"), local.postgres(directory, durable=True):
        pass
    assert local.reason("initdb: error: could not write: No space left on device") == "the disk is full."


def test_data_of_another_version_are_not_touched(directory: Path) -> None:
    with local.postgres(directory, durable=True) as url:
        write(url)
    (directory / "postgres" / "PG_VERSION").write_text("17\n")
    with pytest.raises(local.Unable, match="another PostgreSQL version"), local.postgres(directory, durable=True):
        pass


def test_the_broker_wants_its_password(directory: Path) -> None:
    with local.redis(directory, durable=True) as url:
        assert redis.from_url(url).ping()
        with pytest.raises(redis.exceptions.AuthenticationError):
            redis.from_url("redis://" + url.partition("@")[2]).ping()
        assert (directory / "redis.conf").stat().st_mode & 0o077 == 0


def test_servers_of_the_environment_are_used_instead(directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    named = {"DATABASE_URL": "postgresql://elsewhere/x", "REDIS_URL": "redis://elsewhere/0"}
    for name, value in named.items():
        monkeypatch.setenv(name, value)
    with local.services(directory, durable=True) as found:
        assert found == named
    assert list(directory.iterdir()) == []
