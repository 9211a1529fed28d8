"""What runs in production finds there what it needs: nothing leans on a package that only development brings."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

# A fresh Python in which all that requirements.txt doesn't name is not there, as in the image.
PROGRAM = """
import importlib, os, pkgutil, re, sys
from importlib.metadata import packages_distributions
from pathlib import Path

def plain(name):
    return re.sub(r"[-_.]+", "-", name).lower()

named = {plain(name) for name in re.findall(r"^([A-Za-z0-9._-]+)==", Path("requirements.txt").read_text(), re.M)}
extra = {
    package for package, owners in packages_distributions().items()
    if package and not {plain(owner) for owner in owners} & named
}
assert {"pytest", "playwright"} <= extra and not extra & {"django", "celery"}, extra

class Absent:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in extra:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

sys.meta_path.insert(0, Absent())

import backend.wsgi
from backend.celery import app
for room in ("backend", "outcomes", "exercises"):
    for module in pkgutil.walk_packages([room], f"{room}."):
        importlib.import_module(module.name)
import celery.apps.beat, celery.apps.worker, celery.bin.celery, granian
app.loader.import_default_modules()
with app.connection_for_write() as connection:
    connection.ensure_connection(max_retries=1)
app.tasks["outcomes.tasks.recompute_due_trends"].apply_async(retry=False)
"""


def test_the_packages_of_the_image_are_enough() -> None:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("COV")}
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", PROGRAM],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
