"""More of a clinician's day: lists made to one's own measure, what phones sent amiss, and paper."""

from __future__ import annotations

import csv
import json
from datetime import timedelta
from io import BytesIO, StringIO
from pathlib import Path

import pytest
from django.core.management import call_command
from django.utils import timezone
from playwright.sync_api import expect
from pypdf import PdfReader
from uuid_utils.compat import uuid7

from outcomes.models import Alert, Response
from outcomes.recompute import recompute_due
from tests.backend.dashboard import builders
from tests.browser.conftest import Open
from tests.browser.scenario import made
from tests.outcomes.series import real_data

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

MAPPINGS = Path(__file__).parents[2] / "docs/mappings"


def test_columns_are_chosen_saved_as_a_view_and_taken_along_as_csv(open_page: Open) -> None:
    scenario = made()
    page = open_page(f"/clinics/{scenario.clinic.pk}/", scenario.clinician)
    page.get_by_label("Low adherence").check()
    page.get_by_text("Columns", exact=True).click()
    for column in ("Fear of movement", "Depression", "Programme", "Next due", "Last entry"):
        page.get_by_label(column, exact=True).uncheck()
    expect(page.locator("thead th")).to_have_text(["Patient", "Alerts", "Pain", "Adherence"])
    shown = page.locator("tbody .who a").all_inner_texts()
    assert 0 < len(shown) < len(scenario.everybody)
    page.keyboard.press("Escape")

    page.get_by_text("Saved views", exact=True).click()
    page.get_by_label("Save what is shown as").fill("Slack ones")
    page.get_by_role("button", name="Save").click()
    expect(page.locator(".messages")).to_contain_text("Saved as “Slack ones”.")
    expect(page.locator("tbody .who a")).to_have_text(shown)

    with page.expect_download() as downloaded:
        page.get_by_role("link", name="CSV").click()
    rows = list(csv.DictReader(StringIO(downloaded.value.path().read_text("utf-8-sig"))))
    assert [row["Name"] for row in rows] == shown
    assert "Fear of movement" not in rows[0]

    page.goto(f"/clinics/{scenario.clinic.pk}/")
    expect(page.locator("tbody tr")).to_have_count(len(scenario.everybody))
    page.get_by_text("Saved views", exact=True).click()
    page.get_by_role("link", name="Slack ones").click()
    expect(page.locator("tbody .who a")).to_have_text(shown)


def test_the_number_of_waiting_alerts_is_in_the_title_for_who_wants_it(open_page: Open) -> None:
    scenario = made()
    page = open_page(f"/clinics/{scenario.clinic.pk}/alerts/", scenario.clinician)
    assert not page.title().startswith("(")
    page.get_by_role("button", name="Sound for a new alert").click()
    switch = page.get_by_role("button", name="Number in the title")
    switch.click()
    expect(switch).to_have_attribute("aria-pressed", "true")
    waiting = scenario.waiting
    expect(page).to_have_title(f"({waiting}) Alerts · {scenario.clinic.name} · Steadyback")

    note = page.get_by_label("Note").first
    note.fill("half a sentence")
    builders.alert(scenario.everybody[1], "RF-1", severity=Alert.Severity.HIGH, opened_at=timezone.now())
    page.evaluate("htmx.trigger(document.querySelector('#worklist'), 'every')")
    expect(page).to_have_title(f"({waiting + 1}) Alerts · {scenario.clinic.name} · Steadyback")
    expect(page.locator(".badge").first).to_contain_text(str(waiting + 1))
    expect(note).to_be_focused()
    expect(note).to_have_value("half a sentence")

    page.goto(f"/clinics/{scenario.clinic.pk}/")
    expect(page).to_have_title(f"({waiting + 1}) Patients · {scenario.clinic.name} · Steadyback")


