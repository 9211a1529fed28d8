"""The ways to kill what runs, and to have it again."""

from __future__ import annotations

import os
import random
import signal
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack, suppress
from pathlib import Path
from typing import Protocol, Self

from backend.local import held


class Target(Protocol):
    """Something that can be killed and comes back."""

    @property
    def name(self) -> str: ...

    killed: int

    def kill(self, chance: random.Random) -> None: ...


class Service:
    """A server of ours; killed, it is gone for a moment and comes back at the same address with the same data."""

    def __init__(self, name: str, server: Callable[[str], AbstractContextManager[str]]) -> None:
        self.name, self.server = name, server
        self.killed, self.url = 0, ""
        self.stack = ExitStack()

    def __enter__(self) -> Self:
        self.url = self.stack.enter_context(self.server(self.url))
        return self

    def __exit__(self, *_: object) -> None:
        self.stack.close()

    def kill(self, chance: random.Random) -> None:
        lock = next(lock for lock in held if lock.stem == self.name)
        end(int(lock.read_text()))
        self.killed += 1
        self.stack.close()
        time.sleep(chance.uniform(0, 1))
        self.__enter__()


class Program:
    """One of the nursery's, which starts it again."""

    def __init__(self, name: str, directory: Path) -> None:
        self.name, self.file, self.killed = name, directory / f"{name}.pid", 0

    def kill(self, chance: random.Random) -> None:
        """All of it, or only one of the processes that do its work."""
        pid = int(self.file.read_text())
        children = family(pid)[1:]
        if children and chance.random() < 0.5:
            with suppress(ProcessLookupError):
                os.kill(chance.choice(children), signal.SIGKILL)
        else:
            end(pid)
        self.killed += 1


def end(pid: int) -> None:
    """SIGKILL for a process and its descendants, as when a machine dies: stopped first, so that it starts no more."""
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGSTOP)
        for each in family(pid):
            with suppress(ProcessLookupError):
                os.kill(each, signal.SIGKILL)


def family(pid: int) -> list[int]:
    """A process and its descendants."""
    try:
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except (FileNotFoundError, ProcessLookupError):
        return []
    return [pid, *(each for child in children for each in family(int(child)))]
