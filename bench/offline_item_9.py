"""A phone answers item 9 with no network and syncs two days later; colleagues walk the alert to its end, over HTTP.

    CODES=$(.venv/bin/python manage.py simulate_clinic --codes)
    .venv/bin/python -m bench.offline_item_9 --password … --codes "$CODES"

Beside the demo, whose worker tells the colleagues. Prints what each of them saw, and ends with an error where the
server did not do as it should. Everybody in it is made up.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4
from zoneinfo import ZoneInfo

from bench.phone import ZONE, Client, clinician, enrol, response

OFFLINE = timedelta(days=2, hours=3)
PATIENCE = 60  # seconds that the worker has to tell somebody

type Say = Callable[[str], None]


def invite(staff: Client) -> tuple[int, str]:
    """A new patient and the code that enrols their phone."""
    team = staff.ask("GET", "care-teams")["results"][0]["id"]
    person = {"identifier": f"SCRIPT-{uuid4().hex[:8]}", "name": "Scripted Person", "language": "en"}
    patient = staff.ask("POST", "patients", {"care_team": team, "time_zone": ZONE, **person}, expect=201)["id"]
    return patient, staff.ask("POST", f"patients/{patient}/invitation", expect=201)["code"]


def text_for(answer: dict[str, Any], card: list[dict[str, Any]]) -> dict[str, Any]:
    """The text of the card that this answer calls for, found as a phone finds it: by the card alone."""

    def holds(when: dict[str, Any]) -> bool:
        given = answer["answers"]
        reached = {item for item in given if given[item] >= when.get("at_least", 1)}
        return when.get("instrument") == answer["instrument"] and bool(reached & set(when.get("any", ())))

    return next(text for text in card if any(holds(when) for when in text["when"]))


def live_through(phone: Client, say: Say) -> dict[str, Any]:
    """The phone's part: the answer and the text offline, both synced late. Gives what it reports of the text."""
    card = phone.ask("POST", "sync", {"cursor": None, "push": []})["safety_card"]
    say(f"phone: enrolled, and keeps the clinic's {len(card)} texts")

    then = datetime.now(ZoneInfo(ZONE)) - OFFLINE
    answers = {str(item): 1 for item in range(1, 9)} | {"9": 1}
    answer = response("phq-9", answers, {"authored_at": then.isoformat(), "time_zone": ZONE})
    text = text_for(answer, card)
    say(f"phone, {then:%d %b %H:%M}, no network: item 9 is answered, and at once the {text['kind']} text is shown")
    shown = {
        "type": "safety-card-shown",
        "id": str(uuid4()),
        "kind": text["kind"],
        "language": text["language"],
        "version": text["version"],
        "response": answer["id"],
        "authored_at": (then + timedelta(seconds=2)).isoformat(),
    }
    got = phone.ask("POST", "sync", {"cursor": None, "push": [answer, shown]})
    statuses = [each["status"] for each in got["results"]]
    say(f"phone, two days later: {statuses}; the server's answer carries {[each['kind'] for each in got['safety']]}")
    expect(statuses == ["stored", "stored"] and got["safety"][0]["kind"] == "crisis", got["results"])
    return shown


def walk(staff: Client, colleague: Client, patient: int, say: Say, pause: Callable[[], None]) -> dict[str, Any]:
    """The colleagues' part, from the work list to the end. Gives the alert as it stands then."""
    (found,) = (each for each in staff.ask("GET", f"alerts?patient={patient}")["results"] if each["rule"] == "SUI-1")
    say(f"clinician: {found['rule']}, {found['severity']}, {found['state']}, late: {found['late']}")
    say(f"           answered {found['authored_at']}, received {found['received_at']}")
    expect(found["late"] and found["severity"] == "critical", found)
    expect("card-shown" in kinds(found), found)

    def told(times: int) -> dict[str, Any]:
        end = time.monotonic() + PATIENCE
        while (alert := staff.ask("GET", f"alerts/{found['id']}"))["told"] < times:
            expect(time.monotonic() < end, f"nobody was told within {PATIENCE} s")
            pause()
        return dict(alert)

    def act(who: Client, kind: str, note: str = "", status: int = 200) -> Any:
        return who.ask("POST", f"alerts/{found['id']}/events", {"kind": kind, "note": note}, expect=status)

    alert = told(1)
    say(f"worker:    told {alert['events'][-1]['note']}, who is on duty")
    for kind in ("acknowledged", "no-answer"):
        say(f"clinician: {kind} → {act(staff, kind)['state']}")
    refused = act(staff, "resolved", "Nobody answers.", status=409)
    say(f"clinician: can't resolve yet: {refused['errors'][0]['detail']}")
    say(f"clinician: escalated → {act(staff, 'escalated', 'To whoever is next: no answer on the phone.')['state']}")
    say(f"worker:    told {told(2)['events'][-1]['note']}")
    for kind in ("acknowledged", "contacted"):
        say(f"colleague: {kind} → {act(colleague, kind)['state']}")
    alert = act(colleague, "resolved", "Spoke with the person and assessed; follow-up agreed.")
    say(f"colleague: resolved → {alert['state']}")
    for event in alert["events"]:
        say(f"           {event['at'][:19]}  {event['kind']:13} {event['by'] or 'the server':<12} {event['note']}")
    return dict(alert)


def kinds(alert: dict[str, Any]) -> list[str]:
    return [event["kind"] for event in alert["events"]]


def expect(true: object, what: object) -> None:
    if not true:
        sys.exit(f"not as it should be: {what}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("server", nargs="?", default="http://127.0.0.1:8000")
    parser.add_argument("--password", required=True, help="as `make demo` printed it")
    parser.add_argument("--codes", required=True, help="what manage.py simulate_clinic --codes shows")
    options = parser.parse_args()
    codes = dict(line.split() for line in options.codes.splitlines())
    began = datetime.now(UTC)

    def say(text: str) -> None:
        print(f"{(datetime.now(UTC) - began).total_seconds():6.2f} s  {text}")

    staff, colleague = (
        clinician(options.server, email, options.password, codes[email])
        for email in ("clinician@steadyback.example", "admin@steadyback.example")
    )
    patient, code = invite(staff)
    live_through(enrol(options.server, code), say)
    walk(staff, colleague, patient, say, lambda: time.sleep(1))


if __name__ == "__main__":
    main()
