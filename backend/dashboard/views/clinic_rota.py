"""When a clinic is open, who answers a red flag when, and whether it may therefore ask item 9."""

from __future__ import annotations

from django.contrib import messages
from django.db import transaction
from django.db.models import Q
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST, require_safe

from backend.dashboard.clinic_pages import show
from backend.dashboard.entry import Desk, admin_of, at_clinic
from backend.dashboard.hours import FallbackForm, HolidayForm, PlaceForm, WeekdayForm
from backend.dashboard.views.clinic_staff import members_of
from backend.people import changes
from backend.people.hours import set_hours
from backend.people.models import Clinic, ClinicChange, Holiday, OnCall
from backend.people.rota import missing, rotas_of, set_chain
from backend.reminders import refusals
from backend.reminders.reaching import reaches_of, unreached

What = ClinicChange.What

LACKS = {
    "hours": ("hours", _("its opening hours")),
    "rota": ("rota", _("anybody on call")),
    "fallback": ("fallback", _("who is told when nobody answers")),
    "rota_unreached": ("rota", _("anybody on call whom a message reaches")),
    "fallback_unreached": ("fallback", _("an address that takes mail for when nobody answers")),
}


@require_safe
@at_clinic
def rota(request: HttpRequest, desk: Desk) -> HttpResponse:
    return _page(request, desk)


def _page(
    request: HttpRequest,
    desk: Desk,
    *,
    days: list[WeekdayForm] | None = None,
    holiday: HolidayForm | None = None,
    place: PlaceForm | None = None,
    fallback: FallbackForm | None = None,
) -> HttpResponse:
    """The whole page; a form that came back refused stands where it came from."""
    members = members_of(desk)
    by_pk = {member.pk: member for member in members}
    now, named = timezone.now(), rotas_of([desk.clinic.pk])[desk.clinic.pk]
    users = [duty.user_id for duty in named.chain if duty.user_id]
    reaches, no_mail = reaches_of(users), refusals.of_users(users)
    fallback_refused = refusals.of_fallbacks([desk.clinic.pk]).get(desk.clinic.pk)
    lacks = missing(desk.clinic) or unreached(named, reaches, fallback_refused=fallback_refused is not None)
    on_duty = {duty.position for duty in named.chain if duty.is_on(now, named.hours)}
    chain = []
    for one in OnCall.objects.filter(clinic=desk.clinic).order_by("position"):
        refused = place if place is not None and place.prefix == str(one.pk) else None
        form = refused or PlaceForm(members, initial=PlaceForm.initial_of(one), prefix=str(one.pk))
        member = by_pk[one.membership_id]
        user, told = member.user_id, reaches.get(member.user_id)
        reached = named.simulated or told is None or bool(told.channels(critical=True))
        chain.append((one, member, one.position in on_duty, reached, no_mail.get(user), form))
    context = {
        "lacks": [LACKS[name] for name in lacks],
        "no_hours": not named.hours.weekly,
        "open_now": named.hours.is_open(now),
        "days": days or _days(desk),
        "holidays": desk.clinic.holidays.filter(day__gte=desk.today).order_by("day"),
        "holiday": holiday or HolidayForm(),
        "chain": chain,
        "new_place": place if place is not None and place.prefix == "new" else PlaceForm(members, prefix="new"),
        "fallback_refused": fallback_refused,
        "fallback": fallback or FallbackForm(initial={"email": desk.clinic.fallback_email}),
    }
    return show(request, desk, "clinic_rota", "rota.html", context)


def _days(desk: Desk, data: QueryDict | None = None) -> list[WeekdayForm]:
    named = list(desk.clinic.opening_hours.order_by("weekday", "opens"))
    return [WeekdayForm(day, [one for one in named if one.weekday == day], data) for day in range(7)]


def _done(request: HttpRequest, desk: Desk, anchor: str) -> HttpResponse:
    messages.success(request, _now("Kept."))
    return redirect(reverse("dashboard:clinic_rota", args=[desk.clinic.pk]) + f"#{anchor}")


