"""A phone over plain HTTP, against a server that runs: `python bench/phone.py http://127.0.0.1:8000` beside the demo.

A clinician signs in, prescribes and invites; the phone enrols, is offline for two weeks of diaries, questionnaires and
sessions, comes back, pushes everything twice and reads the trend. Prints what happened and how long it took; ends with
an error where the server did not do as it should. Everybody in it is made up.
"""

from __future__ import annotations

import argparse
import gzip
import json
import random
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4
from zoneinfo import ZoneInfo

ZONE = "Europe/Zurich"
DAYS = 15  # fifteen evenings span the fourteen days from which on a slope is told


class Client:
    """Speaks JSON with the server and keeps whatever token it was given."""

    def __init__(self, server: str) -> None:
        self.server = server.rstrip("/")
        self.headers: dict[str, str] = {}

    def ask(self, method: str, path: str, body: object = None, *, expect: int = 200) -> Any:
        data = None if body is None else json.dumps(body).encode()
        headers = {"Content-Type": "application/json"}
        if data and path == "sync":
            data, headers["Content-Encoding"] = gzip.compress(data), "gzip"
        request = urllib.request.Request(  # noqa: S310  the address is the caller's own
            f"{self.server}/api/v1/{path}", data, self.headers | headers, method=method
        )
        try:
            with urllib.request.urlopen(request, timeout=60) as response:  # noqa: S310
                status, content = response.status, response.read()
        except urllib.error.HTTPError as error:
            status, content = error.code, error.read()
        if status != expect:
            sys.exit(f"{method} {path}: {status} where {expect} was expected: {content.decode()[:600]}")
        return json.loads(content) if content else None


def clinician(server: str, email: str, password: str, code: str) -> Client:
    """A clinician who has signed in with password and authenticator code."""
    client = Client(server)
    pending = client.ask("POST", "auth/login", {"email": email, "password": password}, expect=401)
    client.headers["X-Session-Token"] = pending["meta"]["session_token"]
    signed_in = client.ask("POST", "auth/2fa/authenticate", {"code": code})
    client.headers = {"Authorization": f"Bearer {signed_in['meta']['access_token']}"}
    return client


def enrol(server: str, invitation: str) -> Client:
    """A new phone that redeems an invitation."""
    phone = Client(server)
    consent = phone.ask("POST", "invitation", {"code": invitation})["consent"][0]
    tokens = phone.ask(
        "POST",
        "enrol",
        {
            "code": invitation,
            "date_of_birth": "1980-05-17",
            "device": {"id": str(uuid4()), "name": "scripted phone"},
            "consent": {"language": consent["language"], "version": consent["version"]},
            "language": consent["language"],
            "time_zone": ZONE,
        },
        expect=201,
    )
    phone.headers["Authorization"] = f"Bearer {tokens['access_token']}"
    return phone


def two_weeks(prescription: str, now: datetime) -> list[dict[str, Any]]:
    """What somebody logs who slowly gets better: a diary a day, a session every other day, PHQ-9 and fear weekly."""
    chance = random.Random(1)
    items: list[dict[str, Any]] = []
    for day in range(DAYS):
        evening = (now - timedelta(days=DAYS - day)).replace(hour=20, minute=0, second=0, microsecond=0)
        base = {"authored_at": evening.isoformat(), "time_zone": ZONE}
        pain = max(0, min(10, round(7 - day * 0.2 + chance.uniform(-1, 1))))
        diary = {
            "pain-now": pain,
            "pain-average": pain,
            "pain-worst": min(10, pain + 2),
            "fear": 5,
            "mood": 4,
            "flare": 0,
        }
        items.append(response("daily-diary", diary, base))
        if day % 7 == 0:
            items.append(response("phq-9", {str(item): 1 for item in range(1, 9)} | {"9": 0}, base))
            items.append(response("tsk-11", {str(item): 2 + item % 2 for item in range(1, 12)}, base))
        if day % 2 == 0:
            session = str(uuid4())
            items.append(exercise_session(session, prescription, evening - timedelta(hours=2), pain))
            items.append(
                {
                    "type": "session-followup",
                    "id": str(uuid4()),
                    "session": session,
                    "authored_at": (evening + timedelta(hours=12)).isoformat(),
                    "pain_next_day": pain,
                }
            )
    # The programme begins today; what was done of it before is kept, and marked as done before it was prescribed.
    items.append(exercise_session(str(uuid4()), prescription, now - timedelta(minutes=30), 4))
    return items


def exercise_session(session: str, prescription: str, started_at: datetime, pain: int) -> dict[str, Any]:
    return {
        "type": "session",
        "id": session,
        "prescription": prescription,
        "started_at": started_at.isoformat(),
        "time_zone": ZONE,
        "minutes": 20,
        "rpe": 4,
        "pain_before": pain,
        "pain_during": min(5, pain),
        "pain_after": pain,
        "exercises": [{"exercise": "cat-cow"}, {"exercise": "baseline-walk"}],
    }


