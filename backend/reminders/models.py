"""What is due when, and what was said about it: schedules, slots, the outbox, and how a patient wants to be reminded.

Slots are keyed by patient first, like the other large tables. Every write to them happens under the patient's
revision, so the phone's pull sees each change once and two writers never meet.
"""

from __future__ import annotations

from datetime import time

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now

from backend.people.models import Clinic, Device, Origin, Patient, User
from backend.reminders.colleague_models import Browser, CallSettings, RefusedMail  # noqa: F401  # models of this app
from outcomes.models import Alert


class Schedule(models.Model):
    """What a patient is asked for, and the rule that says when. An edit keeps the row: its slots keep their keys."""

    class Asks(models.TextChoices):
        INSTRUMENT = "instrument"
        SESSION = "session"

    id = models.UUIDField(primary_key=True, help_text="UUIDv7")
    clinic = models.ForeignKey(Clinic, on_delete=models.PROTECT)
    patient = models.ForeignKey(Patient, on_delete=models.CASCADE)
    asks = models.CharField(max_length=10, choices=Asks)
    code = models.CharField(
        max_length=64, blank=True, help_text="the instrument's code, or the programme's id (blank: any session)"
    )
    rule = models.JSONField(help_text="see backend.reminders.slots.Rule")
    anchor_on = models.DateField(null=True, blank=True, help_text="where the anchor is a surgery or a date")
    version = models.PositiveIntegerField(default=1)
    active = models.BooleanField(default=True)
    because = models.UUIDField(null=True, help_text="the response whose score asks for this, once")
    origin = models.CharField(max_length=10, choices=Origin, default=Origin.CLINIC)
    planned_until = models.DateField(null=True, help_text="slots stand up to this local day; null: plan at once")
    created_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, help_text="null: the server itself")
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["patient", "asks", "code"],
                condition=Q(active=True, because__isnull=True),
                name="schedule_one_active",
            ),
            models.UniqueConstraint(
                fields=["patient", "because"], condition=Q(because__isnull=False), name="schedule_once_because"
            ),
            models.CheckConstraint(condition=Q(asks__in=["instrument", "session"]), name="schedule_asks"),
            models.CheckConstraint(condition=Q(asks="session") | ~Q(code=""), name="schedule_code"),
            models.CheckConstraint(condition=Q(origin__in=Origin.values), name="schedule_origin"),
        ]
        indexes = [
            models.Index(F("planned_until").asc(nulls_first=True), condition=Q(active=True), name="schedule_to_plan")
        ]

    def __str__(self) -> str:
        return f"schedule {self.pk}"


class SlotState(models.TextChoices):
    UPCOMING = "upcoming"
    OPEN = "open"
    COMPLETED = "completed", "authored in the window, received within the grace"
    LATE = "late", "authored in the window, received after the grace"
    DECLINED = "declined", "not today, said the patient"
    MISSED = "missed", "window and grace are over"
    PAUSED = "paused", "in a pause: asks nothing, counts for nothing"
    WITHDRAWN = "withdrawn", "no longer asked for"


