from typing import Any

import pytest
from django.contrib.auth.models import AnonymousUser
from django.db import IntegrityError, transaction

from backend.people.models import Membership, Patient, Role, User
from tests.factories import a_clinician, a_patient, a_team, a_user, an_admin
from tests.signin import a_consent

pytestmark = pytest.mark.django_db


def seen_by(user: User | AnonymousUser) -> set[Patient]:
    return set(Patient.objects.visible_to(user))


def test_patients_see_themselves() -> None:
    patient, _ = a_patient(), a_patient()
    assert patient.user is not None
    assert seen_by(patient.user) == {patient}


def test_clinicians_see_the_patients_of_their_teams() -> None:
    here, there = a_team(), a_team()
    mine, _ = a_patient(here), a_patient(there)
    assert seen_by(a_clinician(here)) == {mine}


def test_admins_see_their_clinic_and_no_other() -> None:
    here, elsewhere = a_team(), a_team()
    ours = {a_patient(here), a_patient(a_team(here.clinic))}
    a_patient(elsewhere)
    assert seen_by(an_admin(here.clinic)) == ours


def test_a_team_that_took_in_a_foreigner_shows_them_nothing() -> None:
    here, elsewhere = a_team(), a_team()
    a_patient(here)
    foreigner = a_clinician(elsewhere)
    here.members.add(Membership.objects.get(user=foreigner))
    assert seen_by(foreigner) == set()


def test_somebody_in_two_teams_sees_each_patient_once() -> None:
    here = a_team()
    patient = a_patient(here)
    admin_too = a_clinician(here)
    Membership.objects.filter(user=admin_too).update(role=Role.ADMIN)
    assert list(Patient.objects.visible_to(admin_too)) == [patient]


def test_operators_and_strangers_see_nobody() -> None:
    here = a_team()
    a_patient(here)
    operator = a_user(is_staff=True, is_superuser=True)
    Membership.objects.create(user=operator, clinic=here.clinic, role=Role.ADMIN)
    assert seen_by(operator) == seen_by(a_user()) == seen_by(AnonymousUser()) == set()


def test_a_patient_is_never_in_another_clinics_team() -> None:
    patient, elsewhere = a_patient(), a_team()
    with pytest.raises(IntegrityError, match="patient_team_of_clinic"), transaction.atomic():
        Patient.objects.filter(pk=patient.pk).update(care_team=elsewhere)
    Patient.objects.filter(pk=patient.pk).update(care_team=elsewhere, clinic=elsewhere.clinic)


def test_looking_is_one_statement(django_assert_num_queries: Any) -> None:
    user = a_clinician(a_team())
    with django_assert_num_queries(1):
        seen_by(user)


def test_consent_that_was_withdrawn_is_not_in_force() -> None:
    with_consent, without, withdrawn = a_patient(), a_patient(), a_patient()
    a_consent(with_consent)
    consent = a_consent(withdrawn)
    consent.withdrawn_at = consent.given_at
    consent.save()
    assert set(Patient.objects.consenting()) == {with_consent}
    assert without not in Patient.objects.consenting()
