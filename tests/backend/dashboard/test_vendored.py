"""Other people's files are the ones we say they are."""

import hashlib
import tomllib
from pathlib import Path

import pytest
from django.conf import settings

ROOT = Path(settings.BASE_DIR)
FOLDERS = [ROOT / "backend/dashboard/static/vendor", ROOT / "tests/browser/vendor"]


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: str(folder.relative_to(ROOT)))
def test_every_vendored_file_has_its_version_licence_and_checksum(folder: Path) -> None:
    listed = tomllib.loads((folder / "VENDORED.toml").read_text())["file"]
    for file in listed:
        assert hashlib.sha256((folder / file["name"]).read_bytes()).hexdigest() == file["sha256"], file["name"]
        assert (folder / file["licence_file"]).exists()
        assert file["version"]
    named = {file["name"] for file in listed} | {file["licence_file"] for file in listed} | {"VENDORED.toml"}
    assert {path.name for path in folder.iterdir()} == named
