"""Every table with a patient's data, and what the law wants to be done with it.

A test fails when a model that points at a patient is missing here, so nothing is forgotten in an audit, in the copy
that a patient may ask for, or when they ask to be erased.
"""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple


class Erasure(StrEnum):
    DELETE = "delete"  # the rows go
    BLANK = "blank"  # the row stays as a number without a person, so that what points at it still does
    KEEP = "keep"  # the row stays: it proves what was done, and says nothing of anybody's health


class PatientData(NamedTuple):
    """How one table is treated: its name in audit rows, whether a patient's copy holds it, what erasure does to it.

    `moves`: on a transfer its rows become the other clinic's: they say how things are, not what was recorded.
    `stays`: why its rows do not come back when an export is restored on another server; without a reason they do.
    """

    thing: str
    exported: bool
    erasure: Erasure
    moves: bool = False
    stays: str = ""


CREDENTIAL = "lets a phone in: patients are invited anew"
SAID = "what the other server said to phones and colleagues, and nobody is to hear again"
COMPUTED = "computed anew from what comes back"
ACCOUNT = "about an account, and accounts do not come along"
ELSEWHERE = "between clinics of the other server"
WITNESS = "who saw what on the other server, by accounts that are not here: it proves something there only"

PATIENT_DATA: dict[str, PatientData] = {
    "people.Patient": PatientData("profile", True, Erasure.BLANK),
    "people.PatientRev": PatientData("revision", False, Erasure.KEEP),
    "people.ZoneHistory": PatientData("zones", True, Erasure.DELETE),
    "people.Consent": PatientData("consent", True, Erasure.KEEP),
    "people.Invitation": PatientData("invitation", True, Erasure.DELETE, stays=CREDENTIAL),
    "people.Transfer": PatientData("transfers", True, Erasure.DELETE, stays=ELSEWHERE),
    "people.Device": PatientData("devices", True, Erasure.DELETE, moves=True, stays=CREDENTIAL),
    "people.Audit": PatientData(
        "audit",
        True,
        Erasure.KEEP,
        stays=WITNESS,
    ),
    # First of the outcomes: a worker that is at this patient's trends holds it, and is waited for.
    "outcomes.Summary": PatientData("summary", True, Erasure.DELETE, stays=COMPUTED),
    "outcomes.Response": PatientData("responses", True, Erasure.DELETE),
    "outcomes.Score": PatientData("scores", True, Erasure.DELETE),
    "outcomes.Baseline": PatientData("baselines", True, Erasure.DELETE),
    "outcomes.TrendDue": PatientData("trends due", False, Erasure.DELETE, moves=True),
    "outcomes.Alert": PatientData("alerts", True, Erasure.DELETE),
    "outcomes.AlertEvent": PatientData("alert events", True, Erasure.DELETE),
    "outcomes.Trend": PatientData("trends", True, Erasure.DELETE, moves=True, stays=COMPUTED),
    "exercises.Condition": PatientData("conditions", True, Erasure.DELETE),
    "exercises.Preferences": PatientData("preferences", True, Erasure.DELETE),
    "exercises.Clearance": PatientData("clearances", True, Erasure.DELETE),
    "exercises.Prescription": PatientData("prescriptions", True, Erasure.DELETE),
    "exercises.Pause": PatientData("pauses", True, Erasure.DELETE),
    "exercises.Proposal": PatientData("proposals", True, Erasure.DELETE),
    "exercises.Treatment": PatientData("treatments", True, Erasure.DELETE),
    "exercises.TreatmentSession": PatientData("treatment sessions", True, Erasure.DELETE),
    "exercises.Session": PatientData("sessions", True, Erasure.DELETE),
    "exercises.SessionFollowup": PatientData("follow-ups", True, Erasure.DELETE),
    "exercises.AdverseEvent": PatientData("adverse events", True, Erasure.DELETE),
    "reminders.Schedule": PatientData("schedules", True, Erasure.DELETE, moves=True),
    "reminders.Slot": PatientData("slots", True, Erasure.DELETE),
    "reminders.Message": PatientData("messages", True, Erasure.DELETE, stays=SAID),
    "reminders.RefusedMail": PatientData("refused mail", True, Erasure.DELETE, moves=True, stays=ACCOUNT),
    "reminders.Call": PatientData("calls to staff", True, Erasure.DELETE, stays=SAID),
    "reminders.Mention": PatientData("mentions", False, Erasure.DELETE),
    "reminders.ReminderSettings": PatientData("reminder settings", True, Erasure.DELETE, moves=True),
    "reminders.Absence": PatientData("absences", True, Erasure.DELETE),
    "reminders.Week": PatientData("weeks", True, Erasure.DELETE),
    "reminders.Seen": PatientData("seen", True, Erasure.DELETE),
    "reminders.Address": PatientData("addresses", True, Erasure.DELETE, moves=True, stays=CREDENTIAL),
    "dashboard.Note": PatientData("notes", True, Erasure.DELETE),
    "sync.Quarantine": PatientData("quarantine", True, Erasure.DELETE, moves=True),
}
