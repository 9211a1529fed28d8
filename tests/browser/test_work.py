"""A clinician at work: finding whom to call, taking an alert from raised to resolved, reading the time lines."""

from __future__ import annotations

import re

import pytest
from django.utils import timezone
from django.utils.formats import date_format
from playwright.sync_api import expect

from backend.people.models import Origin
from exercises.models import Prescription
from exercises.prescribing import prescribe
from outcomes.models import Alert
from tests.browser.conftest import Open
from tests.browser.scenario import made
from tests.exercises.programmes import a_condition, a_plan

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def test_the_panel_is_sorted_filtered_and_keeps_the_focus(open_page: Open) -> None:
    scenario = made()
    page = open_page(f"/clinics/{scenario.clinic.pk}/", scenario.clinician)
    first = page.locator("tbody tr").first
    expect(first.get_by_role("link").first).to_have_text(scenario.worst.name)
    expect(first).to_contain_text("due in")

    page.get_by_label("Open alert").check()
    expect(page.locator("tbody tr")).to_have_count(3)
    expect(page.get_by_label("Open alert")).to_be_focused()
    assert "?alert=1&" in page.url

    page.get_by_label("Search by name or identifier").fill("exampel persn 11")
    page.get_by_role("button", name="Search").click()
    expect(page.locator("tbody tr").first).to_contain_text("Example Person 11")
    assert "exampel" not in page.url


def test_a_refresh_keeps_the_scroll_and_the_focus(open_page: Open) -> None:
    scenario = made()
    page = open_page(f"/clinics/{scenario.clinic.pk}/", scenario.clinician, viewport={"width": 1000, "height": 500})
    link = page.locator("tbody tr").nth(8).get_by_role("link").first
    link.focus()
    before = page.evaluate("window.scrollY")
    assert before > 0
    scenario.everybody[0].name = "Example Renamed"
    scenario.everybody[0].save()
    page.evaluate("htmx.trigger(document.querySelector('#panel'), 'every')")
    expect(page.get_by_text("Example Renamed")).to_be_attached()
    expect(link).to_be_focused()
    assert page.evaluate("window.scrollY") == before


def test_an_alert_goes_from_raised_to_resolved(open_page: Open) -> None:
    scenario = made()
    page = open_page(f"/clinics/{scenario.clinic.pk}/alerts/", scenario.clinician)
    card = page.locator("article").first
    expect(card).to_contain_text("Item 9 answered above zero")
    expect(card.get_by_role("button", name="Resolve")).to_have_count(0)
    card.get_by_role("button", name="Take it on").click()
    expect(page.locator(".messages")).to_contain_text("acknowledged")

    mine = page.locator("article", has_text=scenario.worst.name).filter(has_text="SUI-1")
    mine.get_by_label("Note").fill("spoke with them")
    mine.get_by_role("button", name="Contacted").click()
    mine.get_by_label("Note").fill("safe; seen tomorrow at nine")
    mine.get_by_role("button", name="Resolve").click()
    expect(mine).to_have_count(0)
    page.get_by_role("link", name="Closed").click()
    expect(page.locator("article").first).to_contain_text("safe; seen tomorrow at nine")
    assert Alert.objects.get(patient=scenario.worst, rule="SUI-1").events.count() == 4


HEARD = """
window.heard = [];
new MutationObserver(all => {
  for (const { target, addedNodes } of all)
    if (document.readyState === "complete" && target.closest?.("[role=status]"))
      heard.push(...[...addedNodes].map(each => each.textContent));
}).observe(document, { childList: true, subtree: true });
"""
"""What a status tells of after the page is there, which is when a screen reader listens."""


def test_who_only_listens_hears_what_came_of_a_deed_and_how_long_the_list_is(open_page: Open) -> None:
    scenario = made()
    page = open_page(f"/clinics/{scenario.clinic.pk}/", scenario.clinician)
    expect(page.locator("#told")).to_have_text("14 patients on this page")
    page.get_by_label("Open alert").check()
    expect(page.locator("#told")).to_have_text("3 patients on this page")

    page.add_init_script(HEARD)
    page.goto(f"/clinics/{scenario.clinic.pk}/alerts/")
    expect(page.locator("#told")).to_have_text("3 alerts that nobody has taken on")
    critical = page.get_by_role("article", name="Item 9 answered above zero").first
    critical.get_by_role("button", name=f"Take it on : Item 9 answered above zero, {scenario.worst.name}").click()
    page.wait_for_function("() => heard.includes('Noted: acknowledged.')")
    expect(page.locator("#told")).to_have_text("2 alerts that nobody has taken on")


