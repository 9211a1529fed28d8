"""Examples of what the endpoints of people take and answer; generated, like everybody in them."""

DEVICE = {"id": "019a9f3e-6f7a-7cc0-a5a1-0d1f2b3c4d5e", "name": "Pixel"}
CODE = {"code": "7K2M-9QXA-4T0R"}
CLINIC = {
    "id": 1,
    "name": "Simulated clinic",
    "time_zone": "Europe/Zurich",
    "languages": ["de", "en"],
    "simulated": True,
}
INVITATION = {
    "purpose": "enrol",
    "clinic": CLINIC,
    "consent": [{"language": "de", "version": 1, "body": "Ich bin einverstanden, dass …"}],
    "expires_at": "2026-12-06T08:00:00Z",
}
RELINK = CODE | {"date_of_birth": "1980-05-17", "device": DEVICE}
ENROL = RELINK | {
    "consent": {"language": "de", "version": 1},
    "language": "de",
    "time_zone": "Europe/Zurich",
    "email": "patient-7@example.org",
}
ENROLLED = {"access_token": "eyJhbGciOi…", "refresh_token": "eyJhbGciOi…"}
DEVICES = [DEVICE | {"created_at": "2026-11-22T08:00:00Z", "last_seen_at": "2026-11-22T20:15:00Z", "revoked_at": None}]
ME = {
    "id": 7,
    "name": "Test Person 7",
    "language": "de",
    "time_zone": "Europe/Zurich",
    "status": "active",
    "clinic": CLINIC,
    "consent": {"language": "de", "version": 1, "current": 2, "given_at": "2026-11-22T08:00:00Z"},
    "safety_card": [{"kind": "crisis", "language": "de", "version": 1, "body": "Rufen Sie uns an: …"}],
    "device": DEVICE["id"],
    "devices": DEVICES,
}
WITHDRAWN = {"text": {"language": "de", "version": 1, "body": "Was Sie uns bisher gesagt haben, …"}}
NEW_PATIENT = {
    "care_team": 3,
    "identifier": "SB-0007",
    "name": "Test Person 7",
    "date_of_birth": "1980-05-17",
    "language": "de",
    "time_zone": "Europe/Zurich",
}
PATIENT = NEW_PATIENT | {"id": 7, "clinic": 1, "status": "invited", "origin": "clinic", "enrolled_at": None}
NEW_CODE = CODE | {"purpose": "enrol", "expires_at": "2026-12-06T08:00:00Z"}
NEW_TEAM = {"clinic": 1, "name": "Team North", "members": [4, 5]}
TEAM = NEW_TEAM | {"id": 3}
MEMBER = {"id": 4, "clinic": 1, "role": "clinician", "name": "Test Clinician 4", "email": "clinician-4@example.org"}
NEW_TEXT = {"kind": "crisis", "language": "de", "body": "Rufen Sie uns an: …"}
TEXT = NEW_TEXT | {"version": 2, "published_at": "2026-11-22T08:00:00Z"}
ON_CALL = {
    "member": 4,
    "hours": "weekdays 8 to 17",
    "weekdays": 31,
    "starts": "08:00:00",
    "ends": "17:00:00",
    "on_holidays": False,
}
