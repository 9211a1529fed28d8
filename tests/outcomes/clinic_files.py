"""Small files and mappings as a clinic might bring them."""

from __future__ import annotations

from pathlib import Path

from outcomes import mapping, reading
from outcomes.translating import Translated, Translator

FEAR = """
[patient]
column = "id"
create = true
care_team = "Back pain"

[when]
column = "date"
zone = "Europe/Zurich"

[[instrument]]
code = "fear-daily"
version = "1"
items = ["fear"]
"""

PHQ_2 = """
[patient]
column = "id"

[when]
fixed = 2024-03-01
zone = "Europe/Zurich"

[[instrument]]
code = "phq-2"
version = "1"
items = ["a", "b"]
"""


def a_mapping(folder: Path, text: str) -> mapping.MappingFile:
    path = folder / "mapping.toml"
    path.write_text(text, "utf-8")
    return mapping.load(path)


def a_file(folder: Path, content: str | bytes, name: str = "file.csv") -> Path:
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def rows_of(folder: Path, text: str, content: str | bytes) -> list[reading.Row]:
    with reading.Rows(a_file(folder, content), a_mapping(folder, text)) as rows:
        return list(rows)


def translated(folder: Path, text: str, content: str | bytes, clinic_id: int = 1) -> list[Translated]:
    chosen = a_mapping(folder, text)
    with reading.Rows(a_file(folder, content), chosen) as rows:
        translate = Translator(chosen, rows.header, clinic_id)
        return [translate(row) for row in rows]
