"""Threads that meet a struct for the first time together."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[3]
FIRST_USE = """
from __future__ import annotations
import sys, threading
import msgspec
from backend.rest.structs import prepare_structs

fields = "".join(f"    f{n}: list[int] | None = None\\n" for n in range(12))
for n in range(200):
    exec(f"class Inner{n}(msgspec.Struct):\\n{fields}")
    exec(f"class Outer{n}(msgspec.Struct):\\n    a: Inner{n}\\n    b: list[Inner{n}]\\n    c: dict[str, Inner{n}]\\n")
structs = [globals()[f"Outer{n}"] for n in range(200)]
prepare_structs()
sys.setswitchinterval(1e-6)
together = threading.Barrier(8)

def decode():
    for struct in structs:
        together.wait()
        msgspec.json.decode(b'{"a": {"f1": [1]}, "b": [{"f3": [1]}], "c": {"x": {"f5": [1]}}}', type=struct)

threads = [threading.Thread(target=decode) for _ in range(8)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print("alive")
"""


def test_a_process_survives_the_first_use_of_structs_by_many_threads() -> None:
    """Without `prepare_structs` it dies of a segmentation fault, each time."""
    result = subprocess.run([sys.executable, "-c", FIRST_USE], cwd=ROOT, capture_output=True, text=True)
    assert (result.returncode, result.stdout) == (0, "alive\n"), result.stderr
