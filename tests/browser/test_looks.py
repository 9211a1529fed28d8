"""Every page at three widths, light and dark: no serious finding of axe-core, nothing wider than the screen,
and what is heard without being seen makes sense.

Which pages there are is read from the access tables, where each route must have its line: a new page is looked at from
its first day. The pictures are kept where STEADYBACK_SCREENSHOTS says, for somebody to look at.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from allauth.mfa.recovery_codes.internal import auth as recovery_codes
from allauth.mfa.totp.internal import auth as totp
from playwright.sync_api import Page, expect

from backend.people.models import Role, User
from tests.access.routes import lines
from tests.access.world import World, fill
from tests.backend.dashboard import builders
from tests.browser.conftest import Open
from tests.browser.scenario import Scenario, made

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

WIDTHS = [(390, 844), (1280, 900), (2560, 1440)]
SHEET = 718
"""A4 without margins of one centimetre."""
NARROWEST = 320
"""A screen of 1280 px at 400 %, where nothing but a table of data may scroll sideways (WCAG 1.4.10)."""

UNHEARD = """() => {
  const found = [];
  const words = each => {
    const copy = each.cloneNode(true);
    copy.querySelectorAll("[aria-hidden=true]").forEach(hidden => hidden.remove());
    return copy.textContent.replace(/\\s+/g, " ").trim();
  };
  const shown = selector => [...document.querySelectorAll(selector)].filter(each => each.checkVisibility());
  let before = 0;
  for (const heading of shown("h1, h2, h3, h4, h5, h6")) {
    const level = Number(heading.tagName[1]);
    if (level > before + 1) found.push(`h${level} after h${before}: ${words(heading)}`);
    before = level;
  }
  for (const table of document.querySelectorAll("table")) {
    const named = document.getElementById(table.getAttribute("aria-labelledby"));
    const name = table.caption?.textContent || table.ariaLabel || named && words(named);
    if (!name) found.push(`a table without a name: ${words(table.rows[0])}`);
  }
  const folded = [...document.querySelectorAll("main details:not([open])")];
  folded.forEach(each => { each.open = true; });
  const deeds = new Map();
  for (const each of shown("button, summary")) {
    const name = each.ariaLabel || words(each);
    const deed = each.tagName === "SUMMARY" ? each : `${each.form?.action} ${each.name} ${each.value}`;
    if (!name) found.push(`without a word: ${each.outerHTML}`);
    if (deeds.has(name) && deeds.get(name) !== deed) found.push(`two that do different things: ${name}`);
    deeds.set(name, deed);
  }
  folded.forEach(each => { each.open = false; });
  return found;
}"""
"""Headings that skip a level, tables without a name, things to press of one name that do different things."""

ALLAUTH = ["2fa/", "2fa/recovery-codes/", "password/change/", "password/reset/", "sessions/", "reauthenticate/"]
"""allauth's pages that a colleague comes to; they stand in the access tables under one line with a star."""

MORE = {
    "/clinics/<int:clinic_id>/": ["?alert=1", "?column=pain&column=due"],
    "/clinics/<int:clinic_id>/alerts/": ["?list=closed"],
    "/clinics/<int:clinic_id>/quarantine/": ["?list=closed"],
    "/patients/<int:patient_id>/programme/new": ["?template=motor-control"],
}
"""The same pages showing something else."""


def addresses() -> list[str]:
    """All that answers to GET on the dashboard, pages or not."""
    ours = (
        line.address for line in lines() if line.method == "GET" and re.match(r"/(clinics|patients|me)/", line.address)
    )
    return [*dict.fromkeys(ours), *(f"/accounts/{page}" for page in ALLAUTH)]


def area(address: str) -> str:
    return "clinic" if "/clinic/" in address else address.split("/")[1]


AREAS = sorted({area(address) for address in addresses()})


def shown(page: Page, world: World, wanted: str) -> Iterator[str]:
    """The names of the pages of an area, each as it is open; what is data and no page is passed over."""
    for address in addresses():
        if area(address) != wanted:
            continue
        for more in ["", *MORE.get(address, [])]:
            filled = fill(address, world) + more
            answer = page.request.get(filled)
            assert answer.ok, f"{filled}: {answer.status}"
            if answer.headers["content-type"].startswith("text/html"):
                page.goto(filled)
                yield re.sub(r"<[^>]*>|\W+", "-", f"{address}{more}").strip("-")


