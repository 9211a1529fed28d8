"""What a patient did, how it was the day after, and what went wrong.

Keyed by patient first, like the other large tables: see `outcomes.models`.
"""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from backend.people.models import Clinic, Origin, Patient, User


class Session(models.Model):
    """What a patient did of a prescribed session, or why not. Append-only, like responses."""

    class Skipped(models.TextChoices):
        PAIN = "pain"
        FEAR = "fear"
        TIME = "time"
        FORGOT = "forgot"
        ILL = "ill"
        TOO_HARD = "too-hard"
        BORED = "bored"
        OTHER = "other"

    pk = models.CompositePrimaryKey("patient", "id")
    patient = models.ForeignKey(Patient, on_delete=models.DO_NOTHING, db_index=False)
    id = models.UUIDField(help_text="UUIDv7 made by the phone")
    programme = models.UUIDField(null=True)
    prescription = models.UUIDField(null=True, help_text="null: nothing prescribed, kept as extra")
    rev = models.BigIntegerField(help_text="the patient's revision that wrote or last changed this row")
    authored_at = models.DateTimeField(help_text="the patient's clock: finished, or else started")
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)
    received_at = models.DateTimeField(help_text="the server's clock")
    clinic = models.ForeignKey(Clinic, on_delete=models.DO_NOTHING, db_index=False, db_constraint=False)
    local_day = models.DateField(help_text="the patient's day; it turns at 04:00")
    clock_skew = models.IntegerField(null=True, help_text="seconds, the device's clock less the server's")
    minutes = models.FloatField(null=True)
    share = models.FloatField(default=0, help_text="of the prescribed dose, 0 to 1")
    met_minutes = models.FloatField(default=0, help_text="of the aerobic work in it")
    utc_offset = models.SmallIntegerField(help_text="minutes east of UTC, as authored")
    rpe = models.SmallIntegerField(null=True)
    pain_before = models.SmallIntegerField(null=True)
    pain_during = models.SmallIntegerField(null=True)
    pain_after = models.SmallIntegerField(null=True)
    live = models.BooleanField(default=True, help_text="neither replaced nor withdrawn")
    going_on = models.BooleanField(default=False, help_text="started and not said to be finished")
    skipped = models.CharField(max_length=10, choices=Skipped, default="", blank=True)
    origin = models.CharField(max_length=10, choices=Origin)
    time_zone = models.CharField(max_length=64)
    digest = models.BinaryField(max_length=16, help_text="of the content as sent: tells a duplicate from a conflict")
    content = models.JSONField(help_text="the session as it was sent: exercises, feared tasks, note")
    marks = ArrayField(models.CharField(max_length=40), default=list, help_text="what is odd about it, by name")
    device = models.UUIDField(null=True)
    replaces = models.UUIDField(null=True, help_text="the session that this one corrects")
    replaced_by = models.UUIDField(null=True)
    withdrawn_at = models.DateTimeField(null=True)
    withdrawn_by = models.ForeignKey(User, null=True, on_delete=models.DO_NOTHING, db_index=False, db_constraint=False)
    withdrawn_reason = models.CharField(max_length=500, default="", blank=True)

    class Meta:
        indexes = [
            models.Index(fields=["patient", "rev"], name="session_rev"),
            models.Index(
                fields=["patient", "local_day"],
                include=["programme", "share", "going_on", "skipped", "rpe", "minutes", "met_minutes"],
                condition=Q(live=True),
                name="session_days",
            ),
        ]
        constraints = [
            models.CheckConstraint(condition=Q(origin__in=Origin.values), name="session_origin"),
            models.CheckConstraint(
                condition=Q(skipped__in=["", "pain", "fear", "time", "forgot", "ill", "too-hard", "bored", "other"]),
                name="session_skipped",
            ),
            models.CheckConstraint(condition=Q(share__gte=0, share__lte=1), name="session_share"),
            models.CheckConstraint(
                condition=Q(live=True, replaced_by__isnull=True, withdrawn_at__isnull=True)
                | Q(live=False) & (Q(replaced_by__isnull=False) | Q(withdrawn_at__isnull=False)),
                name="session_live",
            ),
        ]

    def __str__(self) -> str:
        return f"session {self.id}"


class SessionFollowup(models.Model):
    """How a session was the day after."""

    pk = models.CompositePrimaryKey("patient", "id")
    patient = models.ForeignKey(Patient, on_delete=models.DO_NOTHING, db_index=False)
    id = models.UUIDField(help_text="UUIDv7 made by the phone")
    session = models.UUIDField()
    rev = models.BigIntegerField()
    authored_at = models.DateTimeField()
    received_at = models.DateTimeField()
    clinic = models.ForeignKey(Clinic, on_delete=models.DO_NOTHING, db_index=False, db_constraint=False)
    pain_next_day = models.SmallIntegerField()
    origin = models.CharField(max_length=10, choices=Origin)
    digest = models.BinaryField(max_length=16)
    note = models.CharField(max_length=2000, default="", blank=True)

    class Meta:
        db_table = "exercises_session_followup"
        indexes = [models.Index(fields=["patient", "session"], name="session_followup_of")]
        constraints = [
            models.CheckConstraint(
                condition=Q(pain_next_day__gte=0, pain_next_day__lte=10), name="session_followup_pain"
            ),
            models.CheckConstraint(condition=Q(origin__in=Origin.values), name="session_followup_origin"),
        ]

    def __str__(self) -> str:
        return f"follow-up {self.id}"


class AdverseEvent(models.Model):
    """Something bad that happened with exercise or another treatment, as the patient reports it."""

    class Kind(models.TextChoices):
        SYNCOPE = "syncope", "fainted"
        SEIZURE = "seizure"
        CHEST_PAIN = "chest-pain"
        BURN = "burn"
        FALL = "fall"
        INJURY = "injury"
        DIZZINESS = "dizziness"
        HEADACHE = "headache"
        SCALP_PAIN = "scalp-pain"
        TINGLING = "tingling"
        MOOD_SWITCH = "mood-switch"
        HEARING = "hearing"
        OTHER = "other"

    pk = models.CompositePrimaryKey("patient", "id")
    patient = models.ForeignKey(Patient, on_delete=models.DO_NOTHING, db_index=False)
    id = models.UUIDField(help_text="UUIDv7 made by the phone")
    session = models.UUIDField(null=True, help_text="the session it belongs to, where the patient says so")
    rev = models.BigIntegerField()
    authored_at = models.DateTimeField()
    received_at = models.DateTimeField()
    clinic = models.ForeignKey(Clinic, on_delete=models.DO_NOTHING, db_index=False, db_constraint=False)
    local_day = models.DateField()
    severity = models.SmallIntegerField(null=True, help_text="0 none to 3 severe, as the patient sees it")
    kind = models.CharField(max_length=12, choices=Kind)
    during = models.CharField(max_length=20, help_text="exercise or brain-stimulation, or other")
    origin = models.CharField(max_length=10, choices=Origin)
    digest = models.BinaryField(max_length=16)
    note = models.CharField(max_length=2000, default="", blank=True)

    class Meta:
        db_table = "exercises_adverse_event"
        indexes = [models.Index(fields=["patient", "rev"], name="adverse_event_rev")]
        constraints = [
            models.CheckConstraint(condition=Q(severity__gte=0, severity__lte=3), name="adverse_event_severity"),
            models.CheckConstraint(condition=Q(origin__in=Origin.values), name="adverse_event_origin"),
        ]

    def __str__(self) -> str:
        return f"adverse event {self.id}"
