"""From a password to the panel, through the second factor."""

import time

import pytest
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value
from django.core.cache import cache
from playwright.sync_api import Page, expect

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
    page.get_by_placeholder("Code").fill(code(secret))
    page.get_by_role("button", name="Sign In").click()
    expect(page).to_have_title(f"Patients · {clinic.name} · Steadyback")


def test_a_wrong_password_says_so_and_lets_nobody_in(open_page: Open) -> None:
    clinic = builders.clinic()
    user = builders.colleague(clinic)
    page = open_page("/")
    give_password(page, user.email)
    expect(page.get_by_text("not correct")).to_be_visible()