class Slot(models.Model):
    """The n-th window of one local day of one schedule."""

    pk = models.CompositePrimaryKey("patient", "schedule", "local_date", "n")
    patient = models.ForeignKey(Patient, on_delete=models.DO_NOTHING, db_index=False)
    schedule = models.ForeignKey(Schedule, on_delete=models.DO_NOTHING, db_index=False)
    rev = models.BigIntegerField(help_text="the patient's revision that wrote or last changed this row")
    opens_at = models.DateTimeField()
    closes_at = models.DateTimeField()
    missed_at = models.DateTimeField(help_text="end of the grace for what was authored in the window")
    remind_at = models.DateTimeField(null=True, help_text="when to say something next; null: nothing more to say")
    clinic = models.ForeignKey(Clinic, on_delete=models.DO_NOTHING, db_index=False, db_constraint=False)
    local_date = models.DateField(help_text="the patient's own calendar")
    n = models.SmallIntegerField(help_text="which window of the day, from 0")
    nudge = models.SmallIntegerField(default=0, help_text="the number of the next reminder, from 0")
    snoozed_at = models.DateTimeField(null=True, help_text="when the patient last said: remind me later")
    state = models.CharField(max_length=10, choices=SlotState)
    completed_by = models.UUIDField(null=True, help_text="the response or session")
    completed_at = models.DateTimeField(null=True, help_text="when it was authored")
    reason = models.CharField(max_length=200, blank=True, default="", help_text="why not today, in the patient's words")

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(state__in=SlotState.values), name="slot_state"),
            models.CheckConstraint(
                condition=Q(opens_at__lt=F("closes_at")) & Q(closes_at__lte=F("missed_at")), name="slot_window"
            ),
            models.CheckConstraint(condition=Q(n__gte=0) & Q(nudge__gte=0), name="slot_numbers"),
            models.CheckConstraint(
                condition=Q(state__in=["completed", "late"], completed_by__isnull=False, completed_at__isnull=False)
                | ~Q(state__in=["completed", "late"]) & Q(completed_by__isnull=True, completed_at__isnull=True),
                name="slot_completed_by",
            ),
            models.CheckConstraint(condition=Q(state="open") | Q(remind_at__isnull=True), name="slot_remind_open"),
        ]
        indexes = [
            models.Index(fields=["opens_at"], condition=Q(state="upcoming"), name="slot_to_open"),
            models.Index(fields=["remind_at"], condition=Q(remind_at__isnull=False), name="slot_to_remind"),
            models.Index(fields=["missed_at"], condition=Q(state="open"), name="slot_to_miss"),
            models.Index(fields=["patient"], condition=Q(state__in=["upcoming", "open"]), name="slot_to_come"),
            models.Index(fields=["patient", "rev"], name="slot_rev"),
            models.Index(
                fields=["patient", "-local_date"],
                condition=Q(state__in=["completed", "late", "declined"]),
                name="slot_last_heard",
            ),
        ]

    def __str__(self) -> str:
        return f"slot {self.schedule_id} {self.local_date} {self.n}"


class Message(models.Model):
    """The outbox: one thing to say to one patient. Its id goes along on the wire, so a phone shows it once.

    A reminder is about slots (see Mention); it is sent only while one of them still stands open.
    """

    class Kind(models.TextChoices):
        REMINDER = "reminder"
        WEEK = "week", "the summary of a week can be read"
        SEEN = "seen", "the team has seen what the patient sent"

    class State(models.TextChoices):
        PENDING = "pending"
        CLAIMED = "claimed", "a worker has it until `due_at`; then it is anybody's again"
        SENT = "sent"
        CANCELLED = "cancelled", "answered, declined or withdrawn before it went out"
        SKIPPED = "skipped", "too late to say, or more than the patient wants to hear"
        DEAD = "dead", "could not be delivered"

    id = models.UUIDField(primary_key=True, help_text="UUIDv7")
    clinic = models.ForeignKey(Clinic, on_delete=models.DO_NOTHING, db_index=False, db_constraint=False)
    patient = models.ForeignKey(Patient, on_delete=models.CASCADE, db_index=False)
    kind = models.CharField(max_length=8, choices=Kind, default=Kind.REMINDER)
    state = models.CharField(max_length=9, choices=State, default=State.PENDING)
    planned_at = models.DateTimeField(help_text="when it should go out")
    due_at = models.DateTimeField(help_text="when a worker may take it: planned, backed off, or the lease's end")
    expires_at = models.DateTimeField(help_text="nothing to say any more from here on")
    lease = models.UUIDField(null=True, help_text="of the worker that has it")
    attempts = models.SmallIntegerField(default=0)
    channel = models.CharField(max_length=10, blank=True, default="")
    receipt = models.CharField(max_length=200, blank=True, default="", help_text="the provider's own id")
    error = models.CharField(max_length=200, blank=True, default="", help_text="why skipped, dead or to be tried again")
    sent_at = models.DateTimeField(null=True)
    delivered_at = models.DateTimeField(null=True, help_text="by the phone's clock")
    opened_at = models.DateTimeField(null=True, help_text="by the phone's clock")

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(state__in=["pending", "claimed", "sent", "cancelled", "skipped", "dead"]),
                name="message_state",
            ),
            models.CheckConstraint(condition=Q(kind__in=["reminder", "week", "seen"]), name="message_kind"),
            models.CheckConstraint(
                condition=Q(state="claimed", lease__isnull=False) | ~Q(state="claimed") & Q(lease__isnull=True),
                name="message_lease",
            ),
            models.CheckConstraint(
                condition=Q(state="sent", sent_at__isnull=False) | ~Q(state="sent") & Q(sent_at__isnull=True),
                name="message_sent",
            ),
        ]
        indexes = [
            models.Index(fields=["due_at"], condition=Q(state__in=["pending", "claimed"]), name="message_due"),
            models.Index(fields=["patient", "planned_at"], name="message_of_patient"),
            models.Index(fields=["planned_at"], condition=Q(state__in=["skipped", "dead"]), name="message_unsaid"),
        ]

    def __str__(self) -> str:
        return f"message {self.pk}"


