"""A trend worker that is killed at the n-th line that it runs. Each n on standard input makes one, in a process of its
own; the answer is the line that it died at, or "finished".
"""

import os
import signal
import sys
from datetime import UTC, datetime
from types import CodeType

import django

LINES = ("outcomes/recompute.py", "outcomes/series.py", "outcomes/summaries.py", "django/db/transaction.py")


def die_at(n: int, say: int) -> None:
    left = n

    def count(code: CodeType, line: int) -> object:
        nonlocal left
        if not code.co_filename.endswith(LINES):
            return sys.monitoring.DISABLE
        left -= 1
        if not left:
            os.write(say, f"{code.co_filename}:{line}\n".encode())
            os.kill(os.getpid(), signal.SIGKILL)
        return None

    sys.monitoring.use_tool_id(sys.monitoring.DEBUGGER_ID, "dying worker")
    sys.monitoring.register_callback(sys.monitoring.DEBUGGER_ID, sys.monitoring.events.LINE, count)
    sys.monitoring.set_events(sys.monitoring.DEBUGGER_ID, sys.monitoring.events.LINE)


def main() -> None:
    django.setup()
    from outcomes import recompute

    recompute.CHUNK = 1
    for n in sys.stdin:
        if not (child := os.fork()):
            die_at(int(n), sys.stdout.fileno())
            recompute.recompute_due(datetime.now(UTC))
            os.write(sys.stdout.fileno(), b"finished\n")
            os._exit(0)
        os.waitpid(child, 0)


if __name__ == "__main__":
    main()
