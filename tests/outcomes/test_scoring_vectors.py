"""Forms with what they come to, from the literature and from published scorers, in one file for all instruments."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from outcomes import library, scoring

VECTORS: list[dict[str, Any]] = json.loads(Path(__file__).with_name("scoring-vectors.json").read_text())


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: f"{vector['instrument']}: {vector['name']}")
def test_a_vector_comes_out_as_written(vector: dict[str, Any]) -> None:
    instrument = library.get(vector["instrument"])
    found = scoring.score(instrument, scoring.by_item(instrument, vector["answers"]))
    assert {name: found.scores[name] for name in vector["scores"]} == vector["scores"]
    assert {name: found.bands[name] for name in vector.get("bands", {})} == vector.get("bands", {})
    assert set(vector.get("flags", [])) <= set(found.flags)
    assert found.status == vector.get("status", found.status)