@require_POST
@at_clinic
def hours(request: HttpRequest, desk: Desk) -> HttpResponse:
    admin_of(desk)
    days = _days(desk, request.POST)
    valid = [day.is_valid() for day in days]  # each of them, so that each says what is wrong
    if not all(valid):
        return _page(request, desk, days=days)
    set_hours(desk.clinic, [span for day in days for span in day.open], by=desk.user.pk)
    return _done(request, desk, "hours")


@require_POST
@at_clinic
def holiday(request: HttpRequest, desk: Desk) -> HttpResponse:
    """Add a holiday, or strike the one named."""
    admin_of(desk)
    if gone := request.POST.get("gone"):
        if gone.isascii() and gone.isdigit() and len(gone) < 19:
            with transaction.atomic():
                if struck := Holiday.objects.filter(clinic=desk.clinic, pk=int(gone)).first():
                    struck.delete()
                    changes.record(desk.clinic, desk.user.pk, What.HOURS, f"no holiday: {struck.day} {struck.name}")
        return _done(request, desk, "holidays")
    form = HolidayForm(request.POST)
    if not form.is_valid():
        return _page(request, desk, holiday=form)
    day = form.cleaned_data["day"]
    name = form.cleaned_data["name"]
    with transaction.atomic():
        Holiday.objects.update_or_create(clinic=desk.clinic, day=day, defaults={"name": name})
        changes.record(desk.clinic, desk.user.pk, What.HOURS, f"holiday: {day} {name}")
    return _done(request, desk, "holidays")


@require_POST
@at_clinic
def fallback(request: HttpRequest, desk: Desk) -> HttpResponse:
    admin_of(desk)
    form = FallbackForm(request.POST)
    if not form.is_valid():
        return _page(request, desk, fallback=form)
    email = form.cleaned_data["email"]
    with transaction.atomic():
        Clinic.objects.filter(pk=desk.clinic.pk).update(fallback_email=email)
        changes.record(desk.clinic, desk.user.pk, What.ROTA, f"told when nobody answers: {email or 'nobody'}")
    refusals.confirm(Q(clinic=desk.clinic, patient=None))  # kept as it is, it is confirmed
    return _done(request, desk, "fallback")


@require_POST
@at_clinic
def chain(request: HttpRequest, desk: Desk) -> HttpResponse:
    """Add a place to the chain, change one, move it up or take it out."""
    admin_of(desk)
    prefix, do = request.POST.get("place", ""), request.POST.get("do", "")
    form = None
    if do == "keep":
        form = PlaceForm(members_of(desk), request.POST, prefix=prefix)
        if not form.is_valid():
            return _page(request, desk, place=form)
    with transaction.atomic():
        Clinic.objects.select_for_update(no_key=True).get(pk=desk.clinic.pk)
        places = list(OnCall.objects.filter(clinic=desk.clinic).order_by("position"))
        at = next((n for n, place in enumerate(places) if str(place.pk) == prefix), None)
        if at is None and prefix != "new":
            messages.error(request, _now("A colleague has changed the chain meanwhile. Look again."))
            return redirect("dashboard:clinic_rota", desk.clinic.pk)
        places = _changed(places, at, do, form)
        set_chain(desk.clinic, places, by=desk.user.pk)
    return _done(request, desk, "chain")


def _changed(places: list[OnCall], at: int | None, do: str, form: PlaceForm | None) -> list[OnCall]:
    """The chain after one change; `at` is the place that it is about, None for a new one at the end."""
    if form is not None:
        return [*places, form.place()] if at is None else [*places[:at], form.place(), *places[at + 1 :]]
    if at is not None and do == "out":
        return [*places[:at], *places[at + 1 :]]
    if at and do == "up":
        return [*places[: at - 1], places[at], places[at - 1], *places[at + 1 :]]
    return places
