"""What else is done beside exercise, so that trends can be read against it."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now

from backend.people.models import Clinic, Patient, User


class Treatment(models.Model):
    """Something beside exercise that may bear on a trend: a course of brain stimulation, a drug change, surgery …"""

    id = models.UUIDField(primary_key=True, help_text="UUIDv7")
    clinic = models.ForeignKey(Clinic, on_delete=models.DO_NOTHING, db_constraint=False)
    patient = models.ForeignKey(Patient, on_delete=models.CASCADE, related_name="treatments")
    kind = models.CharField(max_length=32)
    starts_on = models.DateField()
    ends_on = models.DateField(null=True, blank=True, help_text="null: goes on, or was on one day")
    details = models.JSONField(help_text="exercises.treatments.Details")
    note = models.CharField(max_length=2000, blank=True)
    entered_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL)
    entered_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(ends_on__isnull=True) | Q(ends_on__gte=F("starts_on")), name="treatment_order"
            )
        ]
        indexes = [models.Index(fields=["patient", "starts_on"], name="treatment_of_patient")]

    def __str__(self) -> str:
        return f"treatment {self.pk}"


class TreatmentSession(models.Model):
    """One session of a course of brain stimulation, given or broken off."""

    id = models.UUIDField(primary_key=True, help_text="UUIDv7")
    clinic = models.ForeignKey(Clinic, on_delete=models.DO_NOTHING, db_constraint=False)
    patient = models.ForeignKey(Patient, on_delete=models.CASCADE, related_name="treatment_sessions")
    treatment = models.ForeignKey(Treatment, on_delete=models.CASCADE, related_name="sessions")
    day = models.DateField()
    given = models.JSONField(help_text="exercises.treatments.Given")
    entered_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL)
    entered_at = models.DateTimeField(db_default=Now())

    class Meta:
        db_table = "exercises_treatment_session"

    def __str__(self) -> str:
        return f"treatment session {self.pk}"
