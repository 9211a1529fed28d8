"""A browser that subscribes, and what it shows when it is pushed to."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect
from pytest_django import Settings

from backend.reminders.colleague_models import Browser
from tests.backend.dashboard import builders
from tests.backend.reminders.given import a_subscription
from tests.browser.conftest import Open

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

SUBSCRIPTION = a_subscription("https://updates.push.services.mozilla.com/wpush/v2/generated")
# The browser maker's push service is beyond this machine: what it would answer is put in its place, and nothing else.
PUSH_SERVICE = f"""
PushManager.prototype.subscribe = async function (options) {{
  if (!options.userVisibleOnly || options.applicationServerKey.length !== 65) throw new Error("refused");
  return {{ toJSON: () => ({json.dumps(SUBSCRIPTION)}) }};
}};
"""
SHOWN = """async () => (await (await navigator.serviceWorker.getRegistration("/me/calls/")).getNotifications())
    .map((each) => [each.title, each.body, each.tag])"""


@pytest.fixture
def page(open_page: Open, settings: Settings) -> Page:
    settings.VAPID_PRIVATE_KEY = "Z2VuZXJhdGVkIGtleSBvZiAzMiBieXRlcyBsZW5ndGg"
    user = builders.colleague(builders.clinic("Example Back Clinic", languages=["en"]))
    page = open_page("/me/calls/", user, permissions=["notifications"])
    page.context.add_init_script(PUSH_SERVICE)
    page.reload()
    return page


def test_a_browser_subscribes_shows_what_it_is_told_once_and_is_removed(
    page: Page, check: Callable[[Page], None]
) -> None:
    check(page)
    page.get_by_role("button", name="Tell me in this browser").press("Enter")
    expect(page.get_by_text("since")).to_be_visible()
    assert json.loads(Browser.objects.get().target)["endpoint"] == SUBSCRIPTION["endpoint"]
    said = {"title": "Steadyback", "body": "Something in your work list waits for you.", "tag": "01936f2a"}
    wire = page.context.new_cdp_session(page)
    versions: list[dict[str, Any]] = []
    wire.on("ServiceWorker.workerRegistrationUpdated", lambda event: versions.extend(event["registrations"]))
    wire.send("ServiceWorker.enable")
    page.wait_for_function("navigator.serviceWorker.getRegistration('/me/calls/').then((found) => found?.active)")
    origin = page.evaluate("location.origin")
    for _ in range(2):
        push = {"origin": origin, "registrationId": versions[-1]["registrationId"], "data": json.dumps(said)}
        wire.send("ServiceWorker.deliverPushMessage", push)
    page.wait_for_function(f"({SHOWN})().then((shown) => shown.length > 0)")
    assert page.evaluate(SHOWN) == [list(said.values())]
    page.get_by_role("button", name="Remove").click()
    expect(page.get_by_text("None: you are told by e-mail alone.")).to_be_visible()


def test_without_javascript_the_page_says_so_and_the_choice_can_be_made(open_page: Open, settings: Settings) -> None:
    settings.VAPID_PRIVATE_KEY = "Z2VuZXJhdGVkIGtleSBvZiAzMiBieXRlcyBsZW5ndGg"
    user = builders.colleague(builders.clinic("Example Back Clinic", languages=["en"]))
    page = open_page("/me/calls/", user, java_script_enabled=False)
    expect(page.get_by_text("Subscribing a browser needs JavaScript; e-mail doesn't.")).to_be_visible()
    page.get_by_label("What is not critical").select_option("both")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_label("What is not critical")).to_have_value("both")
