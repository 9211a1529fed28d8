"""Colleagues come and go; a clinic always has an admin, and nobody knows another one's password."""

import re

import pytest
from django.core import mail
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from backend.people.models import CareTeam, Clinic, Membership, OnCall, Role, User
from tests.backend.dashboard import builders

pytestmark = pytest.mark.django_db


@pytest.fixture
def clinic() -> Clinic:
    return builders.clinic("Example Back Clinic", languages=["en"])


@pytest.fixture
def admin(clinic: Clinic, client: Client) -> User:
    user = builders.colleague(clinic, role=Role.ADMIN)
    builders.sign_in(client, user)
    return user


def post(client: Client, clinic: Clinic, path: str, **data: object) -> str:
    address = f"/clinics/{clinic.pk}/clinic/{path}"
    return str(client.post(address, data, secure=True, follow=True).content.decode())


def add(client: Client, clinic: Clinic, email: str, role: str = "clinician") -> str:
    return post(client, clinic, "staff/", email=email, name="Example Colleague", role=role)


def test_a_new_colleague_sets_their_own_password_by_the_letter(client: Client, clinic: Clinic, admin: User) -> None:
    assert "A letter is on its way" in add(client, clinic, "new@clinic.example")
    user = User.objects.get(email="new@clinic.example")
    assert not user.has_usable_password()
    (letter,) = mail.outbox
    assert letter.to == ["new@clinic.example"]
    assert "within 3 days" in letter.body
    found = re.search(r"https://testserver(/accounts/password/reset/key/\S+)", str(letter.body))
    assert found
    theirs = Client()
    page = theirs.get(found[1], secure=True, follow=True)
    where = page.redirect_chain[-1][0]
    phrase = "a long phrase for the tests"
    theirs.post(where, {"password1": phrase, "password2": phrase}, secure=True)
    user.refresh_from_db()
    assert user.check_password(phrase)


def test_a_known_account_joins_under_the_name_it_has(client: Client, clinic: Clinic, admin: User) -> None:
    other = builders.colleague(builders.clinic())
    other.set_password("a long phrase for the tests")
    other.save()
    add(client, clinic, other.email.upper())
    assert Membership.objects.filter(user=other).count() == 2
    assert "password/reset" not in str(mail.outbox[0].body)
    other.refresh_from_db()
    assert other.name != "Example Colleague"


def test_whose_address_it_is_stays_unsaid(client: Client, clinic: Clinic, admin: User) -> None:
    patient = User.objects.create_user("patient@example.org")
    builders.patient(builders.team(clinic), user=patient)
    User.objects.create_user("operator@example.org", is_staff=True)
    told = [add(client, clinic, f"{who}@example.org") for who in ("patient", "operator")]
    assert all("This address can&#x27;t be used here" in text for text in told)
    assert 'id="id_email_error"' in told[0]
    assert Membership.objects.count() == 1
    assert mail.outbox == []


def test_a_colleague_is_here_once(client: Client, clinic: Clinic, admin: User) -> None:
    assert "is here already" in add(client, clinic, admin.email)


def test_a_letter_that_nobody_takes_is_said_and_sent_again(
    client: Client, clinic: Clinic, admin: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(self: object, **_: object) -> int:
        raise ConnectionRefusedError

    with monkeypatch.context() as patched:
        patched.setattr("django.core.mail.EmailMessage.send", refuse)
        assert "could not be sent" in add(client, clinic, "new@clinic.example")
    member = Membership.objects.get(user__email="new@clinic.example")
    assert "A letter is on its way" in post(client, clinic, f"staff/{member.pk}/letter")
    assert len(mail.outbox) == 1


def test_the_last_admin_stays_one(client: Client, clinic: Clinic, admin: User) -> None:
    mine = Membership.objects.get(user=admin)
    gone = builders.colleague(clinic, role=Role.ADMIN, is_active=False)
    assert "the last admin" in post(client, clinic, f"staff/{mine.pk}/remove")
    assert "the last admin" in post(client, clinic, f"staff/{mine.pk}/role", role="clinician")
    builders.colleague(clinic, role=Role.ADMIN)
    post(client, clinic, f"staff/{mine.pk}/role", role="clinician")
    mine.refresh_from_db()
    assert mine.role == Role.CLINICIAN
    assert Membership.objects.filter(user=gone).exists()


def test_who_is_on_call_is_not_removed_unseen(client: Client, clinic: Clinic, admin: User) -> None:
    member = builders.colleague(clinic).membership_set.get()
    place = OnCall.objects.create(clinic=clinic, membership=member, position=1, hours="always")
    assert "on-call chain" in post(client, clinic, f"staff/{member.pk}/remove")
    place.delete()
    assert "works here no more" in post(client, clinic, f"staff/{member.pk}/remove")
    assert not Membership.objects.filter(pk=member.pk).exists()


def test_a_colleague_of_another_clinic_is_not_found(client: Client, clinic: Clinic, admin: User) -> None:
    foreign = builders.colleague(builders.clinic()).membership_set.get()
    for path in ("role", "letter", "remove"):
        address = f"/clinics/{clinic.pk}/clinic/staff/{foreign.pk}/{path}"
        assert client.post(address, secure=True).status_code == 404


def test_a_team_is_made_and_filled(client: Client, clinic: Clinic, admin: User) -> None:
    member = builders.colleague(clinic).membership_set.get()
    post(client, clinic, "teams/", **{"new-name": "Team North", "new-members": [member.pk]})
    team = CareTeam.objects.get()
    assert list(team.members.all()) == [member]
    post(client, clinic, f"teams/{team.pk}", **{f"{team.pk}-name": "Team South"})
    team.refresh_from_db()
    assert (team.name, team.members.count()) == ("Team South", 0)


def test_two_teams_of_one_name_and_members_from_elsewhere_are_refused_at_their_field(
    client: Client, clinic: Clinic, admin: User
) -> None:
    builders.team(clinic, "Team North")
    foreign = builders.colleague(builders.clinic()).membership_set.get()
    assert "has this name" in post(client, clinic, "teams/", **{"new-name": "Team North"})
    text = post(client, clinic, "teams/", **{"new-name": "Team South", "new-members": [foreign.pk]})
    assert 'id="id_new-members_error"' in text
    assert CareTeam.objects.count() == 1


@pytest.mark.parametrize("path", ["staff/", "teams/"])
def test_the_number_of_statements_does_not_grow(client: Client, clinic: Clinic, admin: User, path: str) -> None:
    def statements() -> int:
        with CaptureQueriesContext(connection) as captured:
            client.get(f"/clinics/{clinic.pk}/clinic/{path}", secure=True)
        return len(captured)

    builders.colleague(clinic, builders.team(clinic))
    statements()  # the first visit notes in the session when somebody was last here
    few = statements()
    for _ in range(5):
        builders.colleague(clinic, builders.team(clinic), builders.team(clinic))
    assert statements() == few
