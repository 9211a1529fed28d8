"""Every page at three widths, light and dark: no serious finding of axe-core, nothing wider than the screen.

The pictures are kept where STEADYBACK_SCREENSHOTS says, for somebody to look at.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from django.urls import reverse
from playwright.sync_api import Page

from backend.dashboard.clinic_pages import PAGES
from backend.people.models import Clinic, Role
from tests.backend.dashboard import builders
from tests.browser.conftest import Open
from tests.browser.scenario import Scenario, made

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

WIDTHS = [(390, 844), (1280, 900), (2560, 1440)]


def pages(scenario: Scenario) -> dict[str, str]:
    return {
        "panel": f"/clinics/{scenario.clinic.pk}/",
        "alerts": f"/clinics/{scenario.clinic.pk}/alerts/",
        "patient": f"/patients/{scenario.worst.pk}/",
        "answers": f"/patients/{scenario.worst.pk}/answers/",
        "programme": f"/patients/{scenario.worst.pk}/programme/",
        "programme-start": f"/patients/{scenario.worst.pk}/programme/start",
        "programme-new": f"/patients/{scenario.worst.pk}/programme/new?template=motor-control",
        "background": f"/patients/{scenario.worst.pk}/background/",
        "treatment-new": f"/patients/{scenario.worst.pk}/background/treatments/new/brain-stimulation",
        "notes": f"/patients/{scenario.worst.pk}/notes/",
        "phone": f"/patients/{scenario.worst.pk}/phone/",
        "record": f"/patients/{scenario.worst.pk}/record/",
    }


def clinic_pages(scenario: Scenario) -> dict[str, str]:
    routes = {"clinic": "dashboard:clinic"} | {page.route: page.address for page in PAGES}
    found = {name: reverse(route, args=[scenario.clinic.pk]) for name, route in routes.items()}
    return found | {"instrument": reverse("dashboard:instrument", args=[scenario.clinic.pk, "phq-9"])}


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_page_is_accessible_and_fits(open_page: Open, check: Callable[[Page], None], scheme: str) -> None:
    scenario = made()
    for name, path in pages(scenario).items():
        page = open_page(path, scenario.clinician, color_scheme=scheme)
        if name == "patient":
            page.locator(".charts.drawn").wait_for()
        look(page, name, scheme, scenario.clinic, check)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_page_about_the_clinic_is_accessible_and_fits(
    open_page: Open, check: Callable[[Page], None], scheme: str
) -> None:
    scenario = made()
    admin = builders.colleague(scenario.clinic, role=Role.ADMIN)
    page = open_page("/", admin, color_scheme=scheme)
    for name, path in clinic_pages(scenario).items():
        page.goto(path)
        look(page, name, scheme, scenario.clinic, check)


def look(page: Page, name: str, scheme: str, clinic: Clinic, check: Callable[[Page], None]) -> None:
    for width, height in WIDTHS:
        assert clinic.name in page.title(), page.url  # and not somewhere else
        page.set_viewport_size({"width": width, "height": height})
        keep(page, f"{name}-{width}-{scheme}")
        assert page.evaluate("document.documentElement.scrollWidth") <= width, (name, width)
        check(page)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_signing_in_looks_the_same(open_page: Open, check: Callable[[Page], None], scheme: str) -> None:
    page = open_page("/accounts/login/", color_scheme=scheme)
    for width, height in WIDTHS:
        page.set_viewport_size({"width": width, "height": height})
        keep(page, f"login-{width}-{scheme}")
        check(page)


def keep(page: Page, name: str) -> None:
    if folder := os.environ.get("STEADYBACK_SCREENSHOTS"):
        page.screenshot(path=Path(folder) / f"{name}.png", full_page=True)