def test_who_is_not_reached_is_handed_on(open_page: Open) -> None:
    scenario = made()
    page = open_page(f"/clinics/{scenario.clinic.pk}/alerts/", scenario.clinician)

    def press(name: str, note: str = "") -> None:
        mine = page.locator("article", has_text=scenario.worst.name).filter(has_text="SUI-1")
        mine.get_by_label("Note").fill(note)
        mine.get_by_role("button", name=name).click()

    press("Take it on")
    press("No answer", "three rings")
    press("Escalate")
    expect(page.locator(".messages")).to_contain_text("Say in the note")
    press("Escalate", "to the duty doctor")
    mine = page.locator("article", has_text=scenario.worst.name).filter(has_text="SUI-1")
    expect(mine).to_contain_text("to the duty doctor")
    expect(mine).to_contain_text("three rings")


def test_what_a_phone_sent_amiss_is_read_and_put_right(open_page: Open) -> None:
    scenario = made()
    number = str(uuid7())
    sent = {
        "type": "response",
        "id": number,
        "instrument": "daily-diary",
        "version": "1",
        "authored_at": (timezone.now() - timedelta(hours=3)).isoformat(),
        "time_zone": "Europe/Zurich",
        "answers": {"pain-now": 4, "pain-average": 5, "pain-worst": 7},
    }
    builders.refused(scenario.everybody[3], json.dumps(sent).encode(), received_at=timezone.now())
    page = open_page(f"/clinics/{scenario.clinic.pk}/quarantine/", scenario.clinician)
    item = page.locator("article", has_text=scenario.everybody[3].name)
    item.get_by_text("As it was sent").click()
    expect(item.locator("pre")).to_contain_text('"pain-average": 5')
    item.get_by_role("button", name="Try again").click()
    expect(page.get_by_role("status")).to_contain_text("It is stored now.")
    expect(item).to_have_count(0)
    assert Response.objects.get(patient=scenario.everybody[3], id=number).live

    hopeless = page.locator("article", has_text=scenario.everybody[4].name)
    hopeless.get_by_role("button", name="Close").click()
    expect(page.get_by_role("status")).to_contain_text("Say in a word")
    hopeless.get_by_label("What was done about it").fill("asked them to send it again")
    hopeless.get_by_role("button", name="Close").click()
    page.get_by_role("link", name="Closed").click()
    expect(hopeless).to_contain_text("asked them to send it again")


def test_the_page_for_the_visit_is_opened_and_read(open_page: Open) -> None:
    scenario = made()
    page = open_page(f"/patients/{scenario.worst.pk}/", scenario.clinician)
    link = page.get_by_role("link", name="Page for the visit").get_attribute("href")
    answer = page.request.get(str(link))
    assert answer.headers["content-type"] == "application/pdf"
    (sheet,) = PdfReader(BytesIO(answer.body())).pages
    text = " ".join(sheet.extract_text().split())
    assert scenario.worst.name in text
    assert "depression has improved from 15" in text.lower()
    assert "Ask about safety" in text
    assert "Item 9" not in text


def test_a_real_diary_comes_by_the_importer_and_is_shown(open_page: Open) -> None:
    diary = real_data("pain-diaries/participant7.csv")
    scenario = made()
    call_command(
        "import_responses",
        str(diary),
        f"--mapping={MAPPINGS / 'pain-diary-days.toml'}",
        f"--clinic={scenario.clinic.pk}",
        f"--care-team={scenario.worst.care_team.name}",
        "--patient=DIARY-7",
        stdout=StringIO(),
    )
    recompute_due(timezone.now())
    page = open_page(f"/clinics/{scenario.clinic.pk}/", scenario.clinician)
    page.get_by_label("Search by name or identifier").fill("DIARY-7")
    page.get_by_role("button", name="Search").click()
    page.get_by_role("link", name="DIARY-7").first.click()
    row = page.locator(".trends tr", has_text="Hip pain")
    expect(row.locator("td").first).not_to_have_text("–")
    expect(row).to_contain_text("2019")
