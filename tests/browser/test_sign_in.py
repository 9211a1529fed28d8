"""From a password to the panel, through the second factor."""

import time

import pytest
from allauth.mfa.recovery_codes.internal import auth as recovery_codes
from allauth.mfa.totp.internal import auth as totp
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value
from django.contrib.sessions.backends.db import SessionStore
from django.core.cache import cache
from playwright.sync_api import Page, expect

from backend.dashboard.idle import IDLE, KEY
from tests.backend.dashboard import builders
from tests.browser.conftest import Open

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

PASSWORD = "a long phrase for the tests"


def code(secret: str) -> str:
    return str(format_hotp_value(hotp_value(secret, int(time.time()) // 30)))


def give_password(page: Page, email: str) -> None:
    page.get_by_label("Email").fill(email)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()


def test_a_new_colleague_sets_up_a_second_factor_and_shows_it_from_then_on(open_page: Open) -> None:
    clinic = builders.clinic("Example Back Clinic")
    user = builders.colleague(clinic, builders.team(clinic))
    user.set_password(PASSWORD)
    user.save()

    page = open_page(f"/clinics/{clinic.pk}/")
    give_password(page, user.email)
    page.get_by_label("Password").fill(PASSWORD)  # a new factor wants the old one afresh
    page.get_by_role("button", name="Confirm").click()
    secret = page.get_by_label("Authenticator secret").input_value()
    page.get_by_label("Authenticator code").fill(code(secret))
    page.get_by_role("button", name="Activate").click()
    expect(page.get_by_role("heading", name="Recovery Codes")).to_be_visible()
    page.goto("/")
    expect(page.get_by_role("heading", name="Patients")).to_be_visible()

    page.get_by_text(user.name).click()
    page.get_by_role("button", name="Sign out").click()
    cache.clear()  # a code counts once, and the next one is half a minute away

    page.goto(f"/clinics/{clinic.pk}/")
    give_password(page, user.email)
    expect(page.get_by_role("heading", name="Two-Factor Authentication")).to_be_visible()
    expect(page.get_by_label("Code", exact=True)).to_be_focused()
    page.get_by_placeholder("Code").fill(code(secret))
    page.get_by_role("button", name="Sign In").click()
    expect(page).to_have_title(f"Patients · {clinic.name} · Steadyback")


def test_a_wrong_password_says_so_and_lets_nobody_in(open_page: Open) -> None:
    clinic = builders.clinic()
    user = builders.colleague(clinic)
    page = open_page("/")
    give_password(page, user.email)
    expect(page.get_by_text("not correct")).to_be_visible()


def test_a_recovery_code_opens_the_door_once(open_page: Open) -> None:
    clinic = builders.clinic("Example Back Clinic")
    user = builders.colleague(clinic, builders.team(clinic))
    user.set_password(PASSWORD)
    user.save()
    totp.TOTP.activate(user, totp.generate_totp_secret())
    spare = recovery_codes.RecoveryCodes.activate(user).get_unused_codes()[0]

    def show(page: Page) -> None:
        give_password(page, user.email)
        page.get_by_placeholder("Code").fill(spare)
        page.get_by_role("button", name="Sign In").click()

    page = open_page(f"/clinics/{clinic.pk}/")
    show(page)
    expect(page).to_have_title(f"Patients · {clinic.name} · Steadyback")
    again = open_page(f"/clinics/{clinic.pk}/")
    show(again)
    expect(again.get_by_text("Incorrect code")).to_be_visible()


def test_one_sees_where_one_is_signed_in_and_leaves_everywhere_at_once(open_page: Open) -> None:
    clinic = builders.clinic("Example Back Clinic")
    user = builders.colleague(clinic, builders.team(clinic))
    user.set_password(PASSWORD)
    user.save()
    secret = totp.generate_totp_secret()
    totp.TOTP.activate(user, secret)
    pages = []
    for _ in range(2):
        page = open_page(f"/clinics/{clinic.pk}/")
        give_password(page, user.email)
        page.get_by_placeholder("Code").fill(code(secret))
        page.get_by_role("button", name="Sign In").click()
        expect(page.get_by_role("heading", name="Patients")).to_be_visible()
        cache.clear()  # a code counts once, and the next one is half a minute away
        pages.append(page)
    here, there = pages
    here.get_by_text(user.name).click()
    here.get_by_role("link", name="Sessions").click()
    expect(here.locator("tbody tr")).to_have_count(2)
    here.get_by_role("button", name="Sign out everywhere").click()
    expect(here.get_by_text("You are signed out everywhere.")).to_be_visible()
    there.reload()
    expect(there.get_by_role("heading", name="Sign in")).to_be_visible()


def test_a_screen_that_nobody_sits_at_shows_nothing_any_more(open_page: Open) -> None:
    clinic = builders.clinic("Example Back Clinic")
    user = builders.colleague(clinic, team := builders.team(clinic))
    builders.patient(team, "Example Person")
    page = open_page(f"/clinics/{clinic.pk}/", user)
    expect(page.get_by_text("Example Person")).to_be_visible()
    session = SessionStore(page.context.cookies()[0]["value"])
    session[KEY] = time.time() - IDLE.total_seconds() - 5
    session.save()
    page.evaluate("htmx.trigger(document.querySelector('#panel'), 'every')")
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    expect(page.get_by_text("Example Person")).to_have_count(0)


def test_a_page_is_left_by_itself_once_its_reader_has_signed_out_everywhere(open_page: Open) -> None:
    clinic = builders.clinic("Example Back Clinic")
    user = builders.colleague(clinic, team := builders.team(clinic))
    patient = builders.patient(team, "Example Person")
    page = open_page(f"/patients/{patient.pk}/", user)
    page.clock.install()
    page.reload()
    expect(page.get_by_role("heading", name="Example Person")).to_be_visible()
    SessionStore(page.context.cookies()[0]["value"]).delete()
    page.clock.fast_forward(60_000)
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    expect(page.get_by_text("Example Person")).to_have_count(0)


def test_a_half_written_note_outlives_the_lock(open_page: Open) -> None:
    clinic = builders.clinic("Example Back Clinic")
    user = builders.colleague(clinic, team := builders.team(clinic))
    user.set_password(PASSWORD)
    user.save()
    secret = totp.generate_totp_secret()
    totp.TOTP.activate(user, secret)
    patient = builders.patient(team, "Example Person")
    page = open_page(f"/patients/{patient.pk}/notes/", user)
    page.clock.install()
    page.reload()
    page.get_by_label("Note", exact=True).fill("Half a note about the telephone call.")
    with page.expect_response("**/me/idle"):
        page.clock.fast_forward(60_000)  # who types is somebody
    session = SessionStore(page.context.cookies()[0]["value"])
    session[KEY] = time.time() - IDLE.total_seconds() - 5
    session.save()
    page.clock.fast_forward(60_000)
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    expect(page.get_by_text("Example Person")).to_have_count(0)

    page.clock.resume()
    give_password(page, user.email)
    page.get_by_label("Code", exact=True).fill(code(secret))
    page.get_by_role("button", name="Sign In").click()
    expect(page.get_by_label("What you wrote")).to_have_value("Half a note about the telephone call.")
    page.get_by_role("button", name="Send it now").click()
    expect(page.get_by_text("The note is kept.")).to_be_visible()
    expect(page.locator(".note .body")).to_have_text("Half a note about the telephone call.")