@pytest.mark.timeout(900)  # a patient has many pages, and each is looked at three times
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("wanted", AREAS)
def test_every_page_is_accessible_and_fits(
    open_page: Open, check: Callable[[Page], None], wanted: str, scheme: str
) -> None:
    scenario = made()
    page = open_page("/me/language/", staff(scenario), color_scheme=scheme)
    for name in shown(page, World(scenario.worst.care_team, scenario.worst), wanted):
        assert scenario.clinic.name in page.title(), page.url
        if page.locator(".charts").count():
            page.locator(".charts.drawn").wait_for()
        look(page, f"{name}-{scheme}", check)


def staff(scenario: Scenario) -> User:
    """Somebody for whom every page is open, and who has all that signing in knows of."""
    user = builders.colleague(scenario.clinic, scenario.worst.care_team, role=Role.ADMIN)
    user.set_password("a long phrase for the tests")
    user.save()
    totp.TOTP.activate(user, totp.generate_totp_secret())
    recovery_codes.RecoveryCodes.activate(user)
    return user


def look(page: Page, name: str, check: Callable[[Page], None]) -> None:
    assert page.evaluate(UNHEARD) == [], name
    for width, height in WIDTHS:
        resize(page, width, height)
        keep(page, f"{name}-{width}")
        fits(page, name)
        check(page)
    resize(page, NARROWEST, 740)
    fits(page, name)


def resize(page: Page, width: int, height: int) -> None:
    """Until the charts have followed, which they do when the browser tells them."""
    page.set_viewport_size({"width": width, "height": height})
    page.wait_for_function(
        """width => innerWidth === width && [...document.querySelectorAll(".plot .uplot")].every(
            chart => chart.clientWidth === chart.parentElement.clientWidth)""",
        arg=width,
    )


def fits(page: Page, name: str) -> None:
    wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert wide <= 0, f"{name} is {wide} px too wide at {page.viewport_size}"
    stacked = page.locator(".scroll:has(.stacked)")
    assert not stacked.evaluate_all("all => all.some(each => each.scrollWidth > each.clientWidth)"), (
        f"{name} has a table that is cut at {page.viewport_size}"
    )


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_signing_in_looks_the_same(open_page: Open, check: Callable[[Page], None], scheme: str) -> None:
    page = open_page("/accounts/login/", color_scheme=scheme)
    look(page, f"login-{scheme}", check)


def test_on_paper_are_light_charts_as_wide_as_the_sheet_and_nothing_to_press(open_page: Open) -> None:
    scenario = made()
    patient = f"/patients/{scenario.worst.pk}"
    page = open_page(f"{patient}/", scenario.clinician, color_scheme="dark", viewport={"width": 1280, "height": 900})
    page.locator(".charts.drawn").wait_for()
    seen = """() => [getComputedStyle(document.documentElement).getPropertyValue("--card"),
                     document.querySelector(".plot canvas").clientWidth]"""
    dark, wide = page.evaluate(seen)
    page.evaluate("window.dispatchEvent(new Event('beforeprint'))")
    light, narrow = page.evaluate(seen)
    assert (dark, light) == ("#1a2226", "#fff")
    assert wide > 1000 > 700 > narrow
    page.evaluate("window.dispatchEvent(new Event('afterprint'))")
    assert page.evaluate(seen) == [dark, wide]
    page.set_viewport_size({"width": SHEET, "height": 1050})
    page.emulate_media(media="print")
    expect(page.locator(".trends thead")).to_be_visible()
    fits(page, "the sheet")
    page.emulate_media(media="screen")

    page.goto(f"{patient}/phone/")
    page.get_by_role("button", name="Make a code").click()
    page.emulate_media(media="print")
    expect(page.locator(".handout .code")).to_be_visible()
    expect(page.get_by_role("link", name="Back to the patient")).to_be_hidden()


def test_with_colours_of_the_readers_own_every_word_stands_out_from_its_ground(open_page: Open) -> None:
    scenario = made()
    page = open_page(f"/patients/{scenario.worst.pk}/", scenario.clinician, forced_colors="active", color_scheme="dark")
    page.locator(".charts.drawn").wait_for()
    colours = "each => { const style = getComputedStyle(each); return [style.color, style.backgroundColor]; }"
    for name in (".alert-item .grade", ".badge", "button.primary", ".tabs [aria-current]"):
        ink, ground = page.locator(name).first.evaluate(colours)
        assert ink != ground, name
    assert page.evaluate("getComputedStyle(document.documentElement).getPropertyValue('--ink')") == "CanvasText"


def keep(page: Page, name: str) -> None:
    if folder := os.environ.get("STEADYBACK_SCREENSHOTS"):
        Path(folder).mkdir(parents=True, exist_ok=True)
        page.screenshot(path=Path(folder) / f"{name}.png", full_page=True)
