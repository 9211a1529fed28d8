"""The page about plans and programme templates."""

from __future__ import annotations

import re
from datetime import time
from typing import Any

import pytest

from backend.dashboard.plans import in_words, programmes
from backend.people.models import Clinic
from backend.reminders.models import FollowUpChoice, Schedule
from backend.reminders.scheduling import plans, set_schedule
from backend.reminders.slots import Burst, Days, Points, Remind, Rule, Weeks, Window
from exercises.templates import templates
from tests.backend.reminders.given import EVENING, at
from tests.factories import a_clinic, a_clinician, a_patient, a_team, an_admin
from tests.outcomes.packs import a_pack
from tests.signin import browser

DAY = (Window(opens=time(9), closes=time(20)),)
OVER_NIGHT = (Window(opens=time(18), closes=time(4), days=1),)
TWO_WEEKS = (Window(opens=time(9), closes=time(20), days=13),)


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        (Rule(DAY), "every day from enrolment; 09:00 to 20:00; up to 2 reminders"),
        (
            Rule(OVER_NIGHT, Days(2), remind=Remind(nudges=0)),
            "every 2 days from enrolment; 18:00 to 04:00 on the next day; up to 1 reminder",
        ),
        (
            Rule(DAY, Weeks(1, (1, 4)), "programme-start"),
            "every week Mon Thu from the start of the programme; 09:00 to 20:00; up to 2 reminders",
        ),
        (
            Rule(TWO_WEEKS, Points((0, 14), (3, 6)), "surgery"),
            "on the day itself and after 14 days and after 3, 6 months from the surgery; "
            "09:00 to 20:00, 13 days later; up to 2 reminders",
        ),
        (
            Rule(DAY, burst=Burst(7, 3)),
            "every day for 7 days every 3 months from enrolment; 09:00 to 20:00; up to 2 reminders",
        ),
        (Rule(anchor="prescription"), "as the programme says; up to 2 reminders"),
    ],
)
def test_a_rule_is_said_in_words(rule: Rule, words: str) -> None:
    assert in_words(rule) == words


def test_every_template_is_shown_with_its_doses_and_sources() -> None:
    shown = list(programmes())
    assert [each.template.slug for each in shown] == list(templates())
    assert all(dose for each in shown for _, dose in each.exercises)


@pytest.fixture
def clinic(db: None) -> Clinic:
    return a_clinic()


def page(clinic: Clinic) -> str:
    client = browser(a_clinician(a_team(clinic)))
    return client.get(f"/clinics/{clinic.pk}/clinic/plans/").content.decode()


def test_it_says_what_is_asked_what_instead_and_what_is_left_out(clinic: Clinic) -> None:
    shown = page(clinic)
    assert all(plan.title in shown for plan in plans().values())
    assert "phq-8 instead" in shown
    assert "left out: no text" in shown
    before = shown.count("left out: no text")
    a_pack(clinic, "tsk-11")
    assert page(clinic).count("left out: no text") < before


def test_it_counts_who_is_asked_in_this_clinic(clinic: Clinic, django_assert_num_queries: Any) -> None:
    noon = at("2026-03-02T12:00:00+01:00")
    team = a_team(clinic)
    client = browser(a_clinician(team))
    address = f"/clinics/{clinic.pk}/clinic/plans/"
    client.get(address)
    for patient in (a_patient(team), a_patient(team), a_patient()):
        # session, user, memberships; own languages, hours, rota; schedules; alerts waiting
        with django_assert_num_queries(9):
            shown = client.get(address).content.decode()
        set_schedule(patient, Schedule.Asks.INSTRUMENT, "daily-diary", EVENING, noon)
    assert '<td class="n" data-title="Patients">2</td>' in shown


@pytest.mark.django_db
def test_an_admin_chooses_what_a_positive_screen_asks_for() -> None:
    clinic = a_clinic()
    client = browser(an_admin(clinic))
    plans_page, address = f"/clinics/{clinic.pk}/clinic/plans/", f"/clinics/{clinic.pk}/clinic/plans/phq-2/follow-up"
    before = client.get(plans_page).content.decode()
    assert re.search(r"From 3 on, [^.]*PHQ-8[^.]* is asked for once", before)

    refused = client.post(address, {"code": "phq-9"}).content.decode()  # nobody is on call here
    assert "Somebody must read the answer to item 9" in refused.partition("id_phq-2_code")[2]
    assert "not one of the available choices" in client.post(address, {"code": "tsk-11"}).content.decode()
    assert not FollowUpChoice.objects.exists()

    assert client.post(address, {"code": "phq-8"}).status_code == 302
    assert FollowUpChoice.objects.get(clinic=clinic).code == "phq-8"
    assert "follow-up" not in browser(a_clinician(a_team(clinic))).get(plans_page).content.decode()
