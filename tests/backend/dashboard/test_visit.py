"""The page for the visit: one sheet of A4 that says where somebody stands, and what to ask."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from io import BytesIO
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from pypdf import PdfReader

from backend.dashboard import wording
from backend.people.erasing import erase
from backend.people.models import Audit, Patient, Role, User
from outcomes.library import all_versions
from outcomes.models import Baseline, Measure
from tests.backend.dashboard import builders
from tests.exercises.programmes import a_proposal

pytestmark = pytest.mark.django_db


@pytest.fixture
def patient() -> Patient:
    return builders.patient(builders.team(builders.clinic("Example Clinic")), "Example = #Person $x$ [1] Æ")


@pytest.fixture
def colleague(patient: Patient, client: Client) -> User:
    user = builders.colleague(patient.clinic, patient.care_team)
    builders.sign_in(client, user)
    return user


def printed(client: Client, patient: Patient) -> PdfReader:
    answer = client.get(f"/patients/{patient.pk}/visit.pdf", secure=True)
    assert answer.headers["Content-Type"] == "application/pdf"
    assert patient.name not in answer.headers["Content-Disposition"]
    return PdfReader(BytesIO(answer.content))


def text_of(pdf: PdfReader) -> str:
    return " ".join(" ".join(page.extract_text() for page in pdf.pages).split())


def with_history(patient: Patient) -> None:
    today = timezone.now().date()
    builders.scores(patient, "daily-diary.pain-average", [6.0, 5.0, None, None, 4.0, 7.0] * 10, last=today)
    builders.scores(patient, "phq-9.total", {today - timedelta(days=30): 9.0, today - timedelta(days=2): 16.0})
    ago = today - timedelta(days=9)
    builders.trend(patient, "daily-diary.pain-average", last_day=ago, last_value=7.0, level=6.0)
    trend = {"last_value": 16.0, "baseline": 9.0, "change": 7.0, "change_label": "worsened"}
    builders.trend(patient, "phq-9.total", last_day=ago - timedelta(days=1), **trend)
    Baseline.objects.create(
        clinic=patient.clinic,
        patient=patient,
        measure=Measure.objects.get(code="phq-9.total"),
        value=9,
        from_day=today - timedelta(days=30),
        to_day=today - timedelta(days=30),
    )


def test_it_is_one_a4_page_with_the_sentences_scores_bands_and_charts(
    client: Client, patient: Patient, colleague: User
) -> None:
    with_history(patient)
    pdf = printed(client, patient)
    (page,) = pdf.pages
    assert [round(float(side)) for side in page.mediabox[2:]] == [595, 842]
    text = text_of(pdf)
    assert patient.name in text
    assert "Example Clinic" in text
    assert "Depression has worsened from 9" in text
    assert re.search(r"16\.0 \w*.?severe", text)
    assert "+7.0 worsened" in text
    assert "No home programme." in text
    assert len(page.images) == 0  # charts are lines, not pictures


def test_it_asks_for_what_is_open_and_for_what_was_left_out(client: Client, patient: Patient, colleague: User) -> None:
    with_history(patient)
    builders.alert(patient, "PAIN-1", severity=2)
    builders.alert(patient, "ADH-1", severity=1, state="resolved")
    a_proposal(patient)
    now = timezone.now()
    builders.response(patient, "phq-9", {str(n): 1 for n in (1, 2, 4, 5, 6, 7, 8)}, now - timedelta(days=2))
    text = text_of(printed(client, patient))
    assert "Severe pain for days" in text
    assert "Low adherence" not in text
    assert "Silent for 9 days" in text
    assert "1 change of the programme waits" in text
    assert "not answered 3, 9" in text
    assert "difficulty" not in text, "it may be left out"


def test_what_was_answered_to_item_9_is_on_no_paper(client: Client, patient: Patient, colleague: User) -> None:
    builders.alert(patient, "SUI-1")
    builders.alert(patient, "SUI-2", severity=3)
    text = text_of(printed(client, patient))
    assert text.count("Ask about safety: see the alert in the record") == 2
    assert "Item 9" not in text
    assert "low risk" not in text.lower()


def test_it_can_be_read_aloud_in_its_language(client: Client, patient: Patient, colleague: User) -> None:
    with_history(patient)
    pdf = printed(client, patient)
    root: Any = pdf.trailer["/Root"]
    assert root["/Lang"] == "en"
    assert root["/MarkInfo"]["/Marked"]
    assert "pdfuaid" in root["/Metadata"].get_data().decode()
    assert pdf.metadata is not None
    assert pdf.metadata.title == f"For the visit: {patient.name}"


def test_a_name_that_no_font_inside_can_show_is_no_error(client: Client, patient: Patient, colleague: User) -> None:
    Patient.objects.filter(pk=patient.pk).update(name="例 Example")
    patient.refresh_from_db()
    assert patient.identifier in text_of(printed(client, patient))


def test_of_somebody_who_was_erased_there_is_nothing_to_print(
    client: Client, patient: Patient, colleague: User
) -> None:
    with_history(patient)
    admin = builders.colleague(patient.clinic, role=Role.ADMIN)
    erase(patient.pk, admin.pk)
    builders.sign_in(client, admin)
    assert "No entry so far" in text_of(PdfReader(BytesIO(client.get(f"/patients/{patient.pk}/visit.pdf").content)))
    found = client.post(f"/clinics/{patient.clinic_id}/", {"q": patient.identifier}, secure=True)
    assert "Nobody by that name" in found.content.decode()


def test_every_band_has_its_words() -> None:
    named = {band.name for instrument in all_versions() for score in instrument.scores for band in score.bands}
    assert named <= set(wording.BANDS)


def test_printing_is_on_record(client: Client, patient: Patient, colleague: User) -> None:
    printed(client, patient)
    assert Audit.objects.filter(patient=patient, user=colleague, action="print visit page").count() == 1


def test_somebody_with_everything_still_fits_on_one_page(client: Client, patient: Patient, colleague: User) -> None:
    today = timezone.now().date()
    for code in Measure.objects.order_by("code").values_list("code", flat=True)[:40]:
        builders.trend(patient, code, last_day=today, baseline=1.0, change=2.0, change_label="possibly-worsened")
    for code in ("daily-diary.pain-average", "daily-diary.fear", "tsk-11.total", "phq-9.total", "rmdq-24.total",
                 "daily-diary.sleep", "adherence.day", "session.load"):  # fmt: skip
        builders.scores(patient, code, [3.0, 4.0] * 20, last=today)
    for rule in ("PAIN-1", "PAIN-2", "CES-1", "RF-1", "AE-1", "EX-1", "ADH-1", "DEP-1", "DEP-2", "FLARE"):
        builders.alert(patient, rule, opened_at=datetime(2026, 1, 1, tzinfo=UTC))
    assert len(printed(client, patient).pages) == 1
