"""What patients answered and what follows from it: responses, scores, trends, summaries, alerts.

The large tables are keyed by patient first, and nothing points at their rows by a lone id: they can be partitioned or
distributed by patient, and two patients whose phones send the same id don't meet. Their columns stand in the order
that packs rows tightest. Foreign keys from them reach the patient only: a key to the clinic would make every insert of
a clinic lock the same row.
"""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Case, F, Q, When
from django.db.models.functions import Now

from backend.people.generated import GeneratedField
from backend.people.models import Clinic, Origin, Patient, User
from outcomes.clinic_models import InstrumentChoice, TextPack  # noqa: F401  # models of this app


class InstrumentVersion(models.Model):
    """A published version of an instrument, as loaded from its data file. The file holds the content."""

    id = models.SmallAutoField(primary_key=True)
    code = models.CharField(max_length=64)
    version = models.CharField(max_length=16)
    digest = models.CharField(max_length=64, help_text="SHA-256 of the file as it was published")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["code", "version"], name="instrument_version")]

    def __str__(self) -> str:
        return f"{self.code} {self.version}"


class Measure(models.Model):
    """Anything that makes a series: a score of an instrument (`phq-9.total`), exercise adherence (`adherence.day`).

    What these mean is in the code; `title` and what follows it describe a scale of a clinic's own, as its import did.
    """

    id = models.SmallAutoField(primary_key=True)
    code = models.CharField(max_length=100, unique=True)
    title = models.CharField(max_length=200, blank=True)
    kind = models.CharField(max_length=13, blank=True, help_text="daily or questionnaire")
    direction = models.CharField(max_length=13, blank=True, help_text="higher-worse, higher-better or none")
    low = models.FloatField(null=True, blank=True)
    high = models.FloatField(null=True, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(kind__in=["", "daily", "questionnaire"]), name="measure_kind"),
            models.CheckConstraint(
                condition=Q(direction__in=["", "higher-worse", "higher-better", "none"]), name="measure_direction"
            ),
        ]

    def __str__(self) -> str:
        return self.code


class Response(models.Model):
    """One filled-in instrument, as it was answered. Append-only: a correction is a new response that replaces it."""

    class Status(models.TextChoices):
        COMPLETE = "complete"
        PRORATED = "prorated"
        INCOMPLETE = "incomplete"
        TOTALS = "totals", "imported totals without answers"

    pk = models.CompositePrimaryKey("patient", "id")
    patient = models.ForeignKey(Patient, on_delete=models.DO_NOTHING, db_index=False)
    id = models.UUIDField(help_text="UUIDv7 made by the phone")
    rev = models.BigIntegerField(help_text="the patient's revision that wrote or last changed this row")
    authored_at = models.DateTimeField(help_text="the patient's clock")
    received_at = models.DateTimeField(help_text="the server's clock")
    clinic = models.ForeignKey(Clinic, on_delete=models.DO_NOTHING, db_index=False, db_constraint=False)
    clock_skew = models.IntegerField(null=True, help_text="seconds, the device's clock less the server's")
    local_day = models.DateField(help_text="the patient's day that it is about")
    instrument = models.ForeignKey(InstrumentVersion, on_delete=models.DO_NOTHING, db_index=False, db_constraint=False)
    utc_offset = models.SmallIntegerField(help_text="minutes east of UTC, as authored")
    live = models.BooleanField(default=True, help_text="neither replaced nor withdrawn")
    status = models.CharField(max_length=10, choices=Status)
    origin = models.CharField(max_length=10, choices=Origin)
    time_zone = models.CharField(max_length=64)
    digest = models.BinaryField(max_length=16, help_text="of the content as sent: tells a duplicate from a conflict")
    answers = models.JSONField(help_text="item id to value; what is absent or null was left unanswered")
    device = models.UUIDField(null=True)
    replaces = models.UUIDField(null=True, help_text="the response that this one corrects")
    replaced_by = models.UUIDField(null=True)
    withdrawn_at = models.DateTimeField(null=True)
    withdrawn_by = models.ForeignKey(User, null=True, on_delete=models.DO_NOTHING, db_index=False, db_constraint=False)
    withdrawn_reason = models.CharField(max_length=500, default="", blank=True)

    class Meta:
        indexes = [models.Index(fields=["patient", "rev"], name="response_rev")]
        constraints = [
            models.CheckConstraint(
                condition=Q(status__in=["complete", "prorated", "incomplete", "totals"]), name="response_status"
            ),
            models.CheckConstraint(condition=Q(origin__in=Origin.values), name="response_origin"),
            models.CheckConstraint(
                condition=Q(live=True, replaced_by__isnull=True, withdrawn_at__isnull=True)
                | Q(live=False) & (Q(replaced_by__isnull=False) | Q(withdrawn_at__isnull=False)),
                name="response_live",
            ),
            models.CheckConstraint(
                condition=Q(utc_offset__gte=-18 * 60, utc_offset__lte=18 * 60), name="response_offset"
            ),
        ]

    def __str__(self) -> str:
        return f"response {self.id}"


