"""A colleague's own affairs: where they are signed in, and in what language they read."""

from __future__ import annotations

import shutil
import struct
from pathlib import Path
from typing import Any

import pytest
from allauth.usersessions.models import UserSession
from django.core.management import call_command
from django.test import Client
from django.utils import translation
from django.utils.translation import trans_real

from backend.people.models import Membership, Role, User
from tests.backend.dashboard import builders
from tests.factories import a_clinician, a_team
from tests.signin import browser

pytestmark = pytest.mark.django_db

PASSWORD = "a long enough test password"


def sign_in(user: User) -> Client:
    """By the page for it, as a browser does, as far as the password goes; and the second factor as it leaves it."""
    client = Client(headers={"user-agent": f"Browser of {user.pk}"})
    client.post("/accounts/login/", {"login": user.email, "password": PASSWORD})
    shown = browser(user)
    session = client.session
    session.update({key: value for key, value in shown.session.items() if key.startswith("account_")})
    session.save()
    return client


def may_enter(client: Client, user: User) -> bool:
    clinic = Membership.objects.get(user=user).clinic_id
    return bool(client.get(f"/clinics/{clinic}/").status_code == 200)


def test_one_sees_ones_own_sessions_and_nobody_elses() -> None:
    user, other = a_clinician(a_team()), a_clinician(a_team())
    here, _there, _stranger = sign_in(user), sign_in(user), sign_in(other)
    text = here.get("/accounts/sessions/").content.decode()
    assert text.count(f"Browser of {user.pk}") == 2
    assert text.count(">here<") == 1
    assert f"Browser of {other.pk}" not in text


@pytest.mark.parametrize("page", ["sessions/", "2fa/", "password/change/"])
def test_the_pages_about_an_account_name_the_clinic_and_lead_back_to_it(page: str) -> None:
    user = a_clinician(a_team())
    clinic = user.membership_set.get().clinic
    text = sign_in(user).get(f"/accounts/{page}", follow=True).content.decode()
    assert clinic.name in text.partition("</title>")[0]
    assert f'href="/clinics/{clinic.pk}/alerts/"' in text


def test_who_has_shown_a_password_alone_is_told_of_no_clinic() -> None:
    user = a_clinician(a_team())
    text = browser(user, second_factor=False).get("/accounts/2fa/totp/activate/", follow=True).content.decode()
    assert user.membership_set.get().clinic.name not in text


def test_signing_out_the_others_leaves_this_one() -> None:
    user = a_clinician(a_team())
    here, there = sign_in(user), sign_in(user)
    here.post("/accounts/sessions/")
    assert (may_enter(here, user), may_enter(there, user)) == (True, False)


def test_signing_out_everywhere_leaves_none() -> None:
    user, other = a_clinician(a_team()), a_clinician(a_team())
    here, there, stranger = sign_in(user), sign_in(user), sign_in(other)
    told = here.post("/me/sign-out-everywhere", follow=True)
    assert "signed out everywhere" in told.content.decode()
    assert (may_enter(here, user), may_enter(there, user), may_enter(stranger, other)) == (False, False, True)
    assert not UserSession.objects.filter(user=user).exists()


def compiled(words: dict[str, str]) -> bytes:
    """A catalogue as msgfmt makes it (GNU gettext manual, "The Format of GNU MO Files")."""
    pairs = sorted({"": "Content-Type: text/plain; charset=UTF-8\n", **words}.items())
    texts = [(said.encode(), other.encode()) for said, other in pairs]
    start, blob, tables = 28 + 16 * len(pairs), b"", ([], [])  # type: ignore[var-annotated]
    for place in (0, 1):
        for text in texts:
            tables[place].append((len(text[place]), start + len(blob)))
            blob += text[place] + b"\0"
    head = struct.pack("<7I", 0x950412DE, 0, len(pairs), 28, 28 + 8 * len(pairs), 0, 0)
    return head + b"".join(struct.pack("<2I", *row) for table in tables for row in table) + blob


@pytest.fixture
def german(tmp_path: Path, settings: Any) -> Any:
    """A second language, from nothing but a file."""
    folder = tmp_path / "de" / "LC_MESSAGES"
    folder.mkdir(parents=True)
    words = {
        "Patients": "Patientinnen und Patienten",
        "week %(week)s": "Woche %(week)s",
        "no threshold known": "ohne Schwelle",
    }
    (folder / "django.mo").write_bytes(compiled(words))
    settings.LOCALE_PATHS = [str(tmp_path)]
    trans_real._translations.clear()  # type: ignore[attr-defined]
    yield
    trans_real._translations.clear()  # type: ignore[attr-defined]
    translation.activate("en")


def test_a_language_is_a_file_and_numbers_follow_the_reader(german: None) -> None:
    clinic = builders.clinic()
    user = builders.colleague(clinic, role=Role.ADMIN)
    one = builders.patient(builders.team(clinic))
    builders.summary(one, pain=4.5, pain_change=-1.5)
    client = Client()
    builders.sign_in(client, user)
    assert "Patients" in client.get(f"/clinics/{clinic.pk}/", headers={"accept-language": "de"}).content.decode()

    client.post("/me/language/", {"language": "de"})
    text = client.get(f"/clinics/{clinic.pk}/", headers={"accept-language": "en"}).content.decode()
    assert '<html lang="de">' in text
    assert "<h1>Patientinnen und Patienten</h1>" in text
    assert ">4,5</span>" in text
    assert "−1,5 ohne Schwelle" in text
    client.post("/me/language/", {"language": "fr"})
    user.refresh_from_db()
    assert user.language == "de"


def test_nobody_is_left_without_words_by_a_language_that_is_gone() -> None:
    clinic = builders.clinic()
    user = builders.colleague(clinic, language="tlh")
    client = Client()
    builders.sign_in(client, user)
    assert '<html lang="en">' in client.get(f"/clinics/{clinic.pk}/").content.decode()


def test_what_the_pages_say_is_found_by_gettext(tmp_path: Path, settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """makemessages writes what there is to translate. It needs GNU gettext, as translating does."""
    if not shutil.which("xgettext"):
        pytest.skip("no xgettext here")
    settings.LOCALE_PATHS = [str(tmp_path)]
    monkeypatch.chdir(Path(settings.BASE_DIR) / "backend" / "dashboard")
    call_command("makemessages", locale=["de"], verbosity=0, no_location=True, no_wrap=True)
    found = (tmp_path / "de" / "LC_MESSAGES" / "django.po").read_text()
    for text in ("Saved views", "Take it on", "Worsening", "For the visit: %(name)s", "week %(week)s"):
        assert f'msgid "{text}"' in found