class Mention(models.Model):
    """Which slot, which reminder of it, by which message. Its key is why no slot is ever reminded twice at once."""

    pk = models.CompositePrimaryKey("patient", "schedule", "local_date", "n", "nudge")
    # The database holds a foreign key of four columns to the slot instead: see the first migration.
    patient = models.ForeignKey(Patient, on_delete=models.DO_NOTHING, db_index=False, db_constraint=False)
    schedule = models.ForeignKey(Schedule, on_delete=models.DO_NOTHING, db_index=False, db_constraint=False)
    message = models.ForeignKey(Message, on_delete=models.CASCADE, related_name="mentions")
    clinic = models.ForeignKey(Clinic, on_delete=models.DO_NOTHING, db_index=False, db_constraint=False)
    local_date = models.DateField()
    n = models.SmallIntegerField()
    nudge = models.SmallIntegerField()

    def __str__(self) -> str:
        return f"reminder {self.nudge} of {self.schedule_id} {self.local_date} {self.n}"


class Call(models.Model):
    """The outbox to colleagues: one of them is to be told by one channel that an alert waits. It names nobody.

    Written in the transaction that moves the alert on, so there is exactly one for each telling and channel.
    """

    class State(models.TextChoices):
        PENDING = "pending"
        CLAIMED = "claimed", "a worker has it until `due_at`; then it is anybody's again"
        SENT = "sent"
        CANCELLED = "cancelled", "somebody acknowledged the alert before it went out"
        DEAD = "dead", "could not be delivered; once no channel is left, the next in the chain is told"

    id = models.UUIDField(primary_key=True, help_text="UUIDv7")
    clinic = models.ForeignKey(Clinic, on_delete=models.DO_NOTHING, db_index=False, db_constraint=False)
    patient = models.ForeignKey(Patient, on_delete=models.CASCADE, db_index=False)
    alert = models.ForeignKey(Alert, on_delete=models.CASCADE, db_index=False)
    n = models.PositiveIntegerField(help_text="the how manieth telling of this alert")
    user = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, help_text="null: the clinic's fallback")
    channel = models.CharField(max_length=10)
    target = models.CharField(max_length=254, help_text="an address; of a browser: where to turn if none takes it")
    language = models.CharField(max_length=10)
    state = models.CharField(max_length=9, choices=State, default=State.PENDING)
    planned_at = models.DateTimeField()
    due_at = models.DateTimeField(help_text="when a worker may take it: planned, backed off, or the lease's end")
    lease = models.UUIDField(null=True, help_text="of the worker that has it")
    attempts = models.SmallIntegerField(default=0)
    receipt = models.CharField(max_length=200, blank=True, default="", help_text="the provider's own id")
    error = models.CharField(max_length=200, blank=True, default="")
    sent_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["alert", "n", "channel"], name="call_once"),
            models.CheckConstraint(
                condition=Q(state__in=["pending", "claimed", "sent", "cancelled", "dead"]), name="call_state"
            ),
            models.CheckConstraint(
                condition=Q(state="claimed", lease__isnull=False) | ~Q(state="claimed") & Q(lease__isnull=True),
                name="call_lease",
            ),
        ]
        indexes = [models.Index(fields=["due_at"], condition=Q(state__in=["pending", "claimed"]), name="call_due")]

    def __str__(self) -> str:
        return f"call {self.pk}"


class ReminderSettings(models.Model):
    """How a patient wants to be reminded. Without a row the defaults hold."""

    class Channel(models.TextChoices):
        AUTO = "auto", "the phone if it can be reached, else e-mail"
        PUSH = "push"
        EMAIL = "email"
        NONE = "none", "the agenda only"

    patient = models.OneToOneField(Patient, primary_key=True, on_delete=models.CASCADE)
    clinic = models.ForeignKey(Clinic, on_delete=models.DO_NOTHING, db_index=False, db_constraint=False)
    rev = models.BigIntegerField()
    changed_at = models.DateTimeField(help_text="by the clock of who changed them last")
    channel = models.CharField(max_length=5, choices=Channel, default=Channel.AUTO)
    quiet_from = models.TimeField(default=time(21), help_text="local; the same as quiet_to: no quiet hours")
    quiet_to = models.TimeField(default=time(7))
    weekly_cap = models.PositiveSmallIntegerField(default=21, help_text="messages in seven days, at most")
    tell_week = models.BooleanField(default=True, help_text="say when the summary of a week can be read")
    tell_seen = models.BooleanField(default=False, help_text="say when the team has seen what they sent")

    class Meta:
        db_table = "reminders_settings"
        constraints = [
            models.CheckConstraint(condition=Q(channel__in=["auto", "push", "email", "none"]), name="settings_channel"),
            models.CheckConstraint(condition=Q(weekly_cap__lte=100), name="settings_weekly_cap"),
        ]

    def __str__(self) -> str:
        return f"reminder settings of patient {self.patient_id}"