class Score(models.Model):
    """One value of one measure: the hot series table.

    `source` is the response or session it comes from, or a UUIDv5 of measure and day for values that are computed over
    a day. Several rows a day are several entries; a daily series takes their median.
    """

    pk = models.CompositePrimaryKey("patient", "measure", "local_day", "source")
    patient = models.ForeignKey(Patient, on_delete=models.DO_NOTHING, db_index=False)
    source = models.UUIDField()
    value = models.FloatField()
    at = models.DateTimeField(help_text="authored at; orders the entries of one day")
    local_day = models.DateField()
    clinic = models.ForeignKey(Clinic, on_delete=models.DO_NOTHING, db_index=False, db_constraint=False)
    measure = models.ForeignKey(Measure, on_delete=models.DO_NOTHING, db_index=False, db_constraint=False)
    live = models.BooleanField(default=True)

    class Meta:
        indexes = [
            models.Index(
                fields=["patient", "measure", "local_day"],
                include=["value", "at"],
                condition=Q(live=True),
                name="score_series",
            )
        ]

    def __str__(self) -> str:
        return f"score of {self.source}"


class Baseline(models.Model):
    """What a measure's change is counted from. Frozen when it is first known; a clinician may set a new version."""

    clinic = models.ForeignKey(Clinic, on_delete=models.DO_NOTHING, db_index=False, db_constraint=False)
    patient = models.ForeignKey(Patient, on_delete=models.CASCADE, db_index=False)
    measure = models.ForeignKey(Measure, on_delete=models.DO_NOTHING, db_index=False, db_constraint=False)
    version = models.PositiveSmallIntegerField(default=1)
    value = models.FloatField()
    from_day = models.DateField()
    to_day = models.DateField()
    set_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, help_text="null: by the rule")
    reason = models.CharField(max_length=500, blank=True)
    set_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["patient", "measure", "version"], name="baseline_version"),
            models.CheckConstraint(condition=Q(from_day__lte=F("to_day")), name="baseline_days"),
            models.CheckConstraint(condition=Q(version=1) | ~Q(reason=""), name="baseline_reason"),
        ]

    def __str__(self) -> str:
        return f"baseline {self.pk}"


class TrendDue(models.Model):
    """A series that must be recomputed. Intake counts `marked` up; a worker deletes the row only as it has seen it."""

    pk = models.CompositePrimaryKey("patient", "measure")
    patient = models.ForeignKey(Patient, on_delete=models.CASCADE, db_index=False)
    measure = models.ForeignKey(Measure, on_delete=models.DO_NOTHING, db_index=False, db_constraint=False)
    clinic = models.ForeignKey(Clinic, on_delete=models.DO_NOTHING, db_index=False, db_constraint=False)
    marked = models.IntegerField(default=1)
    since = models.DateTimeField(db_default=Now())

    class Meta:
        db_table = "outcomes_trend_due"

    def __str__(self) -> str:
        return f"trend due of patient {self.patient_id}"


