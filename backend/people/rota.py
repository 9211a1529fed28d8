"""Whom a clinic has named for red flags: who is on duty when, in which order, and who is told if nobody answers."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

import msgspec
from django.db import transaction

from backend.people import changes
from backend.people.hours import Hours, hours_of
from backend.people.models import Clinic, ClinicChange, Membership, OnCall, OpeningHours


class Duty(msgspec.Struct, frozen=True):
    """One place in the chain. In `weekdays` bit 0 is Monday; a duty that ends no later than it starts is overnight."""

    position: int
    user_id: int | None
    email: str
    language: str
    weekdays: int = 127
    starts: time = time(0)
    ends: time = time(0)
    on_holidays: bool = True

    def is_on(self, at: datetime, hours: Hours) -> bool:
        local = at.astimezone(ZoneInfo(hours.time_zone))
        today, clock = local.date(), local.time()
        overnight = self.ends <= self.starts
        begun_today = clock >= self.starts and (overnight or clock < self.ends)
        begun_yesterday = overnight and clock < self.ends
        return any(
            self.weekdays >> day.weekday() & 1 and (self.on_holidays or day not in hours.holidays)
            for day, begun in ((today, begun_today), (today - timedelta(days=1), begun_yesterday))
            if begun
        )


class Rota(msgspec.Struct, frozen=True):
    """Everything that decides whom of a clinic to tell: hours, chain in order, and the fallback's address if any."""

    hours: Hours
    chain: tuple[Duty, ...] = ()
    fallback: str = ""
    language: str = "en"
    simulated: bool = False


def rotas_of(clinic_ids: Iterable[int]) -> dict[int, Rota]:
    """The rotas of these clinics. Five statements, however many."""
    ids = list(clinic_ids)
    hours = hours_of(ids)
    chains: dict[int, list[Duty]] = {clinic: [] for clinic in ids}
    rows = OnCall.objects.filter(clinic__in=ids, membership__user__is_active=True)
    for row in rows.select_related("membership__user").order_by("position"):
        user = row.membership.user
        duty = Duty(
            position=row.position,
            user_id=user.pk,
            email=user.email,
            language=user.language,
            weekdays=row.weekdays,
            starts=row.starts,
            ends=row.ends,
            on_holidays=row.on_holidays,
        )
        chains[row.clinic_id].append(duty)
    return {
        clinic.pk: Rota(
            hours[clinic.pk],
            tuple(chains[clinic.pk]),
            clinic.fallback_email,
            next(iter(clinic.languages), "en"),
            clinic.simulated,
        )
        for clinic in Clinic.objects.filter(pk__in=ids)
    }


@transaction.atomic
def set_chain(clinic: Clinic, places: Iterable[OnCall], *, by: int | None = None) -> None:
    """Name the chain anew, in this order."""
    Clinic.objects.select_for_update(no_key=True).get(pk=clinic.pk)
    OnCall.objects.filter(clinic=clinic).delete()
    chain = list(places)
    for position, place in enumerate(chain, 1):
        place.pk, place.clinic, place.position = None, clinic, position
    OnCall.objects.bulk_create(chain)
    emails = _emails_of(chain)
    said = ", ".join(f"{emails[place.membership_id]} ({place.hours})" for place in chain)
    changes.record(clinic, by, ClinicChange.What.ROTA, said or "nobody")


def _emails_of(chain: Iterable[OnCall]) -> dict[int, str]:
    """The e-mail of each member of a chain."""
    members = Membership.objects.filter(pk__in={place.membership_id for place in chain})
    return dict(members.values_list("pk", "user__email"))


def missing(clinic: Clinic) -> list[str]:
    """What of `hours`, `rota` and `fallback` a clinic has not named. Without all three nobody can be asked item 9."""
    named = {
        "hours": OpeningHours.objects.filter(clinic=clinic).exists(),
        "rota": OnCall.objects.filter(clinic=clinic, membership__user__is_active=True).exists(),
        "fallback": bool(clinic.fallback_email),
    }
    return [name for name, there in named.items() if not there]
