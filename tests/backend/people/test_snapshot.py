"""What leaves as a file is one moment's, and nobody who stalls holds it for long."""

from __future__ import annotations

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.db import InternalError, connection

from backend.people.models import Patient, User
from backend.people.snapshot import STALLED, of_one_state
from tests.factories import a_clinician, a_patient, an_admin
from tests.outcomes.test_intake import a_response, take_in
from tests.signin import browser

pytestmark = pytest.mark.django_db(transaction=True)


def meanwhile(patient: Patient) -> None:
    """A response comes in by another connection."""

    def come() -> None:
        try:
            take_in(patient, [a_response()])
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as pool:
        pool.submit(come).result()


def held() -> bool:
    return connection.in_atomic_block


def of_kind(lines: list[bytes], kind: str) -> int:
    return sum(json.loads(line)["type"] == kind for line in lines)


@pytest.fixture
def admin() -> User:
    patient = a_patient(identifier="A")
    take_in(patient, [a_response()])
    return an_admin(patient.clinic)


@pytest.mark.parametrize(
    ("address", "kind"),
    [
        ("clinics/{0.clinic_id}/exports/responses.jsonl", "response"),
        ("patients/{0.pk}/exports/records.jsonl", "responses"),
        ("patients/{0.pk}/export", "responses"),
    ],
)
def test_what_comes_while_a_file_leaves_is_not_in_it(admin: User, address: str, kind: str) -> None:
    patient = Patient.objects.get()
    client = browser(a_clinician(patient.care_team) if address.startswith("patients") else admin)
    answer: Any = client.get("/api/v1/" + address.format(patient))
    lines = iter(answer.streaming_content)
    first = next(lines)
    meanwhile(patient)
    assert of_kind([first, *lines], kind) == 1
    assert not held()
    again: Any = client.get("/api/v1/" + address.format(patient))
    assert of_kind([*again.streaming_content], kind) == 2


def test_all_files_of_the_command_are_of_one_moment(admin: User, tmp_path: Path) -> None:
    patient = Patient.objects.get()

    class Busy(StringIO):
        """Each line that the command prints, after a file, sees an answer come in."""

        def write(self, text: str) -> int:
            meanwhile(patient)
            return super().write(text)

    call_command("export_responses", str(tmp_path), clinic=str(patient.clinic_id), user=admin.email, stdout=Busy())
    assert of_kind((tmp_path / "responses.jsonl").read_bytes().splitlines(), "response") == 1
    assert of_kind((tmp_path / "records.jsonl").read_bytes().splitlines(), "responses") == 1
    assert len((tmp_path / "phq-9.csv").read_text().splitlines()) == 2


def test_a_download_that_is_broken_off_lets_go(admin: User) -> None:
    answer: Any = browser(admin).get(f"/api/v1/clinics/{Patient.objects.get().clinic_id}/exports/responses.jsonl")
    assert next(iter(answer.streaming_content))
    assert held()
    answer.close()
    assert not held()
    assert Patient.objects.count() == 1


def test_nothing_is_written_in_it_and_it_does_not_stand_for_ever() -> None:
    def limits() -> Iterator[bytes]:
        with connection.cursor() as cursor:
            for name in ("idle_in_transaction_session_timeout", "transaction_timeout", "transaction_isolation"):
                cursor.execute(f"SHOW {name}")
                yield cursor.fetchone()[0].encode()
        Patient.objects.update(name="")

    lines = of_one_state(limits())
    assert [next(lines), next(lines), next(lines)] == [STALLED.encode(), b"1h", b"repeatable read"]
    with pytest.raises(InternalError, match="read-only"):
        next(lines)
    assert not held()