class Alert(models.Model):
    """A red flag, raised in the transaction that stored the answer. One open alert per rule and patient.

    What people do about it is in its events; nothing is ever taken away.
    """

    class State(models.TextChoices):
        REVIEW = "review", "imported or simulated, and old: for the review list, not for an alarm"
        OPEN = "open"
        ACKNOWLEDGED = "acknowledged"
        CONTACTED = "contacted"
        NO_ANSWER = "no-answer"
        ESCALATED = "escalated"
        RESOLVED = "resolved"

    class Severity(models.IntegerChoices):
        INFO = 0
        LOW = 1
        MEDIUM = 2
        HIGH = 3
        CRITICAL = 4

    clinic = models.ForeignKey(Clinic, on_delete=models.PROTECT)
    patient = models.ForeignKey(Patient, on_delete=models.CASCADE)
    rule = models.CharField(max_length=16)
    rule_version = models.CharField(
        max_length=16, help_text="the rule's, and after a dot that of the clinic's own numbers if it has set some"
    )
    severity = models.PositiveSmallIntegerField(choices=Severity)
    state = models.CharField(max_length=12, choices=State, default=State.OPEN)
    source = models.UUIDField(help_text="the response or session that raised it last")
    origin = models.CharField(max_length=10, choices=Origin)
    authored_at = models.DateTimeField()
    received_at = models.DateTimeField()
    late = models.BooleanField(help_text="received more than 48 hours after it was authored")
    opened_at = models.DateTimeField()
    due_at = models.DateTimeField(null=True, help_text="when it must have been acknowledged")
    tell_at = models.DateTimeField(null=True, help_text="when the next in the chain is told; null: nobody is")
    told = models.PositiveIntegerField(default=0, help_text="how often somebody was told")
    position = models.PositiveSmallIntegerField(default=0, help_text="who in the chain was told last; 0: nobody yet")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["patient", "rule"], condition=~Q(state__in=["resolved", "review"]), name="alert_one_open"
            ),
            models.UniqueConstraint(fields=["patient", "rule", "source"], name="alert_once_a_source"),
            models.CheckConstraint(
                condition=Q(
                    state__in=["review", "open", "acknowledged", "contacted", "no-answer", "escalated", "resolved"]
                ),
                name="alert_state",
            ),
            models.CheckConstraint(condition=Q(severity__gte=0, severity__lte=4), name="alert_severity"),
        ]
        indexes = [
            models.Index(
                fields=["clinic", "due_at"], condition=~Q(state__in=["resolved", "review"]), name="alert_work_list"
            ),
            models.Index(
                fields=["tell_at"],
                condition=Q(state__in=["open", "escalated"], tell_at__isnull=False),
                name="alert_to_tell",
            ),
        ]

    def __str__(self) -> str:
        return f"alert {self.pk}"


class AlertEvent(models.Model):
    """One thing that happened to an alert, and who did it. Append-only."""

    class Kind(models.TextChoices):
        RAISED = "raised"
        REPEATED = "repeated"
        ACKNOWLEDGED = "acknowledged"
        CONTACTED = "contacted"
        NO_ANSWER = "no-answer"
        ESCALATED = "escalated"
        RESOLVED = "resolved"
        TOLD = "told", "somebody of the chain was told; the note says which place in it"
        CARD_SHOWN = "card-shown", "the phone showed the patient the clinic's own text"

    clinic = models.ForeignKey(Clinic, on_delete=models.DO_NOTHING, db_index=False, db_constraint=False)
    patient = models.ForeignKey(Patient, on_delete=models.CASCADE, db_index=False)
    alert = models.ForeignKey(Alert, on_delete=models.CASCADE, related_name="events")
    kind = models.CharField(max_length=12, choices=Kind)
    at = models.DateTimeField()
    user = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, help_text="null: the server itself")
    source = models.UUIDField(null=True, help_text="the response or session, where it was one")
    note = models.TextField(blank=True)

    class Meta:
        db_table = "outcomes_alert_event"
        constraints = [
            models.CheckConstraint(
                condition=Q(
                    kind__in=[
                        "raised",
                        "repeated",
                        "acknowledged",
                        "contacted",
                        "no-answer",
                        "escalated",
                        "resolved",
                        "told",
                        "card-shown",
                    ]
                ),
                name="alert_event_kind",
            )
        ]
        indexes = [
            models.Index(fields=["patient", "source"], condition=Q(kind="card-shown"), name="alert_event_card_shown")
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.alert_id}"


