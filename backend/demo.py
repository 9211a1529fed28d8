"""`make demo`: the servers, the content, a simulated clinic, and web server, worker and beat under one supervisor.

Everything it keeps is in .local/. With DATABASE_URL or REDIS_URL set, those are used and no server is started for them.
"""

import argparse
import errno
import fcntl
import os
import secrets
import shlex
import shutil
import signal
import socket
import sys
import threading
import time
import urllib.error
import urllib.request
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from subprocess import PIPE, Popen

from backend.local import Unable, end_what_was_left, guarded, held, is_locked, reason, services

ROOT = Path(__file__).resolve().parent.parent
STATE = ROOT / ".local"
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
ROOM_TO_RUN = 100_000_000  # bytes
THREADS = 8


class Stopped(BaseException):
    """Somebody asked us to stop, which is how a demo ends."""


def say(text: str) -> None:
    print(text, flush=True)


@contextmanager
def the_only_one(state: Path, address: str) -> Iterator[None]:
    """Hold the demo's lock; whoever finds it held says where the demo runs."""
    path = state / "demo.lock"
    for _ in range(10):  # somebody who asks whether the demo runs holds it for a moment, too
        with path.open("a+") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                time.sleep(0.05)
                continue
            if not path.exists() or not os.path.samestat(os.fstat(file.fileno()), path.stat()):
                continue  # we opened the file that another demo was just removing
            file.truncate(0)
            file.write(address)
            file.flush()
            try:
                yield
            finally:
                path.unlink()
            return
    raise Unable(f"the demo is already running at {path.read_text()}. Stop it there with Ctrl-C.")


