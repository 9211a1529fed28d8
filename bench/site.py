"""What is measured: PostgreSQL, a Redis-protocol server, and the web server as the image runs it, on this machine."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import django

from backend.local import free_port, guarded, services, wait_until

ROOT = Path(__file__).resolve().parent.parent


@contextmanager
def database(*, durable: bool = True) -> Iterator[Path]:
    """Servers of our own with empty tables, Django ready to use them; yields a folder that goes with them."""
    with tempfile.TemporaryDirectory(prefix="steadyback-bench-") as name:
        folder = Path(name)
        folder.chmod(0o755)  # root runs PostgreSQL as somebody else, who must get in
        with services(folder, durable=durable) as urls:
            os.environ |= urls | {
                "DJANGO_SETTINGS_MODULE": "bench.minimal.settings",
                "SECRET_KEY": "only-for-a-bench-" + "0123456789" * 4,
                "ALLOWED_HOSTS": "localhost",
                "BEHIND_TLS_PROXY": "true",
                "STATEMENT_TIMEOUT": "0",  # filling takes longer than a request may
            }
            django.setup()
            from django.core.management import call_command
            from django.db import connection

            from bench.minimal.models import Answer

            call_command("migrate", verbosity=0)
            with connection.schema_editor() as editor:
                editor.create_model(Answer)
            yield folder


def production_command() -> list[str]:
    """How the image starts the web server."""
    found = re.search(r"^CMD (\[.*\])", (ROOT / "Dockerfile").read_text().replace("\\\n", ""), re.MULTILINE)
    assert found
    return [str(word) for word in json.loads(found[1])]


def production_memory() -> dict[str, str]:
    """How the image asks the system for memory."""
    return dict(re.findall(r"(MALLOC_\w+)=(\w+)", (ROOT / "Dockerfile").read_text()))


def production_packages() -> Path:
    """An environment of the image's packages alone: some load what is there for development, and grow by it."""
    packages, wanted = ROOT / ".local" / "image", ROOT / "requirements.txt"
    installed = packages / "installed.txt"
    if not installed.exists() or installed.read_bytes() != wanted.read_bytes():
        uv = shutil.which("uv") or str(ROOT / ".uv" / "bin" / "uv")
        python = str(packages / "bin" / "python")
        venv = [uv, "venv", "--quiet", "--clear", "--no-project", "--python", sys.executable, str(packages)]
        subprocess.run(venv, check=True)
        sync = [uv, "pip", "sync", "--quiet", "--compile-bytecode", "--python", python, "--require-hashes", str(wanted)]
        subprocess.run(sync, check=True)
        shutil.copy(wanted, installed)
    return packages


@dataclass
class Web:
    """The running web server. Its log, as in production, is one line of JSON a request."""

    address: str
    pid: int

    def workers(self) -> list[int]:
        """The processes that answer requests."""
        found, known = [], {self.pid}
        parents = {}
        for status in Path("/proc").glob("[0-9]*/stat"):
            try:
                parents[int(status.parent.name)] = int(status.read_text().rpartition(")")[2].split()[1])
            except (OSError, ValueError):
                continue
        for pid in sorted(parents):
            if parents[pid] in known:
                known.add(pid)
                found.append(pid)
        return [pid for pid in found if pid not in parents.values()]


@contextmanager
def web(folder: Path) -> Iterator[Web]:
    """The web server, with the settings that bring the comparison's views along."""
    port = free_port()
    command = production_command()
    command[command.index("--host") + 1], command[command.index("--port") + 1] = "127.0.0.1", str(port)
    command[0] = str(production_packages() / "bin" / command[0])
    address = f"http://127.0.0.1:{port}"
    log, environment = folder / "web.log", os.environ | production_memory() | {"STATEMENT_TIMEOUT": "30"}
    with (
        log.open("wb") as output,
        guarded([*command], lock=folder / "web.lock", output=output.fileno(), environment=environment) as guard,
    ):
        wait_until(lambda: is_ready(address), guard, "the web server", log, 0)
        yield Web(address, guard.pid)


def is_ready(address: str) -> bool:
    request = urllib.request.Request(f"{address}/healthz", headers={"Host": "localhost"})  # noqa: S310  our own
    try:
        with urllib.request.urlopen(request, timeout=5) as response:  # noqa: S310
            return bool(response.status == 200)
    except (urllib.error.URLError, OSError):
        return False


@dataclass
class Phone:
    """A patient's signed-in phone; and the same user's token for the minimal views."""

    patient_id: int
    clinic_id: int
    user_id: int
    bearer: str
    token: str


def phones(count: int, name: str = "generated") -> list[Phone]:
    """So many generated patients, with consent and a phone each."""
    from django.utils import timezone
    from rest_framework.authtoken.models import Token
    from uuid_utils.compat import uuid7

    from backend.people.models import CareTeam, Clinic, ClinicText, Consent, Device, Patient, User
    from backend.people.tokens import start_session

    now = timezone.now()
    clinic = Clinic.objects.create(name=name, time_zone="Europe/Zurich", languages=["en"])
    team = CareTeam.objects.create(clinic=clinic, name=name)
    text = ClinicText.objects.create(clinic=clinic, kind="consent", language="en", version=1, body="Generated.")
    users = User.objects.bulk_create(User(email=f"{name}-{n}@example.org") for n in range(count))
    patients = Patient.objects.bulk_create(
        Patient(
            clinic=clinic,
            care_team=team,
            user=user,
            identifier=f"{name} {n}",
            time_zone="Europe/Zurich",
            status=Patient.Status.ACTIVE,
            programme_started_on=(now - timedelta(days=100)).date(),
        )
        for n, user in enumerate(users)
    )
    Consent.objects.bulk_create(
        Consent(clinic=clinic, patient=patient, text=text, given_at=now) for patient in patients
    )
    tokens = Token.objects.bulk_create(Token(user=user, key=Token.generate_key()) for user in users)
    found = []
    devices = []
    for user, patient, token in zip(users, patients, tokens, strict=True):
        key, (access, _) = start_session(user)
        devices.append(Device(id=uuid7(), clinic=clinic, patient=patient, session_key=key))
        found.append(Phone(patient.pk, clinic.pk, user.pk, f"Bearer {access}", f"Token {token.key}"))
    Device.objects.bulk_create(devices)
    return found
