"""`make bench`: every figure beside what it is compared with, measured in the same run on this machine.

python -m bench                     all of it, in some minutes
python -m bench responses pushes    one or several
python -m bench --write             all of it, and docs/benchmarks.md as it came out
python -m bench.large --write       the same on one and ten million scores, and what they take on disk
"""

from __future__ import annotations

import argparse
import subprocess
import sys

from bench import report

PARTS = ("responses", "pushes", "trends", "imports", "memory")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("parts", nargs="*", metavar="part", help=", ".join(PARTS))
    parser.add_argument("--write", action="store_true", help="write docs/benchmarks.md")
    options = parser.parse_args()
    if unknown := set(options.parts) - set(PARTS):
        parser.error(f"there is no {', '.join(sorted(unknown))}; choose from {', '.join(PARTS)}")
    about = report.machine()
    print(f"{about}\n\n{report.HEAD}", flush=True)
    table = [report.HEAD, *(row for part in options.parts or PARTS for row in rows([part]))]
    if options.write:
        report.write("At a clinic's size", f"`make bench`, on {about}.\n\n" + "\n".join(table))


def rows(command: list[str]) -> list[str]:
    """The rows of one bench, which runs in a process of its own with servers of its own; printed as they come."""
    found = []
    with subprocess.Popen(
        [sys.executable, "-m", f"bench.{command[0]}", *command[1:]], stdout=subprocess.PIPE, text=True
    ) as bench:
        for line in bench.stdout or ():
            if line.startswith("| ") and not line.startswith("| what"):
                found.append(line.rstrip())
                print(found[-1], flush=True)
    if bench.returncode:
        found.append(str(report.Row(f"bench.{command[0]}", f"**ended with an error** ({bench.returncode})")))
        print(found[-1], flush=True)
    return found


if __name__ == "__main__":
    main()
