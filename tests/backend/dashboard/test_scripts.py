"""Our own scripts, as the web server of production hands them out."""

import re
from pathlib import Path

import pytest
from django.conf import settings
from django.test import Client

FOLDER = Path(settings.BASE_DIR) / "backend/dashboard/static/dashboard"
IMPORTS = [
    (script.name, imported)
    for script in sorted(FOLDER.glob("*.js"))
    for imported in re.findall(r'^import .* from "\./([^"]+)";$', script.read_text(), re.MULTILINE)
]


@pytest.mark.parametrize(("script", "imported"), IMPORTS)
def test_what_a_script_imports_is_served_beside_it_as_a_script(script: str, imported: str) -> None:
    client = Client()
    for name in (script, imported):
        answer = client.get(f"/{settings.STATIC_URL.strip('/')}/dashboard/{name}", secure=True)
        assert answer.status_code == 200
        assert answer.headers["content-type"].startswith("text/javascript")
        assert b"".join(answer) == (FOLDER / name).read_bytes()


def test_the_charts_come_in_parts() -> None:
    assert ("charts.js", "charts-canvas.js") in IMPORTS