class ClinicRule(models.Model):
    """A clinic's own thresholds and time limit for one rule, within its bounds; what is absent is the default.

    The newest version holds. None is ever changed: an alert names the one that raised it.
    """

    clinic = models.ForeignKey(Clinic, on_delete=models.CASCADE, related_name="alert_rules")
    rule = models.CharField(max_length=16)
    version = models.PositiveSmallIntegerField(default=1)
    thresholds = models.JSONField(help_text="name to number; `limit` is the time limit")
    changed_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL)
    changed_at = models.DateTimeField()

    class Meta:
        db_table = "outcomes_clinic_rule"
        constraints = [models.UniqueConstraint(fields=["clinic", "rule", "version"], name="clinic_rule_version")]

    def __str__(self) -> str:
        return f"{self.rule} of clinic {self.clinic_id}"


class Trend(models.Model):
    """Where one series of one patient is heading; recomputed by the trend worker. See `outcomes.trends` for meanings.

    Null means that there is not enough data to say.
    """

    pk = models.CompositePrimaryKey("patient", "measure")
    patient = models.ForeignKey(Patient, on_delete=models.CASCADE, db_index=False)
    measure = models.ForeignKey(Measure, on_delete=models.DO_NOTHING, db_index=False, db_constraint=False)
    clinic = models.ForeignKey(Clinic, on_delete=models.DO_NOTHING, db_index=False, db_constraint=False)
    n = models.IntegerField(help_text="days with a value in the window")
    first_day = models.DateField(null=True)
    last_day = models.DateField(null=True)
    last_value = models.FloatField(null=True)
    baseline = models.FloatField(null=True)
    level = models.FloatField(null=True)
    slope_per_week = models.FloatField(null=True)
    slope_low = models.FloatField(null=True)
    slope_high = models.FloatField(null=True)
    tau = models.FloatField(null=True)
    p_value = models.FloatField(null=True)
    change = models.FloatField(null=True)
    change_label = models.CharField(max_length=20, default="unknown")
    level_changes = ArrayField(models.DateField(), default=list)
    coverage = models.FloatField(null=True, help_text="days with a value out of the days of the window, 0 to 1")
    enough_data = models.BooleanField(default=False)
    rev = models.BigIntegerField(default=0)
    computed_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"trend of patient {self.patient_id}"


def _points(field: str) -> Case:
    """Two for a clear worsening, one for a possible one."""
    return Case(When(**{field: "worsened"}, then=2), When(**{field: "possibly-worsened"}, then=1), default=0)


class Summary(models.Model):
    """The one row a patient that the clinician's panel reads. The database makes it with the patient, in their clinic.

    Its index holds the patients of a clinic in the panel's order, so that a page reads a page and not the clinic.
    """

    patient = models.OneToOneField(Patient, primary_key=True, on_delete=models.CASCADE)
    clinic = models.ForeignKey(Clinic, on_delete=models.DO_NOTHING, db_constraint=False)
    last_entry_day = models.DateField(null=True)
    pain = models.FloatField(null=True)
    pain_change = models.FloatField(null=True)
    pain_label = models.CharField(max_length=20, default="unknown")
    fear = models.FloatField(null=True)
    fear_change = models.FloatField(null=True)
    fear_label = models.CharField(max_length=20, default="unknown")
    depression = models.FloatField(null=True)
    depression_change = models.FloatField(null=True)
    depression_label = models.CharField(max_length=20, default="unknown")
    adherence = models.FloatField(null=True)
    adherence_change = models.FloatField(null=True)
    adherence_label = models.CharField(max_length=20, default="unknown")
    computed_at = models.DateTimeField()
    worse = GeneratedField(
        expression=_points("pain_label")
        + _points("fear_label")
        + _points("depression_label")
        + _points("adherence_label"),
        output_field=models.SmallIntegerField(),
        db_persist=True,
        help_text="how much they are getting worse",
    )

    class Meta:
        indexes = [
            models.Index(
                F("clinic"),
                F("worse").desc(),
                F("last_entry_day").asc(nulls_first=True),
                F("patient"),
                name="summary_panel",
            )
        ]

    def __str__(self) -> str:
        return f"summary of patient {self.patient_id}"
