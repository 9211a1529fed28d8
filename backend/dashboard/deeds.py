"""What the audit's actions are called, for somebody who reads who looked at a record."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise

DEEDS: dict[str, _StrPromise] = {
    "agree to transfer": _("agreed to the transfer"),
    "alert acknowledged": _("took an alert on"),
    "alert contacted": _("contacted them about an alert"),
    "alert escalated": _("handed an alert on"),
    "alert no-answer": _("tried to reach them about an alert"),
    "alert resolved": _("resolved an alert"),
    "call off transfer": _("called the transfer off"),
    "cancelled absence": _("took days away back"),
    "changed e-mail": _("changed the e-mail address"),
    "changed prescription": _("changed the programme"),
    "changed reminder settings": _("changed how they are reminded"),
    "changed schedule": _("changed when something is asked"),
    "changed treatment": _("changed a treatment"),
    "close refused": _("closed a refused item"),
    "decided proposal": _("decided what a rule proposed"),
    "end schedule": _("ended what is asked"),
    "ended absence": _("took days away back"),
    "ended condition": _("ended a condition"),
    "ended schedule": _("ended what is asked"),
    "ended treatment": _("ended a treatment"),
    "enrol phone": _("linked a phone at enrolment"),
    "erase patient": _("erased the record"),
    "export copy": _("took a copy of the record"),
    "export former copy": _("took a copy of what was recorded before the move"),
    "export panel": _("saved the list of patients as a file"),
    "export responses": _("saved the answers as a file"),
    "import responses": _("imported answers from a file"),
    "list former patients": _("saw them in the list of who moved on"),
    "list patients": _("saw them in the list of patients"),
    "open reviewed": _("made an alert of an imported answer"),
    "paused prescription": _("paused the programme"),
    "print visit page": _("printed the page for the visit"),
    "pull": _("fetched what is new to the phone"),
    "push": _("sent entries from the phone"),
    "read absences": _("read the days away"),
    "read adherence": _("read the adherence"),
    "read alerts": _("read the alerts"),
    "read audit": _("read who looked"),
    "read baselines": _("read the baselines"),
    "read clearances": _("read the clearances"),
    "read conditions": _("read the conditions"),
    "read devices": _("read which phones are linked"),
    "read former responses": _("read the answers from before the move"),
    "read notes": _("read the notes"),
    "read panel": _("saw them on the panel"),
    "read phones": _("read which phones are linked"),
    "read preferences": _("read likes, dislikes and what is at home"),
    "read prescription": _("read a programme"),
    "read prescriptions": _("read the programmes"),
    "read profile": _("read who they are"),
    "read proposals": _("read what the rules propose"),
    "read quarantine": _("read the refused items"),
    "read record": _("opened the record"),
    "read reminder settings": _("read how they are reminded"),
    "read responses": _("read the answers"),
    "read review list": _("read the imported answers for review"),
    "read schedules": _("read what is asked"),
    "read series": _("read the time lines"),
    "read sessions": _("read the sessions"),
    "read slopes": _("read the slopes around a treatment"),
    "read slots": _("read what is due and what was sent"),
    "read suggestions": _("read the suggestions"),
    "read transfer": _("read the transfer"),
    "read treatment sessions": _("read the sessions of a treatment"),
    "read treatments": _("read the treatments"),
    "read trends": _("read the trends"),
    "relink phone": _("linked another phone"),
    "restore records": _("restored rows from a file"),
    "restore responses": _("restored answers from a file"),
    "resumed prescription": _("took the programme up again"),
    "review answer": _("closed an imported answer"),
    "revoke phone": _("locked a phone out"),
    "stopped prescription": _("stopped the programme"),
    "transfer in": _("accepted them from another clinic"),
    "transfer out": _("let them go to another clinic"),
    "withdraw consent": _("withdrew the consent"),
    "write alert": _("raised an alert"),
    "write consent": _("gave consent"),
    "write invitation": _("made a code for a phone"),
    "write profile": _("changed who they are"),
    "write transfer": _("proposed a transfer"),
    "wrote absence": _("entered days away"),
    "wrote baseline": _("set a baseline"),
    "wrote clearance": _("recorded a clearance"),
    "wrote condition": _("entered a condition"),
    "wrote note": _("wrote a note"),
    "wrote preferences": _("changed likes, dislikes and what is at home"),
    "wrote prescription": _("prescribed a programme"),
    "wrote schedule": _("changed what is asked"),
    "wrote treatment": _("entered a treatment"),
    "wrote treatment session": _("entered a session of a treatment"),
}


def deed(action: str) -> str:
    """In words; a file that was exported has its name instead."""
    if action in DEEDS:
        return str(DEEDS[action])
    kind, _space, name = action.partition(" ")
    return gettext("saved %(name)s as a file") % {"name": name} if kind == "export" else action
