"""What bears on a patient's programme: conditions, preferences, and clearance for hard exercise."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now

from backend.people.models import Clinic, Patient, User


class Condition(models.Model):
    """Something a patient has that bears on exercise; the codes are those of contraindications."""

    clinic = models.ForeignKey(Clinic, on_delete=models.DO_NOTHING, db_constraint=False)
    patient = models.ForeignKey(Patient, on_delete=models.CASCADE, related_name="conditions")
    code = models.CharField(max_length=64)
    since = models.DateField(null=True, blank=True)
    ended_on = models.DateField(null=True, blank=True)
    note = models.CharField(max_length=500, blank=True)
    entered_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL)
    entered_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["patient", "code"], condition=Q(ended_on__isnull=True), name="condition_once"
            )
        ]

    def __str__(self) -> str:
        return f"condition {self.pk}"


class Preferences(models.Model):
    """What a patient likes, dislikes and has at home."""

    patient = models.OneToOneField(Patient, primary_key=True, on_delete=models.CASCADE, related_name="preferences")
    clinic = models.ForeignKey(Clinic, on_delete=models.DO_NOTHING, db_constraint=False)
    rev = models.BigIntegerField()
    liked = ArrayField(models.CharField(max_length=32), default=list, help_text="modalities")
    disliked = ArrayField(models.CharField(max_length=32), default=list, help_text="modalities")
    equipment = ArrayField(models.CharField(max_length=32), default=list)
    updated_at = models.DateTimeField()

    class Meta:
        constraints = [models.CheckConstraint(condition=~Q(liked__overlap=F("disliked")), name="preferences_either_or")]

    def __str__(self) -> str:
        return f"preferences of patient {self.patient_id}"


class Clearance(models.Model):
    """That somebody has cleared a patient for hard exercise: who, when, by what screen. No screen is shipped."""

    clinic = models.ForeignKey(Clinic, on_delete=models.DO_NOTHING, db_constraint=False)
    patient = models.ForeignKey(Patient, on_delete=models.CASCADE, related_name="clearances")
    screen = models.CharField(max_length=200, help_text="e.g. PAR-Q+, or an exercise test")
    cleared_by = models.CharField(max_length=200, help_text="who did the screen")
    cleared_on = models.DateField()
    valid_until = models.DateField()
    entered_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL)
    entered_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(cleared_on__lte=F("valid_until")), name="clearance_valid")]

    def __str__(self) -> str:
        return f"clearance {self.pk}"
