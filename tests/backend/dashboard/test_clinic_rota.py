"""Hours and rota decide when an alert is due and whether item 9 may be asked at all."""

from datetime import date, time

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from backend.people.models import Clinic, Holiday, Membership, OnCall, OpeningHours, Role, User
from backend.reminders.refusals import Refusal, refuse
from tests.backend.dashboard import builders

pytestmark = pytest.mark.django_db


@pytest.fixture
def clinic() -> Clinic:
    return builders.clinic(languages=["en"])


@pytest.fixture
def admin(clinic: Clinic, client: Client) -> User:
    user = builders.colleague(clinic, role=Role.ADMIN)
    builders.sign_in(client, user)
    return user


def page(client: Client, clinic: Clinic, path: str = "", **data: object) -> str:
    address = f"/clinics/{clinic.pk}/clinic/rota/{path}"
    answer = client.post(address, data, secure=True, follow=True) if path else client.get(address, secure=True)
    return str(answer.content.decode())


def duty(prefix: str, member: Membership, **fields: object) -> dict[str, object]:
    said = {"membership": member.pk, "weekdays": list(range(7)), "starts": "00:00", "ends": "00:00", "hours": "always"}
    return {"place": prefix, "do": "keep"} | {f"{prefix}-{name}": value for name, value in (said | fields).items()}


def names(clinic: Clinic) -> list[str]:
    chain = OnCall.objects.filter(clinic=clinic).order_by("position")
    assert [one.position for one in chain] == list(range(1, len(chain) + 1))
    return [one.membership.user.name for one in chain]


def test_phq_9_may_be_asked_once_all_three_are_named(client: Client, clinic: Clinic, admin: User) -> None:
    text = page(client, clinic)
    assert "PHQ-9 can't be scheduled." in text
    assert all(f'href="#{anchor}"' in text for anchor in ("hours", "rota", "fallback"))
    page(
        client,
        clinic,
        "hours",
        **{"day0-opens0": "08:00", "day0-closes0": "12:00", "day0-opens1": "13:00", "day0-closes1": "00:00"},
    )
    page(client, clinic, "chain", **duty("new", admin.membership_set.get()))
    text = page(client, clinic, "fallback", email="reception@clinic.example")
    assert "PHQ-9 can be scheduled." in text
    refuse([Refusal(admin.email, "no such user", user_id=admin.pk)], timezone.now())
    text = page(client, clinic)
    assert "PHQ-9 can't be scheduled." in text
    assert '<a href="#rota">anybody on call whom a message reaches</a>' in text
    hours = OpeningHours.objects.filter(clinic=clinic).values_list("weekday", "opens", "closes")
    assert list(hours.order_by("opens")) == [(0, time(8), time(12)), (0, time(13), time(0))]


@pytest.mark.parametrize(
    ("wrong", "field", "told"),
    [
        ({"day2-opens0": "08:00"}, "day2-closes0", "Say both, or neither."),
        ({"day2-opens0": "08:00", "day2-closes0": "07:00"}, "day2-closes0", "After it opens"),
        (
            {"day2-opens0": "08:00", "day2-closes0": "12:00", "day2-opens1": "11:00", "day2-closes1": "13:00"},
            "day2-opens1",
            "Not before it closes the time before.",
        ),
        ({"day2-opens0": "25:00", "day2-closes0": "07:00"}, "day2-opens0", "Enter a valid time."),
    ],
)
def test_hours_that_cannot_be_are_told_at_their_field_and_change_nothing(
    client: Client, clinic: Clinic, admin: User, wrong: dict[str, str], field: str, told: str
) -> None:
    OpeningHours.objects.create(clinic=clinic, weekday=4, opens=time(8), closes=time(17))
    text = page(client, clinic, "hours", **wrong)
    assert told in text
    assert f'id="id_{field}_error"' in text
    assert OpeningHours.objects.get().weekday == 4


def test_holidays_come_and_go(client: Client, clinic: Clinic, admin: User) -> None:
    assert "Example holiday" in page(client, clinic, "holidays", day="2999-12-25", name="Example holiday")
    foreign = Holiday.objects.create(clinic=builders.clinic(), day=date(2999, 12, 25))
    mine = Holiday.objects.get(clinic=clinic)
    page(client, clinic, "holidays", gone=str(mine.pk))
    page(client, clinic, "holidays", gone=str(foreign.pk))
    assert list(Holiday.objects.all()) == [foreign]


def test_the_chain_is_ordered_changed_and_shortened(client: Client, clinic: Clinic, admin: User) -> None:
    members = [builders.colleague(clinic).membership_set.get() for _ in range(3)]
    first_name, second_name, third_name = [member.user.name for member in members]
    for member in members:
        page(client, clinic, "chain", **duty("new", member))
    assert names(clinic) == [first_name, second_name, third_name]
    third = OnCall.objects.get(clinic=clinic, position=3)
    page(client, clinic, "chain", place=str(third.pk), do="up")
    assert names(clinic) == [first_name, third_name, second_name]
    first = OnCall.objects.get(clinic=clinic, position=1)
    page(client, clinic, "chain", **duty(str(first.pk), members[0], weekdays=[5, 6], starts="18:00", ends="08:00"))
    first = OnCall.objects.get(clinic=clinic, position=1)
    assert (first.weekdays, first.starts, first.ends, first.on_holidays) == (0b1100000, time(18), time(8), False)
    page(client, clinic, "chain", place=str(first.pk), do="out")
    assert names(clinic) == [third_name, second_name]
    assert "meanwhile" in page(client, clinic, "chain", place=str(first.pk), do="out")


def test_a_colleague_of_another_clinic_is_no_place_in_the_chain(client: Client, clinic: Clinic, admin: User) -> None:
    foreign = builders.colleague(builders.clinic()).membership_set.get()
    text = page(client, clinic, "chain", **duty("new", foreign, weekdays=[]))
    assert 'id="id_new-membership_error"' in text
    assert 'id="id_new-weekdays_error"' in text
    assert not OnCall.objects.exists()


def test_the_number_of_statements_does_not_grow(client: Client, clinic: Clinic, admin: User) -> None:
    def statements() -> int:
        with CaptureQueriesContext(connection) as captured:
            page(client, clinic)
        return len(captured)

    page(client, clinic, "chain", **duty("new", admin.membership_set.get()))
    statements()  # the first visit notes in the session when somebody was last here
    few = statements()
    for _ in range(4):
        page(client, clinic, "chain", **duty("new", builders.colleague(clinic).membership_set.get()))
    page(client, clinic, "holidays", day="2999-12-25")
    assert statements() == few