def test_a_note_outlives_the_alert_that_a_colleague_settles_meanwhile(open_page: Open) -> None:
    scenario = made()
    page = open_page(f"/clinics/{scenario.clinic.pk}/alerts/", scenario.clinician)
    mine = page.get_by_role("article", name="Severe depression score")
    mine.get_by_label("Note").fill("spoke with them, they")
    page.evaluate("() => htmx.trigger(document.querySelector('#worklist'), 'every')")
    expect(mine.get_by_label("Note")).to_be_focused()
    expect(mine.get_by_label("Note")).to_have_value("spoke with them, they")
    Alert.objects.filter(patient=scenario.worst, rule="DEP-1").update(state=Alert.State.RESOLVED)
    page.evaluate("() => htmx.trigger(document.querySelector('#worklist'), 'every')")
    expect(mine).to_have_count(0)
    back = page.get_by_label("A colleague has settled what you wrote about.")
    expect(back).to_have_value(f"Severe depression score, {scenario.worst.name}: spoke with them, they")
    expect(back).to_be_focused()


def test_who_fills_in_a_form_goes_on_at_the_field_that_was_refused(open_page: Open) -> None:
    scenario = made()
    page = open_page(f"/clinics/{scenario.clinic.pk}/clinic/patients/new", scenario.clinician)
    page.get_by_label("Identifier").fill(scenario.worst.identifier)
    page.get_by_label("Name").fill("Example Person 99")
    page.get_by_label("Date of birth").fill("1980-01-01")
    page.get_by_role("button", name="Enter").click()
    identifier = page.get_by_label("Identifier")
    expect(identifier).to_be_focused()
    expect(identifier).to_have_attribute("aria-invalid", "true")
    expect(identifier).to_have_accessible_description(re.compile("Another patient of the clinic has this identifier."))


def test_clocks_tick_for_the_eye_alone(open_page: Open) -> None:
    scenario = made()
    page = open_page(f"/clinics/{scenario.clinic.pk}/alerts/", scenario.clinician)
    clock = page.locator("[data-due]").first
    expect(clock).to_have_text(re.compile(r"^due in 0:4\d:\d\d$"))
    before = clock.inner_text()
    expect(clock).not_to_have_text(before)
    assert clock.get_attribute("aria-hidden") == "true"
    expect(page.locator("article").first.locator(".visually-hidden").first).to_have_text(re.compile("due in 4. min"))


def test_the_time_lines_are_drawn_read_out_by_keyboard_and_zoomed(open_page: Open) -> None:
    scenario = made()
    page = open_page(f"/patients/{scenario.worst.pk}/", scenario.clinician)
    pain = page.locator("[data-chart=pain]")
    expect(pain.locator("canvas")).to_be_visible()
    slider = pain.get_by_role("slider", name="Pain, line chart")
    slider.focus()
    expect(pain.locator(".readout")).to_contain_text("average")
    expect(pain.locator(".readout")).to_contain_text(date_format(timezone.localdate(), "j F Y"))
    told = pain.locator(".readout").inner_text()
    assert slider.get_attribute("aria-valuetext") == told
    assert slider.get_attribute("aria-valuenow") == slider.get_attribute("aria-valuemax")
    page.keyboard.press("ArrowLeft")
    expect(pain.locator(".readout")).not_to_have_text(told)
    expect(slider).to_have_attribute("aria-valuetext", pain.locator(".readout").inner_text())
    before = int(slider.get_attribute("aria-valuemax") or 0) - 1
    expect(slider).to_have_attribute("aria-valuenow", str(before))
    expect(page.locator("[data-chart=sleep]")).to_be_visible()

    with page.expect_response("**/series?span=all") as answered:
        page.get_by_role("link", name="All", exact=True).click()
    body = answered.value.json()
    assert {"pain", "depression", "adherence", "sleep"} <= {chart["key"] for chart in body["charts"]}
    assert all(len(chart["x"]) <= 1000 for chart in body["charts"])
    expect(page.get_by_role("link", name="All", exact=True)).to_have_attribute("aria-current", "true")
    expect(pain.locator("canvas")).to_be_visible()
    page.get_by_text("Pain month by month").click()
    assert pain.get_by_role("row").count() > 40