def port_is_free(port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            raise Unable(f"port {port}: {os.strerror(error.errno or 0)}. Take another: make demo PORT=8001") from None


def secret(path: Path) -> str:
    """A secret of this demo, made at its first start."""
    if not path.exists():
        path.touch(mode=0o600)
        path.write_text(secrets.token_urlsafe(48 if path.name == "secret-key" else 9))
    return path.read_text()


def running(state: Path = STATE) -> dict[str, str]:
    """The environment of the demo that is running, empty if none is: for commands typed beside it."""
    file = state / "demo.env"
    if not is_locked(state / "demo.lock") or not file.exists():
        return {}
    return dict(word.split("=", 1) for word in shlex.split(file.read_text()))


@contextmanager
def known(state: Path, environment: dict[str, str]) -> Iterator[None]:
    """Leave word of the environment for commands typed beside the demo, as long as it runs."""
    file = state / "demo.env"
    file.touch(mode=0o600)
    file.write_text("".join(f"{name}={shlex.quote(value)}\n" for name, value in environment.items()))
    try:
        yield
    finally:
        file.unlink()


class Output(threading.Thread):
    """Copies what a program says into the demo's one log, a name before each line."""

    def __init__(self, name: str, program: Popen[bytes]) -> None:
        super().__init__(daemon=True)
        self.label, self.stream, self.last = name, program.stdout, deque[str](maxlen=20)
        self.start()

    def run(self) -> None:
        for line in self.stream or ():
            text = line.decode(errors="replace").rstrip()
            self.last.append(text)
            say(f"{self.label:<7}| {text}")


@contextmanager
def program(
    name: str, *arguments: str, state: Path, environment: dict[str, str]
) -> Iterator[tuple[Popen[bytes], Output]]:
    """Run one of our Python programs under a guard, its output in the log."""
    lock = state / f"{name}.lock"
    end_what_was_left(lock)
    command: list[str | Path] = [sys.executable, "-m", *arguments]
    with guarded(command, lock=lock, output=PIPE, environment=os.environ | environment) as guard:
        yield guard, Output(name, guard)


def prepare(state: Path, environment: dict[str, str], patients: int) -> None:
    """Bring tables and content up to date and see that there is a simulated clinic."""
    command = ["backend.demo", "contents", "--patients", str(patients)]
    with program("setup", *command, state=state, environment=environment) as (guard, output):
        if guard.wait():
            output.join(5)
            raise Unable(reason("\n".join(output.last)) or "the database could not be prepared; see above.")


def contents(patients: int) -> None:
    """What `prepare` runs, in a process of its own with the demo's environment."""
    import django
    from django.core.management import call_command

    django.setup()
    call_command("migrate", verbosity=0, interactive=False)  # which brings instruments and exercises along
    call_command("simulate_clinic", patients=patients, password=os.environ["DEMO_PASSWORD"])


def is_answering(address: str) -> bool:
    try:
        with urllib.request.urlopen(f"{address}/readyz", timeout=5) as response:  # noqa: S310 - our own address
            return bool(response.status == 200)
    except (urllib.error.URLError, OSError):
        return False


def watch(address: str, password: str) -> None:
    """Until we are stopped: say when all is up, and end if one of the programs does."""
    announced = False
    deadline = time.monotonic() + 90
    while True:
        for lock, guard in held.items():
            if guard.poll() is not None:
                raise Unable(f"{lock.stem} ended by itself (status {guard.returncode}), so everything stops.")
        if not announced and is_answering(address):
            announced = True
            say(welcome(address, password))
        if not announced and time.monotonic() > deadline:
            raise Unable(f"{address}/readyz does not say that all is well.")
        time.sleep(0.3)


def welcome(address: str, password: str) -> str:
    return f"""
  Steadyback is up. Everybody in it is simulated.

    the clinician's pages       {address}/
    the API and its pages       {address}/api/v1/  {address}/api/docs/
    the operator's pages        {address}/admin/
    alive, ready                {address}/healthz  {address}/readyz

    sign in as                  clinician@steadyback.example, admin@… or operator@…
    password                    {password}
    authenticator codes         .venv/bin/python manage.py simulate_clinic --codes

  Commands typed beside it (.venv/bin/python manage.py …) work on this demo. Ctrl-C stops it; the data stay.
"""


def run(state: Path, port: int, patients: int) -> None:
    address = f"http://127.0.0.1:{port}"
    with the_only_one(state, address):
        port_is_free(port)
        if shutil.disk_usage(state).free < ROOM_TO_RUN:
            raise Unable(f"the disk is full: {state} has less than {ROOM_TO_RUN // 1_000_000} MB free.")
        say("starting PostgreSQL and Valkey")
        with services(state, durable=True) as urls:
            environment = urls | {
                "SECRET_KEY": secret(state / "secret-key"),
                "ALLOWED_HOSTS": "127.0.0.1,localhost",
                "SECURE_SSL_REDIRECT": "false",  # on this machine alone, there is no certificate
                "SECURE_COOKIES": "false",
                "LOG_JSON": "false",
                "EMAIL_PRINTED": "true",
                "WEB_THREADS": str(THREADS),
                "PYTHONUNBUFFERED": "1",
                "PYTHONWARNINGS": "ignore:You're running the worker with superuser",  # in a container, say
            }
            with known(state, environment):
                say("preparing the database")
                password = secret(state / "password")
                prepare(state, environment | {"DEMO_PASSWORD": password}, patients)
                granian = ["granian", "backend.wsgi:application", "--interface", "wsgi", "--port", str(port)]
                granian += ["--blocking-threads", str(THREADS), "--workers-kill-timeout", "5s", "--log-level", "error"]
                worker = ["celery", "-A", "backend", "-q", "worker", "--concurrency", "2", "--without-mingle"]
                beat = ["celery", "-A", "backend", "-q", "beat", "--pidfile="]
                with (
                    program("worker", *worker, state=state, environment=environment),
                    program("beat", *beat, state=state, environment=environment),
                    program("web", *granian, state=state, environment=environment),
                ):
                    watch(address, password)


def reset(state: Path) -> None:
    """Remove what the demo keeps. A database named by DATABASE_URL is left alone."""
    with the_only_one(state, "nowhere: it is being reset"):
        outside = state / "outside"
        for place in (state, outside):
            for lock in place.glob("*.lock"):
                if lock.name != "demo.lock":
                    end_what_was_left(lock)
        if outside.is_symlink():
            shutil.rmtree(outside.resolve(), ignore_errors=True)
        for path in state.iterdir():
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            elif path.name != "demo.lock":
                path.unlink()
    say("The demo's data are gone; make demo starts afresh.")


def stop(*_: object) -> None:
    for number in SIGNALS:
        signal.signal(number, signal.SIG_IGN)  # once is enough
    raise Stopped


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m backend.demo")
    parser.add_argument("what", choices=["run", "reset", "contents"])
    parser.add_argument("--port", type=int, default=8000)
    parser.add_argument("--state", type=Path, default=STATE)
    parser.add_argument("--patients", type=int, default=42, help="how many to make up at the first start")
    told = parser.parse_args()
    if told.what == "contents":
        contents(told.patients)
        return 0
    os.umask(0o022)
    os.chdir(ROOT)
    for number in SIGNALS:
        signal.signal(number, stop)
    state = told.state.resolve()
    try:
        state.mkdir(exist_ok=True)
        run(state, told.port, told.patients) if told.what == "run" else reset(state)
    except Unable as error:
        say(f"\ndemo: {error}")
        return 1
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT, errno.EACCES, errno.EPERM, errno.EROFS):
            raise
        say(f"\ndemo: {error.filename or state}: {error.strerror}.")
        return 1
    except Stopped:
        say("\ndemo: stopped; nothing of it is running any more.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
