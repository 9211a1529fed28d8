"""A patient's phones, and the code by which a phone becomes theirs."""

from __future__ import annotations

from base64 import b64encode
from io import BytesIO

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from backend.dashboard.entry import Desk, at_patient
from backend.people import audit, devices
from backend.people.enrolment import invite
from backend.people.models import Invitation, Patient
from backend.rest.problems import Problem


@require_safe
@at_patient
def phone(request: HttpRequest, desk: Desk, patient: Patient) -> HttpResponse:
    audit.record("read phones", [patient.pk], desk.user.pk)
    context = {
        "desk": desk,
        "section": "patients",
        "page": "phone",
        "patient": patient,
        "devices": patient.devices.order_by("-created_at"),
        "invitations": patient.invitations.select_related("created_by").order_by("-created_at")[:10],
        "now": timezone.now(),
    }
    return render(request, "dashboard/phone.html", context)


@require_POST
@at_patient
def make_code(request: HttpRequest, desk: Desk, patient: Patient) -> HttpResponse:
    """A new code, shown this once: only its hash is kept. The page is made to be printed and handed over."""
    purpose = Invitation.Purpose.RELINK if patient.user_id else Invitation.Purpose.ENROL
    try:
        code, invitation = invite(patient, purpose, desk.user.pk, timezone.now())
    except Problem as problem:
        messages.error(request, str(problem.detail))
        return redirect("dashboard:phone", patient.pk)
    context = {
        "desk": desk,
        "section": "patients",
        "page": "phone",
        "patient": patient,
        "code": code,
        "invitation": invitation,
        "qr": qr(f"{request.build_absolute_uri('/')}#{purpose}={code}"),
        "server": request.get_host(),
    }
    return render(request, "dashboard/invitation.html", context)


@require_POST
@at_patient
def phone_lost(request: HttpRequest, desk: Desk, patient: Patient) -> HttpResponse:
    """Lock all of the patient's phones out with their next request."""
    count = devices.revoke(patient.devices.all(), desk.user.pk, timezone.now())
    messages.success(request, _("Locked out: %(count)s.") % {"count": count})
    return redirect("dashboard:phone", patient.pk)


def qr(text: str) -> str:
    """A QR code as an address that holds the picture itself. What follows a # in `text` reaches no server's log."""
    import qrcode  # brings Pillow along: 4 MB that only those processes have which draw a code
    from qrcode.image.svg import SvgPathImage

    out = BytesIO()
    qrcode.make(text, image_factory=SvgPathImage, border=2).save(out)
    return "data:image/svg+xml;base64," + b64encode(out.getvalue()).decode()
