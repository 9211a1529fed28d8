"""A patient moves from one clinic to another: what each clinic sees before, meanwhile and after."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from backend.people.models import Patient, Role, Transfer
from tests.backend.dashboard import builders
from tests.browser.conftest import Open

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def status(page: Page, path: str) -> int:
    return page.request.get(path).status


def test_a_patient_moves_and_each_clinic_sees_what_is_its_own(open_page: Open) -> None:
    here = builders.team(builders.clinic("Example Clinic North", languages=["en"]), "Team North")
    there = builders.team(builders.clinic("Example Clinic South", languages=["en"]), "Team South")
    patient = builders.patient(here, "Example Person", identifier="OLD-1")
    builders.response(patient, "fear-daily", {"fear": 4})
    record, manage = f"/patients/{patient.pk}/", f"/patients/{patient.pk}/manage/"
    arrivals = f"/clinics/{there.clinic_id}/clinic/patients/"
    north = open_page(manage, builders.colleague(here.clinic, role=Role.ADMIN))
    south = open_page(arrivals, builders.colleague(there.clinic, role=Role.ADMIN))

    north.get_by_label("To which clinic").select_option("Example Clinic South")
    north.get_by_role("button", name="Propose the transfer").click()
    expect(north.get_by_role("status")).to_contain_text("The patient is asked to agree")
    south.reload()
    expect(south.get_by_text("Example Person")).to_have_count(0)
    move = Transfer.objects.get()
    assert status(south, f"/clinics/{there.clinic_id}/clinic/arrivals/{move.pk}/") == 404

    north.get_by_label("signed consent").check()
    north.get_by_role("button", name="Note the consent on paper").click()
    expect(north.get_by_role("status")).to_contain_text("The other clinic may accept now.")
    south.reload()
    assert status(south, record) == 404
    south.get_by_role("link", name="Example Person").click()
    south.get_by_label("Identifier").fill("NEW-1")
    south.get_by_role("button", name="Accept").click()
    expect(south.get_by_role("heading", level=1)).to_have_text("Example Person")
    expect(south.locator("main")).to_contain_text("NEW-1")
    assert Patient.objects.get().clinic == there.clinic

    assert status(north, record) == status(north, manage) == 404
    builders.response(Patient.objects.get(), "fear-daily", {"fear": 2})
    north.goto(f"/clinics/{here.clinic_id}/clinic/former/")
    north.get_by_role("link", name="OLD-1", exact=True).click()
    expect(north.locator(".response")).to_have_count(1)
    expect(north.get_by_text("NEW-1")).to_have_count(0)
    stranger = open_page(
        "/", builders.colleague(builders.clinic("Example Clinic West", languages=["en"]), role=Role.ADMIN)
    )
    for path in (record, manage, f"/clinics/{here.clinic_id}/clinic/former/{patient.pk}/"):
        assert status(stranger, path) == 404
