"""The pages of a move: proposed here, accepted there, read on here."""

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from backend.people.models import Audit, CareTeam, Patient, Role, Transfer
from backend.people.transferring import accept, agree_on_paper, propose
from tests.backend.dashboard import builders

pytestmark = pytest.mark.django_db


@pytest.fixture
def here() -> CareTeam:
    return builders.team(builders.clinic("Example Clinic North", languages=["en"]))


@pytest.fixture
def there() -> CareTeam:
    return builders.team(builders.clinic("Example Clinic South", languages=["en"]))


def as_admin(team: CareTeam) -> Client:
    client = Client()
    builders.sign_in(client, builders.colleague(team.clinic, role=Role.ADMIN))
    return client


def get(client: Client, address: str) -> str:
    return str(client.get(address, secure=True).content.decode())


def post(client: Client, address: str, **data: object) -> str:
    return str(client.post(address, data, secure=True, follow=True).content.decode())


def test_from_proposal_to_arrival_and_what_is_read_on(here: CareTeam, there: CareTeam) -> None:
    patient = builders.patient(here, "Example Person", identifier="OLD-1")
    builders.response(patient, "fear-daily", {"fear": 4})
    north, south = as_admin(here), as_admin(there)
    manage = f"/patients/{patient.pk}/manage/"
    arriving = f"/clinics/{there.clinic_id}/clinic/patients/"

    assert "is asked to agree" in post(north, f"{manage}transfer", do="propose", to=there.clinic_id)
    assert "Example Person" not in get(south, arriving)
    assert "signed consent" in post(north, f"{manage}transfer", do="paper")
    assert "may accept now" in post(north, f"{manage}transfer", do="paper", signed="on")
    assert "Example Person" in get(south, arriving)

    arrival = f"/clinics/{there.clinic_id}/clinic/arrivals/{Transfer.objects.get().pk}/"
    assert 'id="id_identifier_error"' in post(south, arrival, care_team=there.pk, identifier="")
    assert "Welcome" in post(south, arrival, care_team=there.pk, identifier="NEW-1")
    patient.refresh_from_db()
    assert (patient.clinic, patient.identifier) == (there.clinic, "NEW-1")
    assert north.get(manage, secure=True).status_code == 404

    former = f"/clinics/{here.clinic_id}/clinic/former/"
    assert "OLD-1" in get(north, former)
    builders.response(patient, "fear-daily", {"fear": 2})
    text = get(north, f"{former}{patient.pk}/")
    assert text.count('class="card response') == 1
    assert "<h1>OLD-1 <small>left " in text
    assert "<title>Answers · OLD-1 · " in text
    assert "NEW-1" not in text
    assert "Example Person" not in text
    copy = north.get(f"{former}{patient.pk}/copy", secure=True).getvalue()
    assert copy.count(b'"type":"responses"') == 1
    actions = set(Audit.objects.filter(patient=patient, clinic=there.clinic).values_list("action", flat=True))
    assert {"read former responses", "export former copy", "transfer in"} <= actions


def test_a_transfer_is_called_off_or_declined(here: CareTeam, there: CareTeam) -> None:
    patient = builders.patient(here)
    north, south = as_admin(here), as_admin(there)
    address = f"/patients/{patient.pk}/manage/transfer"
    assert "No transfer is under way." in post(north, address, do="cancel")
    assert "Name the clinic." in post(north, address, do="propose", to=here.clinic_id)
    post(north, address, do="propose", to=there.clinic_id)
    assert "Called off." in post(north, address, do="cancel")
    post(north, address, do="propose", to=there.clinic_id)
    post(north, address, do="paper", signed="on")
    arrival = f"/clinics/{there.clinic_id}/clinic/arrivals/{Transfer.objects.latest('pk').pk}/"
    assert "Declined." in post(south, arrival, do="decline")
    assert Patient.objects.get().clinic == here.clinic
    assert south.get(arrival, secure=True).status_code == 404


def test_the_number_of_statements_does_not_grow_with_who_left(here: CareTeam, there: CareTeam) -> None:
    client, former = as_admin(here), f"/clinics/{here.clinic_id}/clinic/former/"

    def leave(number: int) -> None:
        transfer = propose(builders.patient(here), there.clinic, builders.colleague(here.clinic).pk, builders.NOW)
        agree_on_paper(transfer, builders.colleague(here.clinic).pk, builders.NOW)
        accept(transfer, there, f"NEW-{number}", builders.colleague(there.clinic).pk, builders.NOW)

    def statements() -> int:
        with CaptureQueriesContext(connection) as captured:
            assert "Example Clinic South" in get(client, former)
        return len(captured)

    leave(0)
    statements()  # the first visit notes in the session when somebody was last here
    few = statements()
    for number in range(1, 4):
        leave(number)
    assert statements() == few