def response(instrument: str, answers: dict[str, int], base: dict[str, str]) -> dict[str, Any]:
    return {"type": "response", "id": str(uuid4()), "instrument": instrument, "version": "1", "answers": answers} | base


def asked(doc: str | None) -> argparse.Namespace:
    """Where the demo is and who signs in, from the command line."""
    parser = argparse.ArgumentParser(description=doc, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("server", nargs="?", default="http://127.0.0.1:8000")
    parser.add_argument("--email", default="clinician@steadyback.example")
    parser.add_argument("--password", required=True, help="as `make demo` printed it")
    parser.add_argument("--code", required=True, help="of the authenticator: manage.py simulate_clinic --codes")
    return parser.parse_args()


def stopwatch() -> Callable[[str], None]:
    """Prints what happened, and how long after the start."""
    began = time.monotonic()
    return lambda text: print(f"{time.monotonic() - began:6.2f} s  {text}")


def prescribed(staff: Client, plan: dict[str, Any]) -> tuple[int, str, str]:
    """A new patient with this programme: the patient, the prescription, and the code of the invitation."""
    person = {"identifier": f"SCRIPT-{uuid4().hex[:8]}", "name": "Scripted Person", "language": "en", "time_zone": ZONE}
    team = staff.ask("GET", "care-teams")["results"][0]["id"]
    patient = staff.ask("POST", "patients", person | {"care_team": team}, expect=201)["id"]
    prescription = staff.ask("POST", f"patients/{patient}/prescriptions", {"plan": plan}, expect=201)["id"]
    return patient, prescription, staff.ask("POST", f"patients/{patient}/invitation", expect=201)["code"]


def main() -> None:
    options, say = asked(__doc__), stopwatch()
    now = datetime.now(ZoneInfo(ZONE))
    staff = clinician(options.server, options.email, options.password, options.code)
    say("a clinician has signed in with a second factor")
    plan = {
        "title": "Scripted programme",
        "weekdays": [1, 2, 3, 4, 5, 6, 7],
        "items": [
            {"exercise": "cat-cow", "dose": {"kind": "sets", "sets": 2, "breaths": 8, "sessions_per_week": 7}},
            {"exercise": "baseline-walk", "dose": {"kind": "minutes", "minutes": 12, "sessions_per_week": 7}},
        ],
    }
    patient, prescription, invitation = prescribed(staff, plan)
    say(f"patient {patient} has a programme and an invitation")

    phone = enrol(options.server, invitation)
    first = phone.ask("POST", "sync", {"cursor": None, "push": []})
    say(
        f"the phone has enrolled and pulled {len(first['changes'])} changes and "
        f"{len(first['safety_card'])} safety texts"
    )

    items = two_weeks(prescription, now)
    sent = {"device": {"sent_at": datetime.now(UTC).isoformat()}, "cursor": first["cursor"], "push": items}
    once = phone.ask("POST", "sync", sent)
    pushed_at = time.monotonic()
    say(f"{len(items)} items of {DAYS} days offline pushed: {tally(once)}")
    twice = phone.ask("POST", "sync", sent)
    say(f"the same batch again: {tally(twice)}")
    if tally(once) != {"stored": len(items)} or tally(twice) != {"duplicate": len(items)}:
        sys.exit(f"not as it should be: {[each for each in once['results'] if each['status'] != 'stored'][:3]}")
    if [each.get("scores") for each in once["results"] if "phq" in str(each.get("scores"))] != [
        each.get("scores") for each in twice["results"] if "phq" in str(each.get("scores"))
    ]:
        sys.exit("the second answer has other scores than the first")

    wanted = {"daily-diary.pain-average", "tsk-11.total", "phq-9.total", "adherence.day"}
    while missing := wanted - {line["measure"] for line in phone.ask("GET", "trends")["results"]}:
        if time.monotonic() - pushed_at > 60:
            sys.exit(f"a minute after the push there is no trend of {sorted(missing)}")
        time.sleep(0.2)
    say(f"trends of {len(wanted)} measures, {time.monotonic() - pushed_at:.1f} s after the push")
    for line in phone.ask("GET", "trends")["results"]:
        if line["measure"] in wanted:
            print(f"          {line['measure']}: {line['latest']} on {line['latest_day']}. {line['sentence']}")
    for trend in staff.ask("GET", f"patients/{patient}/trends")["results"]:
        if trend["measure"] == "daily-diary.pain-average":
            keys = ("n", "baseline", "level", "slope_per_week", "slope_low", "slope_high", "change", "change_label")
            print("          the clinician reads", {key: trend[key] for key in keys})
    read = phone.ask("GET", "responses/?instrument=phq-9")["results"]
    say(f"the questionnaires read back: {[each['scores'] for each in read]}")


def tally(answer: dict[str, Any]) -> dict[str, int]:
    counts: dict[str, int] = {}
    for each in answer["results"]:
        counts[each["status"]] = counts.get(each["status"], 0) + 1
    return counts


if __name__ == "__main__":
    main()
