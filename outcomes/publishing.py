"""A published version never changes: answers were given and scored under it.

`instruments/published.toml` holds a digest of every published file, by what it publishes: `phq-9 1` is the instrument,
`phq-9 1 en` its English text. A digest is never edited; what has to change becomes a new version.
"""

import hashlib
import tomllib
from pathlib import Path

from outcomes.library import instrument_files


def digests(folder: Path) -> dict[str, tuple[Path, str]]:
    """File and SHA-256 of each instrument and text in the folder, whatever the line ends of the checkout."""
    found = {}
    for file in [*instrument_files(folder), *sorted(folder.rglob("text/*.toml"))]:
        content = file.read_bytes().replace(b"\r\n", b"\n")
        head = tomllib.loads(content.decode())
        name = " ".join(str(head[key]) for key in ("code", "version", "language") if key in head)
        found[name] = (file, hashlib.sha256(content).hexdigest())
    return found


def published(folder: Path) -> dict[str, str]:
    """The digests committed when each file was published."""
    file = folder / "published.toml"
    return tomllib.loads(file.read_text()) if file.exists() else {}


def changed(folder: Path) -> list[str]:
    """One sentence for each published file that changed or is gone, and for each that was never published."""
    now, then = digests(folder), published(folder)
    found = [f"{name}: its file is gone, but answers given under it stay." for name in sorted(then.keys() - now.keys())]
    for name, (file, digest) in sorted(now.items()):
        if name not in then:
            found.append(f"{file.name}: {name} is not published yet; see docs/adding-an-instrument.md.")
        elif then[name] != digest:
            found.append(f"{file.name}: {name} is published and must not change; give the change a new version.")
    return found


def publish(folder: Path) -> list[str]:
    """Write the digests of what is new, leave all others as they are, and say what was added."""
    then = published(folder)
    new = {name: digest for name, (_, digest) in digests(folder).items() if name not in then}
    lines = [f'"{name}" = "{digest}"' for name, digest in sorted((then | new).items())]
    head = "# Digests of published instruments and texts, written by `manage.py publish_instruments`. Never edit one."
    (folder / "published.toml").write_text("\n".join([head, *lines, ""]))
    return sorted(new)
