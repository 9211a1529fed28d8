"""The tour in README.md works as it stands there."""

import json
import re
from datetime import UTC, datetime
from io import StringIO
from pathlib import Path
from string import Template

import pytest
from django.conf import settings
from django.core.management import call_command
from django.test import Client
from uuid_utils.compat import uuid7

README = (Path(settings.BASE_DIR) / "README.md").read_text()


def between(start: str, end: str) -> str:
    found = re.search(re.escape(start) + r"(.*?)" + re.escape(end), README, re.DOTALL)
    assert found, start
    return found[1]


@pytest.mark.django_db
def test_the_tour_enrols_pushes_twice_and_gets_the_same_verdicts() -> None:
    call_command("simulate_clinic", patients=1, stdout=StringIO())
    out = StringIO()
    call_command("simulate_clinic", invite=True, stdout=out)
    code = out.getvalue().split()[-1]
    client = Client()

    enrol = between('$API/enrol -H "$JSON" -d \'', "' > tokens.json")
    enrol = enrol.replace("'$CODE'", code).replace("'$(uuidgen)'", str(uuid7()))
    response = client.post("/api/v1/enrol", enrol, content_type="application/json")
    assert response.status_code == 201, response.content
    client.defaults["HTTP_AUTHORIZATION"] = f"Bearer {response.json()['access_token']}"

    pulled = client.post("/api/v1/sync", between('$API/sync -H "$TOKEN" -H "$JSON" -d \'', "' >"), "application/json")
    prescription = next(change["id"] for change in pulled.json()["changes"] if change["type"] == "prescription")
    now = datetime.now(UTC).isoformat()
    push = Template(between("push.json <<END\n", "\nEND")).substitute(NOW=now, PRESCRIPTION=prescription)
    first, second = (client.post("/api/v1/sync", push, "application/json").json()["results"] for _ in range(2))
    assert [each["status"] for each in first] == ["stored"] * 3
    assert [each["status"] for each in second] == ["duplicate"] * 3
    assert first[1]["scores"] == {"phq-9.total": 12}


def test_the_scores_in_the_readme_are_those_of_the_command(tmp_path: Path) -> None:
    file = tmp_path / "answers.jsonl"
    file.write_text(between("echo '", "' | .venv/bin/python manage.py score phq-9") + "\n")
    out = StringIO()
    call_command("score", "phq-9", file, stdout=out)
    assert json.loads(out.getvalue())["scores"] == {"total": 12}