def test_the_cursors_stand_on_one_day_also_after_a_stretch_is_drawn_larger(open_page: Open) -> None:
    scenario = made()
    page = open_page(f"/patients/{scenario.worst.pk}/", scenario.clinician, viewport={"width": 1280, "height": 1400})
    page.locator(".charts.drawn").wait_for()
    plot = page.locator("[data-chart=pain] .u-over")
    plot.scroll_into_view_if_needed()
    place = plot.bounding_box()
    assert place

    def move(x: int) -> None:
        page.mouse.move(place["x"] + x, place["y"] + 60)

    def cursors() -> list[str]:
        lines = page.locator(".u-cursor-x").all()
        return [line.evaluate("line => line.style.transform") for line in lines]

    move(300)
    before = cursors()
    assert len(before) > 3
    assert len(set(before)) == 1
    page.mouse.down()
    move(500)
    move(600)
    page.mouse.up()
    page.wait_for_function("was => document.querySelector('.u-cursor-x').style.transform !== was", arg=before[0])
    assert len(set(cursors())) == 1

    # The keyboard stays within what is shown.
    page.get_by_role("slider", name="Pain, line chart").focus()
    page.keyboard.press("Home")
    first = page.locator("[data-chart=pain] .readout").inner_text()
    page.keyboard.press("ArrowLeft")
    expect(page.locator("[data-chart=pain] .readout")).to_have_text(first)
    assert cursors()[0] != "translate(-10px, 0px)"


def test_from_a_day_of_another_chart_the_keyboard_goes_on_to_the_nearest(open_page: Open) -> None:
    scenario = made()
    page = open_page(f"/patients/{scenario.worst.pk}/?span=6m", scenario.clinician)
    page.locator(".charts.drawn").wait_for()
    page.get_by_role("slider", name="Pain, line chart").focus()
    depression = page.get_by_role("slider", name="Depression, line chart")
    last = int(depression.get_attribute("aria-valuemax") or 0)
    assert last > 5
    depression.focus()
    page.keyboard.press("ArrowLeft")
    expect(depression).to_have_attribute("aria-valuenow", str(last))
    page.keyboard.press("ArrowLeft")
    expect(depression).to_have_attribute("aria-valuenow", str(last - 1))


def test_a_chart_is_as_wide_as_its_place_also_when_the_window_stays(open_page: Open) -> None:
    scenario = made()
    page = open_page(f"/patients/{scenario.worst.pk}/", scenario.clinician, viewport={"width": 1280, "height": 900})
    page.locator(".charts.drawn").wait_for()
    canvas = page.locator("[data-chart=pain] canvas")
    wide = canvas.evaluate("each => each.clientWidth")
    page.evaluate("document.querySelector('.charts').style.width = '700px'")
    page.wait_for_function("() => document.querySelector('[data-chart=pain] canvas').clientWidth < 700")
    page.evaluate("document.querySelector('.charts').style.width = ''")
    page.wait_for_function("wide => document.querySelector('[data-chart=pain] canvas').clientWidth === wide", arg=wide)


def test_where_a_day_has_no_room_for_a_word_its_mark_is_explained_and_the_word_still_read_out(open_page: Open) -> None:
    scenario = made()
    today = timezone.now()
    prescribe(scenario.worst, a_plan(), by=None, now=today, origin=Origin.SIMULATED, starts_on=today.date())
    page = open_page(f"/patients/{scenario.worst.pk}/programme/", scenario.clinician)
    word = page.locator(".state .word").first
    key = page.locator("#month .key")
    for width, room in ((1280, True), (390, False)):
        page.set_viewport_size({"width": width, "height": 900})
        box = word.bounding_box()
        assert box
        assert (box["width"] > 10) is room
        expect(key).to_be_visible(visible=not room)
        expect(page.get_by_role("cell", name="due").first).to_be_attached()
    expect(key).to_have_text("□ due")


def test_without_script_everything_is_there_to_read(open_page: Open) -> None:
    scenario = made()
    page = open_page(f"/patients/{scenario.worst.pk}/", scenario.clinician, java_script_enabled=False)
    page.get_by_text("Pain week by week").click()
    expect(page.locator("[data-chart=pain] table").first).to_be_visible()
    expect(page.locator(".standing")).to_contain_text("Pain has possibly worsened from 4.1")