class Absence(models.Model):
    """Local days, both ends included, on which nothing is asked: a holiday, a hospital stay."""

    pk = models.CompositePrimaryKey("patient", "id")
    id = models.UUIDField(help_text="UUIDv7 made by the phone or the server")
    clinic = models.ForeignKey(Clinic, on_delete=models.DO_NOTHING, db_index=False, db_constraint=False)
    patient = models.ForeignKey(Patient, on_delete=models.CASCADE, db_index=False)
    rev = models.BigIntegerField()
    first_day = models.DateField()
    last_day = models.DateField()
    cancelled = models.BooleanField(default=False)
    created_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, help_text="null: the server itself")

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(first_day__lte=F("last_day")), name="absence_days")]

    def __str__(self) -> str:
        return f"absence {self.id}"


class Week(models.Model):
    """A week of the patient's, in kind words; it begins on a Monday of their own calendar."""

    pk = models.CompositePrimaryKey("patient", "first_day")
    clinic = models.ForeignKey(Clinic, on_delete=models.DO_NOTHING, db_index=False, db_constraint=False)
    patient = models.ForeignKey(Patient, on_delete=models.CASCADE, db_index=False)
    rev = models.BigIntegerField(default=0)
    first_day = models.DateField()
    due_at = models.DateTimeField(help_text="when it is looked back at")
    made_at = models.DateTimeField(null=True, help_text="null: not yet")
    words = ArrayField(models.CharField(max_length=300), default=list, help_text="sentences; none: nothing to tell")

    class Meta:
        indexes = [models.Index(fields=["due_at"], condition=Q(made_at__isnull=True), name="week_due")]

    def __str__(self) -> str:
        return f"week {self.first_day}"


class Seen(models.Model):
    """Somebody of the team has seen what the patient sent: a response or a session that had raised an alert."""

    pk = models.CompositePrimaryKey("patient", "source")
    clinic = models.ForeignKey(Clinic, on_delete=models.DO_NOTHING, db_index=False, db_constraint=False)
    patient = models.ForeignKey(Patient, on_delete=models.CASCADE, db_index=False)
    rev = models.BigIntegerField(null=True, help_text="null: the patient has not been told yet")
    source = models.UUIDField(help_text="the response or session")
    seen_at = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["seen_at"], condition=Q(rev__isnull=True), name="seen_to_tell")]

    def __str__(self) -> str:
        return f"seen {self.source}"


class FollowUpChoice(models.Model):
    """Which instrument a clinic asks next when a screen is positive, of those that the screen offers."""

    clinic = models.ForeignKey(Clinic, on_delete=models.CASCADE)
    screen = models.CharField(max_length=64, help_text="code of the instrument whose score asks further")
    code = models.CharField(max_length=64, help_text="of the instrument that is asked then")
    changed_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL)
    changed_at = models.DateTimeField()

    class Meta:
        db_table = "reminders_follow_up_choice"
        constraints = [models.UniqueConstraint(fields=["clinic", "screen"], name="follow_up_choice_once")]

    def __str__(self) -> str:
        return f"{self.code} after {self.screen} in clinic {self.clinic_id}"


class Address(models.Model):
    """Where a device can be pushed to. A dead one is disabled, with the provider's reason."""

    class Channel(models.TextChoices):
        FCM = "fcm", "Firebase Cloud Messaging: a registration token"
        WEB_PUSH = "webpush", "Web Push: a subscription as JSON"

    device = models.OneToOneField(Device, primary_key=True, on_delete=models.CASCADE)
    clinic = models.ForeignKey(Clinic, on_delete=models.DO_NOTHING, db_index=False, db_constraint=False)
    patient = models.ForeignKey(Patient, on_delete=models.CASCADE)
    channel = models.CharField(max_length=7, choices=Channel)
    target = models.CharField(max_length=2000)
    updated_at = models.DateTimeField()
    disabled_at = models.DateTimeField(null=True)
    disabled_why = models.CharField(max_length=200, blank=True, default="")

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(channel__in=["fcm", "webpush"]), name="address_channel")]

    def __str__(self) -> str:
        return f"address of device {self.device_id}"
