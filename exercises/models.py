"""Exercises, what is prescribed of them, what was done, and what else was noted on the way.

Sessions and what belongs to them are keyed by patient first, like the other large tables: see `outcomes.models`.
"""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now

from backend.people.generated import GeneratedField
from backend.people.models import Clinic, Origin, Patient, User


class Exercise(models.Model):
    """One entry of the catalogue: shared, loaded from the files, or a clinic's own beside them.

    `content` is `exercises.entry.Exercise`; the columns beside it are what lists are filtered by.
    """

    clinic = models.ForeignKey(Clinic, null=True, blank=True, on_delete=models.CASCADE, help_text="null: shared")
    slug = models.CharField(max_length=64)
    modality = models.CharField(max_length=32)
    level = models.PositiveSmallIntegerField()
    position = models.CharField(max_length=32)
    equipment = ArrayField(models.CharField(max_length=32), default=list)
    targets = ArrayField(models.CharField(max_length=32), default=list)
    content = models.JSONField()
    digest = models.CharField(max_length=32, help_text="of the content: its version, and the phone's ETag")
    search = models.TextField(help_text="names and purposes in all languages, for finding")
    retired = models.BooleanField(default=False, help_text="no longer prescribed; old prescriptions keep it")
    updated_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["clinic", "slug"], nulls_distinct=False, name="exercise_slug"),
            models.CheckConstraint(condition=Q(level__gte=1, level__lte=3), name="exercise_level"),
        ]

    def __str__(self) -> str:
        return self.slug


class ExerciseMedia(models.Model):
    """A picture or a clip that a clinic hangs on an exercise, shared or its own. The row outlives the file."""

    id = models.UUIDField(primary_key=True, help_text="UUIDv7")
    clinic = models.ForeignKey(Clinic, on_delete=models.PROTECT)
    slug = models.CharField(max_length=64, help_text="of the exercise")
    extension = models.CharField(max_length=4, help_text="by its content: see exercises.media")
    digest = models.CharField(max_length=32, help_text="of the file: its ETag")
    size = models.PositiveIntegerField(help_text="bytes")
    width = models.PositiveIntegerField()
    height = models.PositiveIntegerField()
    licence = models.CharField(max_length=40)
    author = models.CharField(max_length=200)
    alternative_text = models.CharField(max_length=500)
    uploaded_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    uploaded_at = models.DateTimeField()
    removed_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    removed_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "exercises_media"
        constraints = [
            models.CheckConstraint(
                condition=Q(extension__in=["webp", "png", "jpg", "mp4", "webm"]), name="media_extension"
            ),
            models.CheckConstraint(
                condition=~Q(licence="") & ~Q(author="") & ~Q(alternative_text=""), name="media_said_all"
            ),
        ]
        indexes = [
            models.Index(fields=["clinic", "slug"], condition=Q(removed_at__isnull=True), name="media_of_exercise")
        ]

    def __str__(self) -> str:
        return f"media {self.pk}"

    @property
    def file(self) -> str:
        return f"{self.pk}.{self.extension}"

    @property
    def path(self) -> str:
        """Where the storage keeps it."""
        return f"exercises/{self.clinic_id}/{self.file}"


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
