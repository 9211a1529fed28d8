"""A clinician who has never seen the pages: from sign-in to a patient called, a dose changed, a page printed.

    CODES=$(.venv/bin/python manage.py simulate_clinic --codes)
    .venv/bin/python -m bench.new_clinician --password … --codes "$CODES"

Beside the demo. Walks in a real browser by what is to be read on the pages alone: no address but the first, no
attribute that nobody sees. Prints seconds, clicks and filled-in fields of signing in, and of each walk from the panel
on. The seconds are the machine's; whoever reads adds their own.
"""

from __future__ import annotations

import argparse
import re
import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass

from playwright.sync_api import Locator, Page, Response, expect, sync_playwright

EMAIL = "clinician@steadyback.example"
DOSE = re.compile("^(Repetitions|Minutes|Seconds|Breaths|Rounds)")


@dataclass
class Walk:
    """What somebody does on a page, counted."""

    page: Page
    clicks: int = 0
    fields: int = 0

    def click(self, what: Locator) -> None:
        what.click()
        self.clicks += 1

    def fill(self, what: Locator, text: str) -> None:
        what.fill(text)
        self.fields += 1

    def sign_in(self, server: str, password: str, code: str) -> None:
        self.page.goto(server)
        self.fill(self.page.get_by_label("Email"), EMAIL)
        self.fill(self.page.get_by_label("Password"), password)
        self.click(self.page.get_by_role("button", name="Sign in"))
        self.fill(self.page.get_by_label("Code"), code)
        self.click(self.page.get_by_role("button", name="Sign in"))
        expect(self.page.get_by_role("heading", name="Patients")).to_be_visible()

    def first_row(self) -> Locator:
        """The list is sorted by who needs attention first: no reading of it all."""
        return self.page.get_by_role("row").filter(has=self.page.get_by_role("rowheader")).first


def call(walk: Walk) -> str:
    """Whoever stands first, by the alert that says why; taken on, called, and noted."""
    alert = walk.first_row().get_by_role("cell").get_by_role("link").first
    why = " ".join(alert.inner_text().split())
    walk.click(alert)
    item = walk.page.get_by_role("article").first
    walk.click(item.get_by_role("button", name="Take it on"))
    item = walk.page.get_by_role("article").filter(has=walk.page.get_by_role("button", name="Contacted")).first
    walk.fill(item.get_by_label("Note"), "Spoke on the phone; seen tomorrow.")
    walk.click(item.get_by_role("button", name="Contacted"))
    expect(walk.page.get_by_text("Noted: contacted")).to_be_visible()
    return why


def change_dose(walk: Walk) -> str:
    """A little less of the first exercise, of whoever stands first; said why."""
    walk.click(walk.first_row().get_by_role("rowheader").get_by_role("link"))
    walk.click(walk.page.get_by_role("link", name="Programme", exact=True))
    walk.click(walk.page.get_by_role("link", name=re.compile("^Change (?!it first)")).first)
    doses = walk.page.get_by_role("spinbutton", name=DOSE)
    expect(doses.first).to_be_visible()
    dose = next(each for each in doses.all() if each.input_value())
    before = int(dose.input_value())
    walk.fill(dose, str(before - 1))
    walk.fill(walk.page.get_by_label("Why"), "Too much for now.")
    walk.click(walk.page.get_by_role("button", name="Change it").first)
    expect(walk.page.get_by_role("heading", name="Latest sessions")).to_be_visible()
    expect(walk.page.get_by_role("status").first).to_be_visible()
    return f"{before} became {before - 1}"


def print_page(walk: Walk) -> str:
    walk.click(walk.first_row().get_by_role("rowheader").get_by_role("link"))
    with walk.page.context.expect_event("response", is_pdf) as seen:
        walk.click(walk.page.get_by_role("link", name="Page for the visit"))
    seen.value.finished()
    return "a PDF, which the browser prints"


def is_pdf(response: Response) -> bool:
    return response.ok and response.headers.get("content-type") == "application/pdf"


WALKS: dict[str, Callable[[Walk], str]] = {
    "the right person called": call,
    "a dose changed": change_dose,
    "a page printed": print_page,
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("server", nargs="?", default="http://127.0.0.1:8000")
    parser.add_argument("--password", required=True, help="as `make demo` printed it")
    parser.add_argument("--codes", required=True, help="what manage.py simulate_clinic --codes shows")
    parser.add_argument("--width", type=int, default=1280)
    options = parser.parse_args()
    codes = dict(line.split() for line in options.codes.splitlines())
    system = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=system, args=["--no-sandbox", "--disable-gpu"])
        page = browser.new_page(locale="en-GB", viewport={"width": options.width, "height": 900})
        walk, began = Walk(page), time.monotonic()
        walk.sign_in(options.server, options.password, codes[EMAIL])
        say("signed in", walk, began, "the panel is open")
        for name, how in WALKS.items():
            page.get_by_role("navigation", name="Main").get_by_role("link", name="Patients").click()
            walk, began = Walk(page), time.monotonic()
            say(name, walk, began, how(walk))


def say(name: str, walk: Walk, began: float, what: str) -> None:
    print(f"{name:24} {time.monotonic() - began:5.1f} s, {walk.clicks} clicks, {walk.fields} fields: {what}")


if __name__ == "__main__":
    main()
