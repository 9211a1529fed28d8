"""A real Chromium, a real server and a clinic full of made-up people."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.test import Client
from playwright.sync_api import Browser, BrowserContext, Error, Page, expect, sync_playwright
from pytest_django.live_server_helper import LiveServer

from backend.people.models import User
from tests.backend.dashboard import builders

FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
WHERE = "no Chromium here: `make browser` gets one"


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """The system's Chromium, or Playwright's own. Without either these tests are skipped, but never in CI."""
    system = next(
        (path for name in ("chromium", "chromium-browser", "google-chrome") if (path := shutil.which(name))), None
    )
    with sync_playwright() as playwright:
        try:
            chromium = playwright.chromium.launch(executable_path=system, args=FLAGS)
        except Error as error:
            if os.environ.get("CI"):
                raise
            pytest.skip(f"{WHERE} ({str(error).splitlines()[0]})")
        # Playwright keeps an event loop in this thread, and Django would refuse to touch the database beside one.
        os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
        yield chromium
        del os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"]
        chromium.close()


type Open = Callable[..., Page]

PATIENCE = 20_000  # milliseconds: a busy machine is no failure
expect.set_options(timeout=PATIENCE)


@pytest.fixture
def open_page(browser: Browser, live_server: LiveServer) -> Iterator[Open]:
    """Opens a page as `user` (nobody without one) in a context of its own; `options` are Playwright's for contexts.

    Whatever the page asks another host for, or says on its console, fails the test.
    """
    contexts: list[BrowserContext] = []
    complaints: list[str] = []
    ours = (live_server.url, "data:", "blob:")

    def opened(path: str, user: User | None = None, **options: Any) -> Page:
        context = browser.new_context(base_url=live_server.url, locale="en-GB", **options)
        context.set_default_timeout(PATIENCE)
        contexts.append(context)
        if user is not None:
            client = Client()
            builders.sign_in(client, user)
            cookie = client.cookies[settings.SESSION_COOKIE_NAME].value
            context.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": cookie, "url": live_server.url}])
        page = context.new_page()
        page.on("console", lambda said: complaints.append(said.text) if said.type in ("error", "warning") else None)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("request", lambda asked: None if asked.url.startswith(ours) else complaints.append(asked.url))
        page.goto(path)
        return page

    yield opened
    for context in contexts:
        context.close()
    assert complaints == []


@pytest.fixture(scope="session")
def axe() -> str:
    return (Path(__file__).parent / "vendor" / "axe.min.js").read_text()


@pytest.fixture
def check(axe: str) -> Callable[[Page], None]:
    """Fails on any serious finding of axe-core."""

    def checked(page: Page) -> None:
        page.evaluate(axe)  # not a script tag: the page's own policy would refuse it, and should
        found = page.evaluate(f"axe.run(document, {{runOnly: {RULES}}})")
        serious = [
            f"{violation['id']}: {violation['help']}: {[node['target'] for node in violation['nodes'][:3]]}"
            for violation in found["violations"]
            if violation["impact"] in ("serious", "critical")
        ]
        assert serious == []

    return checked
