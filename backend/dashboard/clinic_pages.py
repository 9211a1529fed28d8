"""The pages about a clinic as a whole, in the order of their list. A page is a line in PAGES, a view and an address."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING, Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext_lazy as _

from backend.dashboard.entry import Desk

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise


@dataclass(frozen=True)
class ClinicPage:
    """`route` is the name of its address, which takes the clinic's number and nothing more."""

    route: str
    group: _StrPromise
    title: _StrPromise
    about: _StrPromise
    admins_only: bool = False  # the others read every page; what they may not change has no button

    @property
    def address(self) -> str:
        return f"dashboard:{self.route}"


PEOPLE, ALERTS, CONTENT, FIGURES = _("People"), _("Alerts"), _("Content"), _("Figures and files")

PAGES: tuple[ClinicPage, ...] = (
    ClinicPage("clinic_patients", PEOPLE, _("Patients"), _("Enter a patient; who has not enrolled yet.")),
    ClinicPage("clinic_former", PEOPLE, _("Moved on"), _("What was recorded here of patients who left.")),
    ClinicPage("clinic_staff", PEOPLE, _("Staff"), _("Who works here, as what; invite a colleague.")),
    ClinicPage("clinic_teams", PEOPLE, _("Care teams"), _("Which colleagues look after which patients.")),
    ClinicPage("clinic_changes", PEOPLE, _("Changes"), _("Who changed staff, rota and settings."), admins_only=True),
    ClinicPage("clinic_rota", ALERTS, _("Rota and hours"), _("When you are open, and who answers a red flag.")),
    ClinicPage("clinic_thresholds", ALERTS, _("Thresholds"), _("What raises an alert, and how long it may wait.")),
    ClinicPage("review", ALERTS, _("Imported, for review"), _("Old answers that would have alerted: decide each.")),
    ClinicPage("quarantine", ALERTS, _("Refused items"), _("What phones sent that was refused, and why.")),
    ClinicPage("clinic_texts", CONTENT, _("Consent and safety texts"), _("Your own words, with every version.")),
    ClinicPage("clinic_settings", CONTENT, _("Settings"), _("Languages, time zone, how long a record is kept.")),
    ClinicPage("instruments", CONTENT, _("Instruments"), _("What can be asked, in which words, and how it is read.")),
    ClinicPage("exercises", CONTENT, _("Exercises"), _("The catalogue, your own exercises, pictures and clips.")),
    ClinicPage("plans", CONTENT, _("Schedules and templates"), _("What is asked when; programmes to start from.")),
    ClinicPage("doing", FIGURES, _("How we are doing"), _("Answered, adherence, responders, dropouts, time to act.")),
    ClinicPage(
        "exports", FIGURES, _("Exports"), _("All of the clinic's data as files for other programs."), admins_only=True
    ),
)


def pages_for(desk: Desk) -> list[tuple[_StrPromise, list[ClinicPage]]]:
    """The pages that this member of staff may open, by group."""
    mine = [page for page in PAGES if desk.is_admin or not page.admins_only]
    return [(group, list(pages)) for group, pages in groupby(mine, key=lambda page: page.group)]


def show(request: HttpRequest, desk: Desk, route: str, template: str, context: dict[str, Any]) -> HttpResponse:
    """Render a page of the clinic within the list of all of them. Its template extends `dashboard/clinic/page.html`."""
    here = next((page for page in PAGES if page.route == route), None)
    around = {"desk": desk, "section": "clinic", "groups": pages_for(desk), "here": here}
    return render(request, f"dashboard/clinic/{template}", around | context)
