"""What the OpenAPI document says of signing in, which drf-spectacular doesn't see: the views are allauth's."""

from __future__ import annotations

from typing import Any, NamedTuple

from backend.rest.openapi import PROBLEM

PASSWORD = "correct horse battery staple"  # noqa: S105  an example
USER = {"id": 4, "display": "Test Clinician 4", "email": "clinician-4@example.org", "has_usable_password": True}
METHODS = [{"method": "password", "at": 1795334400.0, "email": "clinician-4@example.org"}]
SESSION = {
    "status": 200,
    "data": {"user": USER, "methods": METHODS},
    "meta": {"is_authenticated": True, "access_token": "eyJhbGciOi…", "refresh_token": "eyJhbGciOi…"},
}
SIGNED_IN = {"status": 200, "data": {"user": USER, "methods": METHODS}, "meta": {"is_authenticated": True}}
DONE = {"status": 200}
TOTP = {"type": "totp", "created_at": 1795334400.0, "last_used_at": 1795334500.0}
RECOVERY = TOTP | {"type": "recovery_codes", "total_code_count": 10, "unused_code_count": 9}


class Said(NamedTuple):
    """One method of one address: what it does, what it takes, what it answers; examples stand for schemas."""

    summary: str
    takes: dict[str, Any] | None = None
    answers: dict[str, Any] | None = None
    open: bool = False


ADDRESSES: dict[str, dict[str, Said]] = {
    "login": {
        "post": Said(
            "Sign in with e-mail and password (staff). 401 with a pending flow `mfa_authenticate` and a "
            "`meta.session_token` means: send that as X-Session-Token to 2fa/authenticate, with a code.",
            {"email": "clinician-4@example.org", "password": PASSWORD},
            SESSION,
            open=True,
        )
    },
    "2fa/authenticate": {
        "post": Said(
            "Finish signing in: a code of the app, or a recovery code.", {"code": "123456"}, SESSION, open=True
        )
    },
    "session": {
        "get": Said("Who is signed in, and how.", None, SIGNED_IN),
        "delete": Said("Sign out: every token of this session is dead."),
    },
    "refresh": {
        "post": Said(
            "A new pair of tokens. A refresh token works once more within a minute, for the reply may be lost; "
            "after that its reuse ends the session.",
            {"refresh_token": "eyJhbGciOi…"},
            {"status": 200, "data": {"access_token": "eyJhbGciOi…", "refresh_token": "eyJhbGciOi…"}},
            open=True,
        )
    },
    "reauthenticate": {"post": Said("Show the password again.", {"password": PASSWORD}, SIGNED_IN)},
    "2fa/reauthenticate": {"post": Said("Show the second factor again.", {"code": "123456"}, SIGNED_IN)},
    "password/request": {
        "post": Said(
            "Have a mail sent for a forgotten password (staff).", {"email": "clinician-4@example.org"}, DONE, open=True
        )
    },
    "password/reset": {
        "get": Said("Whether the key of such a mail (X-Password-Reset-Key) still works.", None, DONE, open=True),
        "post": Said("A new password by that key.", {"key": "4-abcdef", "password": PASSWORD}, SESSION, open=True),
    },
    "password/change": {
        "post": Said("Another password.", {"current_password": PASSWORD, "new_password": PASSWORD + "s"}, SIGNED_IN)
    },
    "authenticators": {"get": Said("My second factors.", None, {"status": 200, "data": [TOTP]})},
    "authenticators/totp": {
        "get": Said(
            "My authenticator app. 404 means that there is none, and brings the secret for one in `meta`.",
            None,
            {"status": 200, "data": TOTP},
        ),
        "post": Said("Set up an authenticator app: a code of it.", {"code": "123456"}, {"status": 200, "data": TOTP}),
        "delete": Said("Remove my authenticator app.", None, DONE),
    },
    "authenticators/recovery-codes": {
        "get": Said("My recovery codes.", None, {"status": 200, "data": RECOVERY | {"unused_codes": ["12345678"]}}),
        "post": Said("New recovery codes; the old ones are dead.", None, {"status": 200, "data": RECOVERY}),
    },
}


def like(example: Any) -> dict[str, Any]:
    """The schema that an example shows."""
    match example:
        case dict():
            properties = {name: like(value) for name, value in example.items()}
            return {"type": "object", "properties": properties}
        case list():
            return {"type": "array", "items": like(example[0])}
        case bool():
            return {"type": "boolean"}
        case int() | float():
            return {"type": "number"}
        case _:
            return {"type": "string"}


def operation(name: str, method: str, said: Said) -> dict[str, Any]:
    def body(example: Any) -> dict[str, Any]:
        return {"application/json": {"schema": like(example), "examples": {"example": {"value": example}}}}

    done: dict[str, Any] = {"description": "Done."}
    described: dict[str, Any] = {
        "operationId": "_".join(["auth", *name.replace("-", "_").split("/"), method]),
        "summary": said.summary,
        "tags": ["auth"],
        "security": [{}] if said.open else [{"bearer": []}],
        "responses": {
            "200" if said.answers else "204": done | ({"content": body(said.answers)} if said.answers else {}),
            **{
                status: PROBLEM | {"description": "A problem."} for status in ("400", "401", "404", "409", "429", "503")
            },
        },
    }
    if said.takes:
        described["requestBody"] = {"required": True, "content": body(said.takes)}
        described["requestBody"]["content"]["application/json"]["schema"]["required"] = list(said.takes)
    return described


def add_sign_in(result: dict[str, Any], **_: object) -> dict[str, Any]:
    """Postprocessing hook: put the addresses of signing in beside the others."""
    for name, methods in ADDRESSES.items():
        result["paths"][f"/api/v1/auth/{name}"] = {
            method: operation(name, method, said) for method, said in methods.items()
        }
    result["paths"] = dict(sorted(result["paths"].items()))
    return result
