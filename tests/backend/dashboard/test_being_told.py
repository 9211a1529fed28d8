"""How colleagues are told, on their own page; refused addresses on the pages of the clinic and of the patient."""

from __future__ import annotations

import json

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries, Settings

from backend.people.models import Clinic, Membership, OnCall, Role, User
from backend.reminders import refusals
from backend.reminders.colleague_models import Browser, CallSettings, RefusedMail
from backend.reminders.refusals import Refusal
from tests.backend.dashboard import builders
from tests.backend.reminders.given import a_browser, a_subscription

pytestmark = pytest.mark.django_db

ENDPOINT = "https://updates.push.services.mozilla.com/wpush/v2/generated"
PAGE = "/me/calls/"


@pytest.fixture
def clinic() -> Clinic:
    return builders.clinic(languages=["en"])


@pytest.fixture
def me(clinic: Clinic, client: Client) -> User:
    user = builders.colleague(clinic, role=Role.ADMIN)
    builders.sign_in(client, user)
    return user


@pytest.fixture(autouse=True)
def pushing(settings: Settings) -> None:
    settings.VAPID_PRIVATE_KEY = "Z2VuZXJhdGVkIGtleSBvZiAzMiBieXRlcyBsZW5ndGg"


def post(client: Client, address: str, **sent: object) -> str:
    return str(client.post(address, sent, secure=True, follow=True).content.decode())


def get(client: Client, address: str) -> str:
    return str(client.get(address, secure=True).content.decode())


def refused(user: User) -> None:
    refusals.refuse([Refusal(user.email, "the address is refused with 550", user_id=user.pk)], timezone.now())


def test_without_javascript_one_is_told_by_mail_and_may_choose(client: Client, me: User) -> None:
    assert "None: you are told by e-mail alone." in get(client, PAGE)
    post(client, PAGE, do="channel", channel="both")
    assert CallSettings.objects.get(user=me).channel == "both"
    assert "There is no such choice." in post(client, PAGE, do="channel", channel="pigeon")


def test_the_page_subscribes_a_browser_by_its_form_and_removes_it(client: Client, me: User) -> None:
    sent = json.dumps(a_subscription(ENDPOINT))
    assert "Firefox, Linux" in post(client, PAGE, do="subscribe", subscription=sent, name="Firefox, Linux")
    other = a_browser(builders.colleague(builders.clinic()), f"{ENDPOINT}/other")
    post(client, PAGE, do="remove", browser=str(other.pk))
    assert Browser.objects.count() == 2
    post(client, PAGE, do="remove", browser=str(Browser.objects.get(user=me).pk))
    assert list(Browser.objects.values_list("pk", flat=True)) == [other.pk]


@pytest.mark.parametrize("sent", ["", "{}", "null", json.dumps(a_subscription("https://127.0.0.1/"))])
def test_what_is_no_subscription_is_said_and_not_kept(client: Client, me: User, sent: str) -> None:
    text = post(client, PAGE, do="subscribe", subscription=sent)
    assert "message error" in text
    assert not Browser.objects.exists()


def test_the_page_takes_the_same_statements_for_one_browser_or_many(
    client: Client, me: User, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    for n in range(5):
        a_browser(me, f"{ENDPOINT}/{n}")
    get(client, PAGE)
    with django_assert_num_queries(8):  # five of them are the session, the user, and the frame of every page
        get(client, PAGE)


def test_the_worker_is_served_from_an_address_that_never_changes(client: Client) -> None:
    answer = client.get("/me/calls/worker.js", secure=True)
    assert answer["Content-Type"] == "text/javascript"
    assert answer["Cache-Control"] == "no-cache"
    assert b"showNotification" in answer.getvalue()


def test_a_refused_address_is_seen_by_its_owner_and_the_clinic_and_confirmed(
    client: Client, me: User, clinic: Clinic
) -> None:
    refused(me)
    assert "the address is refused with 550" in get(client, PAGE)
    staff = f"/clinics/{clinic.pk}/clinic/staff/"
    assert "e-mail refused since" in get(client, staff)
    post(client, f"{staff}{Membership.objects.get(user=me).pk}/mail")
    assert not RefusedMail.objects.exists()
    refused(me)
    post(client, PAGE, do="confirm")
    assert not RefusedMail.objects.exists()


def test_the_rota_says_whom_nothing_reaches_and_who_has_a_browser_alone(
    client: Client, me: User, clinic: Clinic
) -> None:
    member = Membership.objects.get(user=me)
    OnCall.objects.create(clinic=clinic, membership=member, position=1, hours="always")
    rota = f"/clinics/{clinic.pk}/clinic/rota/"
    assert "tag against" not in get(client, rota)
    refused(me)
    assert "nothing reaches them: the next is told at once" in get(client, rota)
    a_browser(me, ENDPOINT)
    assert "told by browser alone: e-mail is refused" in get(client, rota)


def test_a_refused_fallback_is_said_on_the_rota_until_it_is_kept_again(
    client: Client, me: User, clinic: Clinic
) -> None:
    Clinic.objects.filter(pk=clinic.pk).update(fallback_email="reception@clinic.example")
    refusals.refuse([Refusal("reception@clinic.example", "refused", clinic_id=clinic.pk)], timezone.now())
    rota = f"/clinics/{clinic.pk}/clinic/rota/"
    assert "Nothing goes to reception@clinic.example since" in get(client, rota)
    assert "Nothing goes to" not in post(client, f"{rota}fallback", email="reception@clinic.example")


def test_a_patients_refused_address_is_seen_and_put_right_on_their_page(
    client: Client, me: User, clinic: Clinic
) -> None:
    patient = builders.patient(builders.team(clinic), user=User.objects.create_user("patient@example.org"))
    refusals.refuse([Refusal("patient@example.org", "refused with 550", patient_id=patient.pk)], timezone.now())
    page = f"/patients/{patient.pk}/reminders/"
    assert "refused with 550" in get(client, page)
    taken = builders.colleague(clinic).email
    assert "Somebody else uses this address here." in post(client, page, do="mail", email=taken)
    text = post(client, page, do="mail", email="another@example.org")
    assert "another@example.org" in text
    assert not RefusedMail.objects.exists()
