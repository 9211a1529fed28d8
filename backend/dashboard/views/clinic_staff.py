"""A clinic's colleagues, their roles and their care teams: read by all of them, changed by its admins."""

from __future__ import annotations

from django.contrib import messages
from django.db.models import Count, Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from backend.dashboard.clinic_pages import show
from backend.dashboard.entry import Desk, admin_of, at_clinic
from backend.dashboard.fields import tell
from backend.dashboard.letters import welcome
from backend.dashboard.staff import ROLES, ColleagueForm, TeamForm
from backend.people import colleagues
from backend.people.clinic_api import save_team
from backend.people.models import CareTeam, Membership, Patient, Role
from backend.reminders import refusals
from backend.rest.problems import Problem


def members_of(desk: Desk) -> list[Membership]:
    found = Membership.objects.filter(clinic=desk.clinic).select_related("user").prefetch_related("teams")
    return sorted(found, key=lambda member: (member.user.name or member.user.email).casefold())


@require_http_methods(["GET", "HEAD", "POST"])
@at_clinic
def staff(request: HttpRequest, desk: Desk) -> HttpResponse:
    """Who works here; an admin adds colleagues."""
    form = ColleagueForm(request.POST or None)
    if request.method == "POST":
        admin_of(desk)
        if form.is_valid():
            try:
                member = colleagues.add(desk.clinic, **form.cleaned_data, by=desk.user.pk)
            except Problem as problem:
                tell(form, problem)
            else:
                _send(request, member)
                return redirect("dashboard:clinic_staff", desk.clinic.pk)
    members = members_of(desk)
    refused = refusals.of_users([member.user_id for member in members])
    listed = [(member, refused.get(member.user_id)) for member in members]
    context = {"form": form, "members": listed, "roles": ROLES}
    return show(request, desk, "clinic_staff", "staff.html", context)


def _send(request: HttpRequest, member: Membership) -> None:
    if welcome(request, member):
        messages.success(request, _("A letter is on its way to %(email)s.") % {"email": member.user.email})
    else:
        messages.error(request, _("They work here now, but the letter could not be sent. Send it again below."))


def _member(desk: Desk, member_id: int) -> Membership:
    admin_of(desk)
    return get_object_or_404(Membership.objects.select_related("user", "clinic"), clinic=desk.clinic, pk=member_id)


@require_POST
@at_clinic
def letter(request: HttpRequest, desk: Desk, member_id: int) -> HttpResponse:
    _send(request, _member(desk, member_id))
    return redirect("dashboard:clinic_staff", desk.clinic.pk)


@require_POST
@at_clinic
def confirm_mail(request: HttpRequest, desk: Desk, member_id: int) -> HttpResponse:
    """A colleague's address was refused; an admin knows that it is right."""
    refusals.confirm(Q(user=_member(desk, member_id).user_id))
    messages.success(request, _("It is used again."))
    return redirect("dashboard:clinic_staff", desk.clinic.pk)


@require_POST
@at_clinic
def role(request: HttpRequest, desk: Desk, member_id: int) -> HttpResponse:
    member = _member(desk, member_id)
    wanted = request.POST.get("role", "")
    if wanted not in Role.values:
        messages.error(request, _("There is no such role."))
        return redirect("dashboard:clinic_staff", desk.clinic.pk)
    try:
        colleagues.set_role(member, wanted, by=desk.user.pk)
        messages.success(request, _("Kept."))
    except Problem as problem:
        messages.error(request, str(problem.detail))
    return redirect("dashboard:clinic_staff", desk.clinic.pk)


@require_POST
@at_clinic
def remove(request: HttpRequest, desk: Desk, member_id: int) -> HttpResponse:
    member = _member(desk, member_id)
    try:
        colleagues.remove(member, by=desk.user.pk)
    except Problem as problem:
        messages.error(request, str(problem.detail))
        return redirect("dashboard:clinic_staff", desk.clinic.pk)
    messages.success(request, _("%(who)s works here no more.") % {"who": member.user.name or member.user.email})
    if member.user == desk.user:
        return redirect("dashboard:home")
    return redirect("dashboard:clinic_staff", desk.clinic.pk)


@require_http_methods(["GET", "HEAD", "POST"])
@at_clinic
def teams(request: HttpRequest, desk: Desk) -> HttpResponse:
    """The care teams; an admin makes a new one."""
    if request.method == "POST":
        admin_of(desk)
        return _save(request, desk, CareTeam(clinic=desk.clinic))
    return _teams(request, desk)


@require_POST
@at_clinic
def team(request: HttpRequest, desk: Desk, team_id: int) -> HttpResponse:
    admin_of(desk)
    return _save(request, desk, get_object_or_404(CareTeam, clinic=desk.clinic, pk=team_id))


def _save(request: HttpRequest, desk: Desk, team: CareTeam) -> HttpResponse:
    form = TeamForm(members_of(desk), desk.clinic, request.POST, prefix=str(team.pk or "new"))
    if form.is_valid():
        name, members = form.cleaned_data["name"], [member.pk for member in form.cleaned_data["members"]]
        try:
            save_team(team, {"name": name, "members": members}, by=desk.user.pk)
        except Problem as problem:
            tell(form, problem)
        else:
            messages.success(request, _("Kept."))
            return redirect("dashboard:clinic_teams", desk.clinic.pk)
    return _teams(request, desk, form)


def _teams(request: HttpRequest, desk: Desk, refused: TeamForm | None = None) -> HttpResponse:
    """All teams, each with its form; `refused` is one of the forms as it came back."""
    current = Count("patient", filter=~Q(patient__status=Patient.Status.DISCHARGED))
    found = CareTeam.objects.filter(clinic=desk.clinic).annotate(patients=current).order_by("name")
    members = members_of(desk)
    forms = {refused.prefix: refused} if refused else {}

    def form(prefix: str, **initial: object) -> TeamForm:
        return forms.get(prefix) or TeamForm(members, desk.clinic, prefix=prefix, initial=initial)

    listed = []
    for one in found:
        of_team = [member for member in members if one in member.teams.all()]
        listed.append((one, of_team, form(str(one.pk), name=one.name, members=[member.pk for member in of_team])))
    context = {"teams": listed, "new": form("new"), "refused": refused and refused.prefix}
    return show(request, desk, "clinic_teams", "teams.html", context)