def test_another_clinic_and_its_patients_are_not_found(open_page: Open) -> None:
    scenario, foreign = made(), made(people=9)
    page = open_page(f"/clinics/{scenario.clinic.pk}/", scenario.clinician)
    for path in (f"/clinics/{foreign.clinic.pk}/", f"/patients/{foreign.worst.pk}/"):
        answer = page.request.get(path)
        assert answer.status == 404
        assert foreign.worst.name not in answer.text()


def test_a_programme_is_prescribed_against_the_gate_with_a_reason_and_its_dose_changed(open_page: Open) -> None:
    scenario = made()
    patient = scenario.worst
    a_condition(patient, "osteoporosis")
    page = open_page(f"/patients/{patient.pk}/programme/", scenario.clinician)
    page.get_by_role("link", name="Prescribe a programme").click()
    page.get_by_role("link", name="From nothing").click()
    page.get_by_label("Title").fill("Own programme")
    page.get_by_label("Find an exercise").press_sequentially("back extention")
    page.get_by_role("button", name="Add Slow back-extension").click()
    expect(page.locator("#gate")).to_contain_text("is not for: Osteoporosis")
    page.get_by_label("Find an exercise").fill("cat cow")
    add = page.get_by_role("button", name="Add Cat-cow", exact=True)
    add.press("Enter")
    expect(add).to_have_attribute("aria-disabled", "true")
    expect(add).to_be_focused()
    items = page.locator("[data-item] strong")
    expect(items).to_have_text(["Slow back-extension lowering", "Cat-cow"])
    up = page.get_by_role("button", name="Move Cat-cow up")
    up.focus()
    page.keyboard.press("Enter")
    expect(items).to_have_text(["Cat-cow", "Slow back-extension lowering"])
    expect(up).to_be_focused()
    expect(up).to_have_attribute("aria-disabled", "true")
    grip, last = page.locator("#item-cat-cow [data-grip]"), page.locator("[data-item]").last
    grip.drag_to(last, target_position={"x": 40, "y": 150})
    expect(items).to_have_text(["Slow back-extension lowering", "Cat-cow"])
    page.get_by_label("Find an exercise").fill("bird dog")
    page.get_by_role("button", name="Add Bird dog", exact=True).click()
    page.get_by_role("button", name="Take Bird dog out").press("Enter")
    expect(page.get_by_label("Find an exercise")).to_be_focused()

    page.get_by_role("button", name="Prescribe").first.click()
    expect(page.get_by_role("alert")).to_contain_text("The safety gate stands in the way")
    why = page.get_by_label("is not for: Osteoporosis")
    expect(why).to_be_focused()
    expect(why).to_have_accessible_description(re.compile("write why it is right for this patient"))
    why.fill("bone density is normal")
    page.get_by_role("button", name="Prescribe").first.click()
    expect(page.get_by_role("status")).to_contain_text("The programme is prescribed.")

    page.get_by_role("link", name="Change Own programme").click()
    page.locator("#item-cat-cow").get_by_label("Sets").fill("99")
    page.get_by_label("Why it is changed").fill("went well")
    page.evaluate("document.querySelector('#draft').noValidate = true")
    page.get_by_role("button", name="Change it").first.click()
    expect(page.locator("#item-cat-cow")).to_contain_text("less than or equal to 20")
    page.locator("#item-cat-cow").get_by_label("Sets").fill("3")
    page.get_by_role("button", name="Change it").first.click()
    expect(page.get_by_role("status")).to_contain_text("It is changed.")
    first, second = Prescription.objects.filter(patient=patient).order_by("version")
    assert [item["exercise"] for item in first.plan["items"]] == ["back-extension-lowering", "cat-cow"]
    assert second.plan["items"][1]["dose"]["sets"] == 3
    assert second.overrides[0]["reason"] == "bone density is normal"


def test_a_programme_is_written_without_any_script(open_page: Open) -> None:
    scenario = made()
    address = f"/patients/{scenario.worst.pk}/programme/new"
    page = open_page(address, scenario.clinician, java_script_enabled=False)
    page.get_by_label("Title").fill("Plain")
    page.get_by_label("Find an exercise").fill("bird dog")
    page.get_by_role("button", name="Find").click()
    page.get_by_role("button", name="Add Bird dog", exact=True).click()
    page.get_by_label("Repetitions").fill("7")
    page.get_by_role("button", name="Prescribe").first.click()
    expect(page.get_by_role("status")).to_contain_text("The programme is prescribed.")
    assert Prescription.objects.get(patient=scenario.worst).plan["items"][0]["dose"]["reps"] == 7
