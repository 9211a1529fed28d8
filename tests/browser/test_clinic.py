"""An admin at work on the clinic's pages: by keyboard, with a preview, and on a narrow screen."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from backend.people.models import ClinicText, OnCall, Patient, Role
from tests.backend.dashboard import builders
from tests.browser.conftest import Open

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def test_a_patient_is_entered_invited_and_discharged_by_keyboard(open_page: Open) -> None:
    clinic = builders.clinic("Example Back Clinic", languages=["en"])
    team = builders.team(clinic, "Team North")
    page = open_page(f"/clinics/{clinic.pk}/", builders.colleague(clinic, team))
    page.get_by_role("link", name="Clinic", exact=True).press("Enter")
    page.get_by_role("link", name="Patients", exact=True).nth(1).press("Enter")
    page.get_by_role("link", name="Add a patient").press("Enter")
    page.get_by_label("Identifier").focus()
    page.keyboard.type("A-17")
    page.keyboard.press("Tab")
    page.keyboard.type("Example Person")
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Make a code").press("Enter")
    expect(page.locator(".code")).to_be_visible()
    patient = Patient.objects.get(identifier="A-17")
    page.goto(f"/patients/{patient.pk}/manage/")
    page.get_by_role("button", name="Discharge").press("Enter")
    expect(page.get_by_role("button", name="Take back")).to_be_visible()


def test_the_last_thing_missing_is_named_and_phq_9_may_be_asked(open_page: Open) -> None:
    clinic = builders.clinic("Example Back Clinic", languages=["en"], fallback_email="reception@clinic.example")
    clinic.opening_hours.create(weekday=0, opens="08:00", closes="17:00")
    page = open_page(f"/clinics/{clinic.pk}/clinic/rota/", builders.colleague(clinic, role=Role.ADMIN))
    expect(page.get_by_text("PHQ-9 can't be scheduled.")).to_be_visible()
    page.get_by_label("In words").fill("weekdays, by phone")
    page.get_by_label("Saturday", exact=True).uncheck()
    page.get_by_role("button", name="Add", exact=True).click()
    expect(page.get_by_text("PHQ-9 can be scheduled.")).to_be_visible()
    assert OnCall.objects.get().weekdays == 127 - 32


def test_the_preview_follows_what_is_typed_and_nothing_is_published_before_one_says_so(open_page: Open) -> None:
    clinic = builders.clinic("Example Back Clinic", languages=["en"])
    page = open_page(f"/clinics/{clinic.pk}/clinic/texts/crisis/en/", builders.colleague(clinic, role=Role.ADMIN))
    page.get_by_label("Text").press_sequentially("Example words for a bad moment.")
    expect(page.locator("#preview .screen")).to_have_text("Example words for a bad moment.")
    assert not ClinicText.objects.exists()
    page.get_by_role("button", name="Publish the next version").click()
    expect(page.get_by_role("status")).to_contain_text("Version 1 is published.")


def test_on_a_narrow_screen_the_list_of_pages_is_a_menu(open_page: Open) -> None:
    clinic = builders.clinic("Example Back Clinic", languages=["en"])
    admin = builders.colleague(clinic, role=Role.ADMIN)
    page = open_page(f"/clinics/{clinic.pk}/clinic/staff/", admin, viewport={"width": 390, "height": 800})
    page.locator(".pages-menu summary").press("Enter")
    page.get_by_role("navigation", name="Clinic").get_by_role("link", name="Care teams").click()
    expect(page).to_have_title(f"Care teams · {clinic.name} · Steadyback")
