"""Holds one program for an owner, and ends it when the owner says so or is gone, however it went.

Run as a script, with nothing but the standard library: it is started for every server, and must be quick.
The owner holds the other end of our standard input; its closing is the order to stop, and the kernel closes it even for
an owner who was killed. The lock file is locked for as long as the guard or anything of its program lives.
"""

import argparse
import contextlib
import fcntl
import os
import pwd
import shutil
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

HELD = 75  # exit status: somebody holds the lock


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--lock", required=True, type=Path)
    parser.add_argument("--user", help="run the program as this user, with none of our groups")
    parser.add_argument("--signal", default="SIGTERM", help="what asks the program to stop")
    parser.add_argument("--grace", type=float, default=15, help="seconds until it is killed instead")
    parser.add_argument("--discard", type=Path, action="append", default=[], help="remove this folder in the end")
    parser.add_argument("command", nargs="+")
    told = parser.parse_args()

    lock = os.open(told.lock, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return HELD
    account: dict[str, Any] = {}
    if told.user:
        entry = pwd.getpwnam(told.user)
        account = {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}
    # A session of its own: Ctrl-C in a terminal reaches the owner alone, and the owner decides.
    program = subprocess.Popen(
        told.command, stdin=subprocess.DEVNULL, start_new_session=True, pass_fds=[lock], **account
    )
    os.ftruncate(lock, 0)
    os.write(lock, str(program.pid).encode())

    def stop(*_: object) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(program.pid, signal.Signals[told.signal])
        killer = threading.Timer(told.grace, os.killpg, (program.pid, signal.SIGKILL))
        killer.daemon = True
        killer.start()

    def wait_for_the_owner() -> None:
        while os.read(0, 1):  # not sys.stdin, whose lock this thread would take to the grave
            pass
        stop()

    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, stop)
    threading.Thread(target=wait_for_the_owner, daemon=True).start()

    # It has ended, but keeps its number until we ask for its status: so this can only reach what it left behind.
    os.waitid(os.P_PID, program.pid, os.WEXITED | os.WNOWAIT)
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(program.pid, signal.SIGKILL)
    for folder in told.discard:
        shutil.rmtree(folder, ignore_errors=True)
    told.lock.unlink(missing_ok=True)
    status = program.wait()
    return status if status >= 0 else 128 - status


if __name__ == "__main__":
    sys.exit(main())
