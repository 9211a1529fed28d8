"""Each channel against a real local server that behaves badly on purpose."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email import message_from_string
from uuid import UUID

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from pytest_django import Settings

from backend.reminders import wording
from backend.reminders.channels import ChannelError, Notice, email, fcm, http, read_retry_after, webpush
from backend.reminders.models import Message
from tests.backend.reminders.given import GeneratedBrowser, a_subscription
from tests.backend.reminders.providers import Answer, HTTPProvider, SMTPProvider, http_provider, smtp_provider

MESSAGE_ID = UUID("01936f2a-7b1c-7c3e-9d55-2f1f0a6f4b11")
NOTICE = Notice(MESSAGE_ID, 7, "reminder", "Steadyback", "Something is waiting for you.", timedelta(hours=2))


def b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def unb64(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def refused(channel: object, target: str) -> ChannelError:
    with pytest.raises(ChannelError) as error:
        channel.notify(NOTICE, target)  # type: ignore[attr-defined]
    return error.value


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http, "TIMEOUT", (1, 0.3))


class TestFCM:
    @pytest.fixture
    def google(self, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[HTTPProvider]:
        def usual(path: str, _: bytes) -> Answer:
            if path == "/token":
                return 200, {}, {"access_token": "generated-access", "expires_in": 3599}
            return 200, {}, {"name": "projects/generated/messages/1"}

        key = rsa.generate_private_key(65537, 2048)
        pem = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        with http_provider(usual) as provider:
            settings.FCM_SERVICE_ACCOUNT = {
                "project_id": "generated",
                "client_email": "sender@generated.example",
                "private_key": pem.decode(),
                "token_uri": f"{provider.url}/token",
            }
            monkeypatch.setattr(fcm, "API", provider.url)
            fcm._tokens.clear()
            yield provider

    def test_a_message_is_sent_with_its_id_and_its_place(self, google: HTTPProvider) -> None:
        assert fcm.notify(NOTICE, "generated-token") == "projects/generated/messages/1"
        (_, _, grant), (path, headers, body) = google.taken
        assert b"assertion=" in grant
        assert path == "/v1/projects/generated/messages:send"
        assert headers["Authorization"] == "Bearer generated-access"
        message = json.loads(body)["message"]
        assert message["token"] == "generated-token"
        assert message["data"] == {"message": str(MESSAGE_ID)}
        assert message["android"]["collapse_key"] == message["apns"]["headers"]["apns-collapse-id"] == "reminder"
        assert message["android"]["ttl"] == "7200s"

    def test_the_access_token_is_kept_while_it_lives(self, google: HTTPProvider) -> None:
        fcm.notify(NOTICE, "a")
        fcm.notify(NOTICE, "b")
        assert [path for path, *_ in google.taken].count("/token") == 1

    @pytest.mark.parametrize("code", ["UNREGISTERED", "SENDER_ID_MISMATCH", "INVALID_ARGUMENT"])
    def test_a_dead_token_is_permanent(self, google: HTTPProvider, code: str) -> None:
        fcm.notify(NOTICE, "a")
        google.script.append((404, {}, {"error": {"status": "NOT_FOUND", "details": [{"errorCode": code}]}}))
        assert refused(fcm, "generated-token").permanent

    def test_a_request_that_is_our_own_fault_kills_no_token(self, google: HTTPProvider) -> None:
        fcm.notify(NOTICE, "a")
        google.script.append((400, {}, {"error": {"status": "INVALID_ARGUMENT"}}))
        assert not refused(fcm, "generated-token").permanent

    @pytest.mark.parametrize(
        "trouble", [(500, {}, {}), (502, {}, b"<html>"), (401, {}, b""), "cut", 1.0, (200, {}, b"no json")]
    )
    def test_trouble_passes(self, google: HTTPProvider, trouble: Answer | str | float) -> None:
        fcm.notify(NOTICE, "a")
        google.script.append(trouble)
        if trouble == (200, {}, b"no json"):
            assert fcm.notify(NOTICE, "generated-token") == ""  # it was taken, if without a name
        else:
            assert not refused(fcm, "generated-token").permanent
            assert fcm.notify(NOTICE, "generated-token")

    def test_too_many_requests_say_how_long_to_wait(self, google: HTTPProvider) -> None:
        fcm.notify(NOTICE, "a")
        google.script.append((429, {"Retry-After": "37"}, {}))
        error = refused(fcm, "generated-token")
        assert (error.permanent, error.retry_after) == (False, timedelta(seconds=37))

    def test_a_refused_service_account_is_the_operators_matter_not_the_tokens(self, google: HTTPProvider) -> None:
        google.script.append((400, {}, {"error": "invalid_grant"}))
        assert not refused(fcm, "generated-token").permanent


class TestWebPush:
    browser = ec.generate_private_key(ec.SECP256R1())
    server = ec.generate_private_key(ec.SECP256R1())

    @pytest.fixture
    def service(self, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[HTTPProvider]:
        settings.VAPID_PRIVATE_KEY = b64(self.server.private_numbers().private_value.to_bytes(32))
        monkeypatch.setattr(webpush, "SERVICES", ("127.0.0.1",))
        monkeypatch.setattr(webpush, "SCHEMES", ("http",))
        with http_provider(lambda *_: (201, {"Location": "/receipt/1"}, b"")) as provider:
            yield provider

    def subscription(self, endpoint: str, key: bytes = b"") -> str:
        found = a_subscription(endpoint, self.browser)
        if key:
            found["keys"]["p256dh"] = b64(key)
        return json.dumps(found)

    def test_the_browser_alone_can_read_the_message(self, service: HTTPProvider) -> None:
        assert webpush.notify(NOTICE, self.subscription(f"{service.url}/push/1")) == "/receipt/1"
        ((_, headers, body),) = service.taken
        assert (headers["TTL"], headers["Topic"], headers["Content-Encoding"]) == ("7200", "reminder", "aes128gcm")
        content = GeneratedBrowser(0, self.browser).read(body)
        assert json.loads(content)["message"] == str(MESSAGE_ID)
        assert NOTICE.body.encode() not in body

    def test_the_push_service_can_tell_who_sends(self, service: HTTPProvider) -> None:
        webpush.notify(NOTICE, self.subscription(f"{service.url}/push/1"))
        ((_, headers, _),) = service.taken
        token, key = headers["Authorization"].removeprefix("vapid t=").split(", k=")
        assert unb64(key) == webpush._point(self.server)
        claims = jwt.decode(token, self.server.public_key(), algorithms=["ES256"], audience=service.url)
        assert claims["sub"].startswith("mailto:")
        assert claims["exp"] <= datetime.now(UTC).timestamp() + 24 * 3600

    def test_the_encryption_is_that_of_rfc_8291(self) -> None:
        """Its appendix A."""
        key = ec.derive_private_key(
            int.from_bytes(unb64("yfWPiYE-n46HLnH0KqZOF1fJJU3MYrct3AELtAQ-oRw")), ec.SECP256R1()
        )
        browser = unb64("BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4")
        secret, salt = unb64("BTBZMqHH6r4Tts7J_aSIgg"), unb64("DGv6ra1nlYgDCS1FRnbzlw")
        message = webpush.encrypt(b"When I grow up, I want to be a watermelon", browser, secret, salt=salt, key=key)
        assert b64(message) == (
            "DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK"
            "6PBru3jl7A_yl95bQpu6cVPTpK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexSgSxsj_Qulcy4a-fN"
        )

    @pytest.mark.parametrize("status", [404, 410])
    def test_a_subscription_that_is_gone_is_permanent(self, service: HTTPProvider, status: int) -> None:
        service.script.append((status, {}, b""))
        assert refused(webpush, self.subscription(service.url)).permanent

    @pytest.mark.parametrize("trouble", [(500, {}, b""), (413, {}, b""), "cut", 1.0])
    def test_trouble_passes(self, service: HTTPProvider, trouble: Answer | str | float) -> None:
        service.script.append(trouble)
        assert not refused(webpush, self.subscription(service.url)).permanent
        assert webpush.notify(NOTICE, self.subscription(service.url))

    def test_a_redirect_is_not_followed(self, service: HTTPProvider) -> None:
        service.script.append((307, {"Location": service.url}, b""))
        refused(webpush, self.subscription(service.url))
        assert len(service.taken) == 1

    @pytest.mark.parametrize(
        "endpoint",
        [
            "http://169.254.169.254/",
            "http://localhost:1/",
            "ftp://127.0.0.1/",
            "http://127.0.0.1.example.org/",
            "http://evil@127.0.0.1.example.org/",
            "http://[::1]/",
            "http://[",
            "",
        ],
    )
    def test_only_push_services_are_spoken_to(self, service: HTTPProvider, endpoint: str) -> None:
        assert refused(webpush, self.subscription(endpoint)).permanent

    @pytest.mark.parametrize("target", ["", "{}", "null", '{"endpoint": 1}'])
    def test_what_is_no_subscription_is_permanent(self, target: str) -> None:
        assert refused(webpush, target).permanent

    def test_a_key_that_is_none_is_permanent(self, service: HTTPProvider) -> None:
        assert refused(webpush, self.subscription(service.url, key=b"x" * 65)).permanent


class TestEmail:
    @pytest.fixture
    def smtp(self, settings: Settings) -> Iterator[SMTPProvider]:
        with smtp_provider() as provider:
            settings.MAILERS = {
                "default": {
                    "BACKEND": "django.core.mail.backends.smtp.EmailBackend",
                    "OPTIONS": {"host": "127.0.0.1", "port": provider.port, "timeout": 1},
                }
            }
            yield provider

    def test_a_mail_carries_the_messages_id(self, smtp: SMTPProvider) -> None:
        email.notify(NOTICE, "patient@example.org")
        (mail,) = map(message_from_string, smtp.taken)
        assert mail["To"] == "patient@example.org"
        assert mail["Message-ID"] == f"<{MESSAGE_ID}@localhost>"
        assert mail["Subject"] == "Steadyback"

    def test_an_unknown_recipient_is_permanent_and_a_full_mailbox_passes(self, smtp: SMTPProvider) -> None:
        smtp.recipients.extend(["550 no such user", "452 mailbox full"])
        assert refused(email, "patient@example.org").permanent
        assert not refused(email, "patient@example.org").permanent
        assert email.notify(NOTICE, "patient@example.org")

    @pytest.mark.parametrize("trouble", ["451 try later", "554 looks like spam", "cut", 1.5])
    def test_trouble_passes_and_the_next_try_has_the_same_id(self, smtp: SMTPProvider, trouble: str | float) -> None:
        smtp.data.append(trouble)
        assert not refused(email, "patient@example.org").permanent
        assert email.notify(NOTICE, "patient@example.org")
        first, second = map(message_from_string, smtp.taken)
        assert first["Message-ID"] == second["Message-ID"]

    def test_nobody_there_passes(self, settings: Settings) -> None:
        with smtp_provider() as gone:
            options = {"host": "127.0.0.1", "port": gone.port, "timeout": 2}
        settings.MAILERS = {"default": {"BACKEND": "django.core.mail.backends.smtp.EmailBackend", "OPTIONS": options}}
        assert not refused(email, "patient@example.org").permanent

    def test_a_provider_of_anymails_is_spoken_to(self, settings: Settings) -> None:
        taken = {"ErrorCode": 0, "Message": "OK", "MessageID": "1", "To": "patient@example.org"}
        inactive = {
            "ErrorCode": 406,
            "Message": "Found inactive addresses: patient@example.org.\nInactive recipients are ones.",
        }
        with http_provider(lambda *_: (200, {}, taken)) as postmark:
            settings.MAILERS = {
                "default": {
                    "BACKEND": "anymail.backends.postmark.EmailBackend",
                    "OPTIONS": {"server_token": "generated", "api_url": postmark.url, "timeout": 1},
                }
            }
            postmark.script.extend(
                [(429, {"Retry-After": "5"}, {}), (503, {}, {}), (422, {}, inactive), (401, {}, {}), "cut"]
            )
            errors = [refused(email, "patient@example.org") for _ in range(5)]
            assert [error.permanent for error in errors] == [False, False, True, False, False]
            assert errors[0].retry_after == timedelta(seconds=5)
            assert email.notify(NOTICE, "patient@example.org")


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("120", 120),
        ("0", 1),
        ("Mon, 02 Mar 2026 11:00:30 GMT", 30),
        ("Mon, 02 Mar 2026 10:00:00 GMT", 1),
        ("99999999999999999999", None),
        ("604800", 86_400),
        ("soon", None),
        ("", None),
        (None, None),
    ],
)
def test_retry_after_in_seconds_and_as_a_date(value: str | None, seconds: int | None) -> None:
    wait = read_retry_after(value, datetime(2026, 3, 2, 11, tzinfo=UTC))
    assert wait == (None if seconds is None else timedelta(seconds=seconds))


class TestWording:
    def test_each_language_says_the_same_things(self) -> None:
        texts = [wording._texts(file.stem) for file in sorted(wording.FOLDER.glob("*.toml"))]
        assert len(texts) >= 2
        assert len({tuple((table, *sorted(words)) for table, words in text.items()) for text in texts}) == 1

    @pytest.mark.parametrize(
        ("language", "starts"), [("de", "Es wartet"), ("de-CH", "Es wartet"), ("en", "Something"), ("xx", "Something")]
    )
    def test_the_patients_language_or_english(self, language: str, starts: str) -> None:
        assert wording.message("reminder", language, 1)[1].startswith(starts)

    @pytest.mark.parametrize("language", ["en", "de", "de-CH", "xx"])
    def test_no_text_on_the_wire_says_anything_about_health(self, language: str) -> None:
        words = ("pain", "mood", "depress", "phq", "fear", "exercise", "schmerz", "stimmung", "angst", "übung", "diary")
        said = [wording.message(kind, language, count) for kind in Message.Kind.values for count in (1, 3)]
        text = str([*said, wording.call(language)]).lower()
        assert [word for word in words if word in text] == []
