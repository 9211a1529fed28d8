"""A clinic's own numbers, words and settings."""

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from backend.dashboard.texts import KINDS
from backend.dashboard.thresholds import NUMBERS
from backend.people.models import Clinic, ClinicText, Role, User
from outcomes.alert_rules import RULES
from outcomes.clinic_rules import rules_of
from outcomes.models import ClinicRule
from tests.backend.dashboard import builders

pytestmark = pytest.mark.django_db


@pytest.fixture
def clinic() -> Clinic:
    return builders.clinic(languages=["de", "en"])


@pytest.fixture
def admin(clinic: Clinic, client: Client) -> User:
    user = builders.colleague(clinic, role=Role.ADMIN)
    builders.sign_in(client, user)
    return user


def page(client: Client, clinic: Clinic, path: str, **data: object) -> str:
    address = f"/clinics/{clinic.pk}/clinic/{path}"
    answer = client.post(address, data, secure=True, follow=True) if data else client.get(address, secure=True)
    return str(answer.content.decode())


def test_each_rule_stands_there_with_version_source_and_every_number(
    client: Client, clinic: Clinic, admin: User
) -> None:
    text = page(client, clinic, "thresholds/")
    for rule in RULES:
        assert f'id="{rule.code}"' in text
    assert "severe from 20: Kroenke 2001" in text
    assert {name for rule in RULES for name in rule.bounds()} == set(NUMBERS)


def test_a_number_is_moved_within_its_bounds_and_emptied_back_to_the_default(
    client: Client, clinic: Clinic, admin: User
) -> None:
    text = page(client, clinic, "thresholds/DEP-1", **{"DEP-1-at_least": "18", "DEP-1-limit": "1"})
    assert "Kept." in text
    assert rules_of([clinic.pk])[clinic.pk]["DEP-1"].number("at_least") == 18
    own = ClinicRule.objects.get()
    assert own.thresholds == {"at_least": 18}  # the limit is still the default, whatever that will be
    assert own.changed_by == admin
    page(client, clinic, "thresholds/DEP-1", **{"DEP-1-at_least": "", "DEP-1-limit": "1"})
    assert rules_of([clinic.pk])[clinic.pk]["DEP-1"].number("at_least") == 20


def test_a_number_out_of_bounds_is_told_at_its_field(client: Client, clinic: Clinic, admin: User) -> None:
    text = page(client, clinic, "thresholds/SUI-1", **{"SUI-1-limit": "600"})
    assert 'id="id_SUI-1-limit_error"' in text
    assert 'value="600"' in text
    assert not ClinicRule.objects.exists()


def test_a_rule_without_a_number_to_move_and_one_that_is_none_are_not_found(
    client: Client, clinic: Clinic, admin: User
) -> None:
    for code in ("CES-1", "NOPE"):
        address = f"/clinics/{clinic.pk}/clinic/thresholds/{code}"
        assert client.post(address, {}, secure=True).status_code == 404


def test_what_is_missing_is_said_with_what_a_phone_shows_instead(client: Client, clinic: Clinic, admin: User) -> None:
    assert set(KINDS) == set(ClinicText.Kind.values)
    ClinicText.objects.create(clinic=clinic, kind="crisis", language="de", version=1, body="Example words.")
    text = page(client, clinic, "texts/")
    assert "The phone shows “de” instead." in text
    assert text.count("Nobody can enrol in this language.") == 2
    assert text.count("The phone has nothing to show.") == 2 * (len(KINDS) - 2)


def test_a_preview_publishes_nothing(client: Client, clinic: Clinic, admin: User) -> None:
    text = page(client, clinic, "texts/crisis/en/", body="First line.\n<b>Second</b>", do="preview")
    assert "First line.\r\n&lt;b&gt;Second&lt;/b&gt;</div>" in text or "First line.\n&lt;b&gt;Second" in text
    assert not ClinicText.objects.exists()


def test_versions_count_up_and_the_old_words_stay(client: Client, clinic: Clinic, admin: User) -> None:
    page(client, clinic, "texts/crisis/en/", body="Example one.", do="publish")
    text = page(client, clinic, "texts/crisis/en/", body="Example two.", do="publish")
    assert "Version 2 is published." in text
    assert "Example one." in text
    assert list(ClinicText.objects.order_by("version").values_list("version", "body")) == [
        (1, "Example one."),
        (2, "Example two."),
    ]
    assert "current version already" in page(client, clinic, "texts/crisis/en/", body="Example two.", do="publish")
    assert 'id="id_body_error"' in page(client, clinic, "texts/crisis/en/", body=" ", do="publish")
    assert ClinicText.objects.count() == 2


@pytest.mark.parametrize("path", ["texts/nope/en/", "texts/crisis/fr/"])
def test_a_kind_or_language_that_is_none_of_the_clinics_is_not_found(
    client: Client, clinic: Clinic, admin: User, path: str
) -> None:
    assert client.get(f"/clinics/{clinic.pk}/clinic/{path}", secure=True).status_code == 404


def test_settings_are_kept(client: Client, clinic: Clinic, admin: User) -> None:
    text = page(client, clinic, "settings/", languages="EN, de,en", time_zone="Europe/Vienna", keep_years="10")
    assert "Kept." in text
    clinic.refresh_from_db()
    assert (clinic.languages, clinic.time_zone, clinic.keep_years) == (["en", "de"], "Europe/Vienna", 10)


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"languages": "de, klingon"}, "No language is called “klingon”."),
        ({"languages": " , "}, "Name at least one."),
        ({"languages": "en"}, "1 patient is asked in a language that would go."),
        ({"time_zone": "Europe/Nowhere"}, "Select a valid choice."),
        ({"keep_years": "0"}, "greater than or equal to 1"),
    ],
)
def test_settings_that_cannot_be_are_told_at_their_field(
    client: Client, clinic: Clinic, admin: User, wrong: dict[str, str], told: str
) -> None:
    builders.patient(builders.team(clinic), language="de")
    text = page(client, clinic, "settings/", **{"languages": "de", "time_zone": "Europe/Vienna"} | wrong)
    assert told in text
    assert f'id="id_{next(iter(wrong))}_error"' in text
    clinic.refresh_from_db()
    assert (clinic.languages, clinic.time_zone, clinic.keep_years) == (["de", "en"], "Europe/Zurich", None)


@pytest.mark.parametrize(("path", "most"), [("thresholds/", 6), ("texts/", 5), ("settings/", 4)])
def test_the_number_of_statements_is_fixed(client: Client, clinic: Clinic, admin: User, path: str, most: int) -> None:
    for kind in KINDS:
        ClinicText.objects.create(clinic=clinic, kind=kind, language="de", version=1, body="Example words.")
    page(client, clinic, path)  # the first visit notes in the session when somebody was last here
    with CaptureQueriesContext(connection) as captured:
        page(client, clinic, path)
    assert len(captured) == most
