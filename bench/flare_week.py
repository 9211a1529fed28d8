"""A phone that is offline for a week with a flare in the middle: `python -m bench.flare_week --password … --code …`.

Over plain HTTP against a demo, as bench/phone.py. The phone comes back with seven days of diary and sessions, one of
them not done because of pain; then come a correction, one taken back, and something that can't be. The dose must have
stepped back once, with words for the patient and others for the clinician. Everybody in it is made up.
"""

from __future__ import annotations

import sys
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4
from zoneinfo import ZoneInfo

from bench.phone import ZONE, asked, clinician, enrol, exercise_session, prescribed, response, stopwatch, tally

PLAN = {
    "title": "Scripted programme",
    "weekdays": [1, 2, 3, 4, 5, 6, 7],
    "items": [
        {
            "exercise": "bird-dog",
            "dose": {
                "kind": "sets",
                "sets": 3,
                "reps": 6,
                "each_side": True,
                "hold_seconds": 5,
                "sessions_per_week": 7,
            },
        },
        {"exercise": "baseline-walk", "dose": {"kind": "minutes", "minutes": 20, "sessions_per_week": 7}},
    ],
}
FLARE = (3, 4)  # days of the week, from 0


def week(prescription: str, now: datetime) -> tuple[list[dict[str, Any]], str]:
    """Seven days of entries, and the id of the session that was not done."""
    items: list[dict[str, Any]] = []
    not_done = str(uuid4())
    for day in range(7):
        evening = (now - timedelta(days=7 - day)).replace(hour=20, minute=0, second=0, microsecond=0)
        base = {"authored_at": evening.isoformat(), "time_zone": ZONE}
        flare, pain = int(day in FLARE), 7 if day in FLARE else 3
        diary = {"pain-now": pain, "pain-average": pain, "pain-worst": pain + 1, "fear": 4, "mood": 3, "flare": flare}
        items.append(response("daily-diary", diary, base))
        if day == FLARE[1]:
            skipped = {"type": "not-today", "id": not_done, "prescription": prescription, "reason": "pain"}
            items.append(skipped | base)
        else:
            items.append(done(prescription, evening - timedelta(hours=2), min(pain, 5)))
    return items, not_done


def done(prescription: str, at: datetime, pain: int) -> dict[str, Any]:
    logged = exercise_session(str(uuid4()), prescription, at, pain)
    return logged | {"exercises": [{"exercise": "bird-dog"}, {"exercise": "baseline-walk"}]}


def main() -> None:
    options, say = asked(__doc__), stopwatch()

    def must(holds: bool, text: str) -> None:
        if not holds:
            sys.exit(f"not as it should be: {text}")

    now = datetime.now(ZoneInfo(ZONE))
    staff = clinician(options.server, options.email, options.password, options.code)
    patient, prescription, invitation = prescribed(staff, PLAN)
    phone = enrol(options.server, invitation)
    first = phone.ask("POST", "sync", {"cursor": None, "push": []})
    (pulled,) = (change["data"] for change in first["changes"] if change["type"] == "prescription")
    must(bool(pulled["exercises"]["bird-dog"]["words"]["en"]["steps"]), "no words to do the session by")
    say("prescribed, enrolled and pulled: from here on the phone is offline")

    items, not_done = week(prescription, now)
    sent = {"device": {"sent_at": datetime.now(UTC).isoformat()}, "cursor": first["cursor"], "push": items}
    answer = phone.ask("POST", "sync", sent)
    must(tally(answer) == {"stored": len(items)}, str(answer["results"]))
    say(f"a week offline, {len(items)} items: {tally(answer)}")
    easier = next(each["easier"] for each in answer["results"] if each["id"] == not_done)
    say(f"for the session not done, something easier: {easier}")

    versions = [change["data"] for change in answer["changes"] if change["type"] == "prescription"]
    (stepped,) = (each for each in versions if each["version"] == 2)
    doses = {item["exercise"]: item["dose"] for item in stepped["plan"]["items"]}
    must((doses["bird-dog"]["sets"], doses["baseline-walk"]["minutes"]) == (2, 12), str(doses))
    must(stepped["plan"]["weekdays"] == PLAN["weekdays"], "a flare keeps the days")
    (told,) = (change["data"]["words"] for change in answer["changes"] if change["type"] == "proposal")
    must(told.startswith("You are having a flare."), told)
    (proposal,) = staff.ask("GET", f"patients/{patient}/proposals")["results"]
    must((proposal["rule"], proposal["action"], proposal["state"]) == ("flare", "step-back", "applied"), str(proposal))
    say("one step back, at once, within the limits that were signed")
    for who, words in (("patient", told), ("clinician", proposal["words_for_clinician"])):
        print(f"\nthe {who} reads:\n    " + words.replace("\n", "\n    "))
    print()

    again = phone.ask("POST", "sync", sent)
    must(tally(again) == {"duplicate": len(items)}, str(again["results"]))
    say(f"the same week again: {tally(again)}")
    sessions = [item for item in items if item["type"] == "session"]
    better = sessions[0] | {"id": str(uuid4()), "replaces": sessions[0]["id"], "rpe": 6}
    back = {"type": "session-withdrawal", "id": str(uuid4()), "session": sessions[1]["id"], "reason": "my sister's"}
    wrong = done(prescription, now, 3) | {"exercises": [{"exercise": "bird-dog", "sets": -3}]}
    mended = phone.ask("POST", "sync", sent | {"push": [better, back | {"authored_at": now.isoformat()}, wrong]})
    must([each["status"] for each in mended["results"]] == ["stored", "stored", "rejected"], str(mended["results"]))
    say(f"one corrected, one taken back, one refused: {mended['results'][2]['errors'][0]}")
    rows = staff.ask("GET", f"patients/{patient}/sessions?limit=50")["results"]
    live = [row for row in rows if row["live"]]
    must((len(rows), len(live)) == (len(sessions) + 2, len(sessions)), f"{len(rows)} sessions, {len(live)} live")
    actions = [each["action"] for each in staff.ask("GET", f"patients/{patient}/proposals")["results"]]
    must(actions.count("step-back") == 1, f"it stepped back twice: {actions}")
    say(f"{len(rows)} sessions on record, {len(live)} count, and the dose stepped back once")


if __name__ == "__main__":
    main()
