"""What is prescribed, when it rests, and what the rules of progression propose."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q

from backend.people.generated import GeneratedField
from backend.people.models import Clinic, Origin, Patient, User


class Prescription(models.Model):
    """One version of a patient's home programme, in force from `starts_on` to `ends_on`, both included.

    A change ends this version the day before and writes the next: what was prescribed on past days stays as it was. A
    version that was replaced on its first day was in force on none, and ends before it starts.
    """

    id = models.UUIDField(primary_key=True, help_text="UUIDv7")
    clinic = models.ForeignKey(Clinic, on_delete=models.PROTECT)
    patient = models.ForeignKey(Patient, on_delete=models.CASCADE, related_name="prescriptions")
    rev = models.BigIntegerField(help_text="the patient's revision that wrote or last changed this row")
    programme = models.UUIDField(help_text="what the versions of one programme share")
    version = models.PositiveIntegerField(default=1)
    starts_on = models.DateField()
    ends_on = models.DateField(null=True, blank=True)
    weekdays = models.PositiveSmallIntegerField(help_text="bit 0 is Monday; as in the plan")
    plan = models.JSONField(help_text="exercises.plan.Plan")
    exercises = models.JSONField(help_text="slug to the entry as it was prescribed, so that a phone needs nothing else")
    modalities = GeneratedField(
        expression=models.Func(
            F("exercises"),
            models.Value("$.*.modality"),
            function="jsonb_path_query_array",
            output_field=models.JSONField(),
        ),
        output_field=models.JSONField(),
        db_persist=True,
        help_text="of its exercises: finding by one need not read the entries",
    )
    template = models.CharField(max_length=64, blank=True)
    rule = models.CharField(max_length=32, blank=True, help_text="of progression, where it wrote this version")
    overrides = models.JSONField(default=list, help_text="safety blocks that were overridden, each with its reason")
    origin = models.CharField(max_length=10, choices=Origin, default=Origin.CLINIC)
    prescribed_by = models.ForeignKey(
        User, null=True, on_delete=models.SET_NULL, help_text="null: by the signed limits"
    )
    prescribed_at = models.DateTimeField()
    reason = models.CharField(max_length=500, blank=True, help_text="why it was changed")
    stop_reason = models.CharField(max_length=500, blank=True, help_text="why the programme was stopped")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["patient", "programme", "version"], name="prescription_version"),
            models.UniqueConstraint(
                fields=["patient", "programme"], condition=Q(ends_on__isnull=True), name="prescription_one_in_force"
            ),
            models.CheckConstraint(condition=Q(weekdays__gte=1, weekdays__lte=127), name="prescription_weekdays"),
            models.CheckConstraint(condition=Q(origin__in=Origin.values), name="prescription_origin"),
        ]
        indexes = [models.Index(fields=["patient", "rev"], name="prescription_rev")]

    def __str__(self) -> str:
        return f"prescription {self.pk}"


class Pause(models.Model):
    """Days on which a programme asks for nothing: neither done nor missed."""

    class Reason(models.TextChoices):
        HOLIDAY = "holiday"
        ILLNESS = "illness"
        FLARE = "flare"
        SAFETY = "safety", "until a clinician has answered a red flag"
        OTHER = "other"

    id = models.UUIDField(primary_key=True, help_text="UUIDv7")
    clinic = models.ForeignKey(Clinic, on_delete=models.DO_NOTHING, db_constraint=False)
    patient = models.ForeignKey(Patient, on_delete=models.CASCADE, related_name="exercise_pauses")
    rev = models.BigIntegerField()
    programme = models.UUIDField()
    from_day = models.DateField()
    to_day = models.DateField(null=True, blank=True, help_text="null: until somebody resumes it")
    reason = models.CharField(max_length=8, choices=Reason)
    entered_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(reason__in=["holiday", "illness", "flare", "safety", "other"]), name="pause_reason"
            )
        ]
        indexes = [models.Index(fields=["patient", "rev"], name="pause_rev")]

    def __str__(self) -> str:
        return f"pause {self.pk}"


class Proposal(models.Model):
    """What a rule of progression proposed, what it rested on, and what became of it. Append-only but for its state."""

    class State(models.TextChoices):
        WAITING = "waiting", "for the clinician"
        APPLIED = "applied", "at once, within the signed limits"
        ACCEPTED = "accepted"
        DECLINED = "declined"
        OVERTAKEN = "overtaken", "by a later one, or by a change of the programme"

    id = models.UUIDField(primary_key=True, help_text="UUIDv7")
    clinic = models.ForeignKey(Clinic, on_delete=models.DO_NOTHING, db_constraint=False)
    patient = models.ForeignKey(Patient, on_delete=models.CASCADE, related_name="proposals")
    rev = models.BigIntegerField()
    programme = models.UUIDField()
    prescription = models.ForeignKey(Prescription, on_delete=models.CASCADE, help_text="the version it is about")
    rule = models.CharField(max_length=32)
    rule_version = models.CharField(max_length=16)
    action = models.CharField(max_length=9)
    state = models.CharField(max_length=9, choices=State)
    inputs = models.JSONField(help_text="what the rule looked at, each with its day")
    steps = models.JSONField(help_text="what changes, one variable an exercise")
    session = models.UUIDField(null=True, help_text="the latest session it rests on")
    digest = models.BinaryField(max_length=16, help_text="of rule, inputs and steps: the same is proposed once")
    words = models.TextField(help_text="to the patient, in their language")
    words_for_clinician = models.TextField()
    made_at = models.DateTimeField()
    decided_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL)
    decided_at = models.DateTimeField(null=True)
    reason = models.CharField(max_length=500, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["patient", "programme", "digest"], name="proposal_once"),
            models.CheckConstraint(
                condition=Q(state__in=["waiting", "applied", "accepted", "declined", "overtaken"]),
                name="proposal_state",
            ),
            models.CheckConstraint(
                condition=Q(action__in=["stop", "step-back", "hold", "step-up"]), name="proposal_action"
            ),
        ]
        indexes = [models.Index(fields=["patient", "rev"], name="proposal_rev")]

    def __str__(self) -> str:
        return f"proposal {self.pk}"
