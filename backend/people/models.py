"""Who is here: clinics, users and their roles, patients and their care teams, consent, devices, zones, audit."""

from __future__ import annotations

from datetime import time
from typing import Any, ClassVar

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.models import PermissionsMixin
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Lower, Now

from backend.people.access import PatientQuerySet, Reach


class Clinic(models.Model):
    """One clinic. Nothing but a patient's consented transfer crosses from one clinic to another."""

    name = models.CharField(max_length=200)
    time_zone = models.CharField(max_length=64, help_text="IANA name, e.g. Europe/Zurich")
    languages = ArrayField(models.CharField(max_length=10), default=list, help_text="the first is the clinic's default")
    simulated = models.BooleanField(
        default=False, help_text="Generated for a demonstration; shown wherever it is named"
    )
    fallback_email = models.EmailField(
        blank=True, default="", help_text="told of an alert that nobody of the chain has acknowledged"
    )
    keep_years = models.PositiveSmallIntegerField(
        null=True,
        blank=True,
        help_text="a discharged patient is erased once their record lay untouched for so long",
    )
    created_at = models.DateTimeField(db_default=Now())

    def __str__(self) -> str:
        return self.name


class UserManager(BaseUserManager["User"]):
    def create_user(self, email: str, password: str | None = None, **fields: Any) -> User:
        user = self.model(email=self.normalize_email(email).lower(), **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(self, email: str, password: str | None = None, **fields: Any) -> User:
        return self.create_user(email, password, is_staff=True, is_superuser=True, **fields)


class User(AbstractBaseUser, PermissionsMixin):
    """Somebody who signs in. What they may see is said by a membership (staff) or a patient record (patients).

    `is_staff` is the operator: the admin site, clinics and accounts, and no patient data.
    """

    email = models.EmailField(unique=True)
    name = models.CharField(max_length=200, blank=True)
    language = models.CharField(max_length=10, default="en")
    is_active = models.BooleanField(default=True)
    is_staff = models.BooleanField(default=False)
    date_joined = models.DateTimeField(db_default=Now())

    objects: ClassVar[UserManager] = UserManager()

    reach: Reach | None = None
    """Left here for the length of a request by whoever has read it, so that it isn't asked with every statement."""

    USERNAME_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    class Meta:
        constraints = [models.UniqueConstraint(Lower("email"), name="user_email_any_case")]

    def __str__(self) -> str:
        return f"user {self.pk}"


class Role(models.TextChoices):
    CLINICIAN = "clinician"
    ADMIN = "admin"


class Membership(models.Model):
    """A user's role in one clinic: an admin sees every patient there, a clinician those of their care teams."""

    clinic = models.ForeignKey(Clinic, on_delete=models.CASCADE)
    user = models.ForeignKey(User, on_delete=models.CASCADE)
    role = models.CharField(max_length=10, choices=Role)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["clinic", "user"], name="membership_once"),
            models.CheckConstraint(condition=Q(role__in=Role.values), name="membership_role"),
        ]

    def __str__(self) -> str:
        return f"membership {self.pk}"


class CareTeam(models.Model):
    """The people who look after a group of patients."""

    clinic = models.ForeignKey(Clinic, on_delete=models.CASCADE)
    name = models.CharField(max_length=200)
    members = models.ManyToManyField(Membership, related_name="teams", blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["clinic", "name"], name="care_team_name")]

    def __str__(self) -> str:
        return self.name


class Origin(models.TextChoices):
    """Where a record came from. What is imported or simulated never notifies anybody."""

    PHONE = "phone"
    CLINIC = "clinic"
    IMPORT = "import"
    SIMULATED = "simulated"


class Patient(models.Model):
    """An adult with low back pain, in one clinic and one care team."""

    class Status(models.TextChoices):
        INVITED = "invited"
        ACTIVE = "active"
        DISCHARGED = "discharged"

    clinic = models.ForeignKey(Clinic, on_delete=models.PROTECT)
    care_team = models.ForeignKey(CareTeam, on_delete=models.PROTECT)
    user = models.OneToOneField(User, null=True, blank=True, on_delete=models.PROTECT)
    identifier = models.CharField(max_length=64, help_text="the clinic's own number for this person")
    name = models.CharField(max_length=200, blank=True)
    date_of_birth = models.DateField(null=True, blank=True)
    language = models.CharField(max_length=10, default="en")
    time_zone = models.CharField(max_length=64, help_text="the zone they are in now; zone_history keeps the past")
    status = models.CharField(max_length=10, choices=Status, default=Status.INVITED)
    origin = models.CharField(max_length=10, choices=Origin, default=Origin.CLINIC)
    programme_started_on = models.DateField(null=True, blank=True, help_text="local day; baselines are taken before it")
    created_at = models.DateTimeField(db_default=Now())
    enrolled_at = models.DateTimeField(null=True, blank=True)

    objects = PatientQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["clinic", "identifier"], name="patient_identifier"),
            models.CheckConstraint(condition=Q(status__in=["invited", "active", "discharged"]), name="patient_status"),
            models.CheckConstraint(condition=Q(origin__in=Origin.values), name="patient_origin"),
        ]

    def __str__(self) -> str:
        return f"patient {self.pk}"


class PatientRev(models.Model):
    """The patient's last revision. Each write to a patient takes the next one, late in its transaction.

    The row lock makes commit order and revision order the same, so a pull by revision skips nothing.
    """

    patient = models.OneToOneField(Patient, primary_key=True, on_delete=models.CASCADE, related_name="revision")
    rev = models.BigIntegerField(default=0)
    erased = models.BooleanField(db_default=False, help_text="nothing is ever written to this patient again")

    class Meta:
        db_table = "people_patient_rev"

    def __str__(self) -> str:
        return f"revision of patient {self.patient_id}"


class ZoneHistory(models.Model):
    """Since when a patient is in which zone. Old days stay in the zone they were lived in."""

    clinic = models.ForeignKey(Clinic, on_delete=models.PROTECT)
    patient = models.ForeignKey(Patient, on_delete=models.CASCADE, related_name="zones")
    since = models.DateTimeField()
    time_zone = models.CharField(max_length=64)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["patient", "since"], name="zone_history_since")]

    def __str__(self) -> str:
        return f"zone of patient {self.patient_id}"


class ClinicText(models.Model):
    """A clinic's own words, versioned: consent, and the safety card that a phone shows with no network.

    The product ships no crisis text and no country's telephone number.
    """

    class Kind(models.TextChoices):
        CONSENT = "consent"
        CRISIS = "crisis", "shown when PHQ-9 item 9 is answered above zero"
        SUPPORT = "support", "shown when item 9 is left out, or depression is severe"
        EMERGENCY = "emergency", "shown on cauda equina signs"
        SEEK_CARE = "seek-care", "shown on other red flags"
        ADVERSE_EVENT = "adverse-event", "shown on an adverse event"
        FLARE_PLAN = "flare-plan", "shown on a flare, and when pain stays high"
        WITHDRAWAL = "withdrawal", "what happens to the data when consent is withdrawn"

    clinic = models.ForeignKey(Clinic, on_delete=models.CASCADE, related_name="texts")
    kind = models.CharField(max_length=20, choices=Kind)
    language = models.CharField(max_length=10)
    version = models.PositiveIntegerField()
    body = models.TextField()
    published_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["clinic", "kind", "language", "version"], name="clinic_text_version")
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.language} {self.version}"


class OpeningHours(models.Model):
    """Hours of one weekday on the clinic's wall clock: the clocks of alerts that may wait run in them."""

    clinic = models.ForeignKey(Clinic, on_delete=models.CASCADE, related_name="opening_hours")
    weekday = models.PositiveSmallIntegerField(help_text="0 is Monday")
    opens = models.TimeField()
    closes = models.TimeField(help_text="00:00 is midnight")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["clinic", "weekday", "opens"], name="opening_hours_once"),
            models.CheckConstraint(condition=Q(weekday__lte=6), name="opening_hours_weekday"),
            models.CheckConstraint(condition=Q(closes__gt=F("opens")) | Q(closes=time(0)), name="opening_hours_order"),
        ]

    def __str__(self) -> str:
        return f"opening hours {self.pk}"


class Holiday(models.Model):
    """A day on which the clinic is closed."""

    clinic = models.ForeignKey(Clinic, on_delete=models.CASCADE, related_name="holidays")
    day = models.DateField()
    name = models.CharField(max_length=100, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["clinic", "day"], name="holiday_once")]

    def __str__(self) -> str:
        return f"holiday {self.day}"


class OnCall(models.Model):
    """A place in the chain of people whom a clinic has named for red flags.

    Without at least one, PHQ-9 can't go to a phone: nobody would answer its item 9.
    """

    clinic = models.ForeignKey(Clinic, on_delete=models.CASCADE, related_name="on_call")
    membership = models.ForeignKey(Membership, on_delete=models.CASCADE)
    position = models.PositiveSmallIntegerField(help_text="1 is told first")
    hours = models.CharField(max_length=200, help_text="when this person answers, in words")
    weekdays = models.PositiveSmallIntegerField(default=127, help_text="on which a duty begins; bit 0 is Monday")
    starts = models.TimeField(default=time(0), help_text="on the clinic's wall clock")
    ends = models.TimeField(default=time(0), help_text="not after starts: on the next day")
    on_holidays = models.BooleanField(default=True, help_text="a duty begins on the clinic's holidays too")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["clinic", "position"], name="on_call_position"),
            models.CheckConstraint(condition=Q(weekdays__gte=1, weekdays__lte=127), name="on_call_weekdays"),
        ]

    def __str__(self) -> str:
        return f"on call {self.pk}"


class Consent(models.Model):
    """A patient's agreement to one version of the clinic's consent text, and its end.

    Agreeing to a newer version withdraws nothing: several may stand beside each other, and withdrawal ends all. Consent
    is in force while one stands.
    """

    clinic = models.ForeignKey(Clinic, on_delete=models.PROTECT)
    patient = models.ForeignKey(Patient, on_delete=models.CASCADE, related_name="consents")
    text = models.ForeignKey(ClinicText, on_delete=models.PROTECT)
    given_at = models.DateTimeField()
    withdrawn_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["patient", "text"], condition=Q(withdrawn_at__isnull=True), name="consent_once"
            ),
            models.CheckConstraint(
                condition=Q(withdrawn_at__isnull=True) | Q(withdrawn_at__gte=F("given_at")), name="consent_order"
            ),
        ]

    def __str__(self) -> str:
        return f"consent {self.pk}"


class Invitation(models.Model):
    """A one-time code by which a phone becomes a patient's: the first time, or again after it was lost.

    Only a hash of the code is stored.
    """

    class Purpose(models.TextChoices):
        ENROL = "enrol"
        RELINK = "relink"

    clinic = models.ForeignKey(Clinic, on_delete=models.CASCADE)
    patient = models.ForeignKey(Patient, on_delete=models.CASCADE, related_name="invitations")
    purpose = models.CharField(max_length=6, choices=Purpose, default=Purpose.ENROL)
    code_hash = models.BinaryField(max_length=32, unique=True)
    created_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL)
    created_at = models.DateTimeField(db_default=Now())
    expires_at = models.DateTimeField()
    redeemed_at = models.DateTimeField(null=True, blank=True)
    device = models.ForeignKey("Device", null=True, on_delete=models.SET_NULL, help_text="the phone that redeemed it")

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(purpose__in=["enrol", "relink"]), name="invitation_purpose")]

    def __str__(self) -> str:
        return f"invitation {self.pk}"


class Device(models.Model):
    """A phone: one signed-in session of one patient. A lost one is revoked, and its tokens die with it."""

    id = models.UUIDField(primary_key=True, help_text="made by the phone")
    clinic = models.ForeignKey(Clinic, on_delete=models.PROTECT)
    patient = models.ForeignKey(Patient, on_delete=models.CASCADE, related_name="devices")
    name = models.CharField(max_length=100, blank=True)
    session_key = models.CharField(max_length=40, unique=True)
    created_at = models.DateTimeField(db_default=Now())
    last_seen_at = models.DateTimeField(null=True, blank=True)
    clock_skew = models.DurationField(null=True, blank=True, help_text="the phone's clock less the server's, last push")
    revoked_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return f"device {self.pk}"


class Transfer(models.Model):
    """A patient's move to another clinic: proposed by theirs, agreed to by them, accepted by the other one.

    Their history goes along. What was recorded until then stays readable here, to the admins and to `care_team`.
    """

    class Agreed(models.TextChoices):
        PHONE = "phone"
        PAPER = "paper"

    clinic = models.ForeignKey(Clinic, on_delete=models.PROTECT, help_text="the one that they leave")
    patient = models.ForeignKey(Patient, on_delete=models.CASCADE, related_name="transfers")
    to_clinic = models.ForeignKey(Clinic, on_delete=models.PROTECT, related_name="arrivals")
    care_team = models.ForeignKey(CareTeam, null=True, on_delete=models.SET_NULL, help_text="that they leave")
    left_as = models.CharField(max_length=64, help_text="their identifier in the clinic that they leave")
    proposed_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    proposed_at = models.DateTimeField()
    agreed = models.CharField(max_length=5, choices=Agreed, blank=True, default="")
    agreed_at = models.DateTimeField(null=True, blank=True)
    noted_by = models.ForeignKey(
        User, null=True, on_delete=models.SET_NULL, related_name="+", help_text="who holds the paper"
    )
    text = models.ForeignKey(
        ClinicText, null=True, on_delete=models.PROTECT, help_text="of the other clinic, agreed to on the phone"
    )
    accepted_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    accepted_at = models.DateTimeField(null=True, blank=True)
    cancelled_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["patient"],
                condition=Q(accepted_at__isnull=True, cancelled_at__isnull=True),
                name="transfer_one_at_a_time",
            ),
            models.CheckConstraint(condition=Q(agreed__in=["", "phone", "paper"]), name="transfer_agreed"),
            models.CheckConstraint(
                condition=Q(accepted_at__isnull=True) | Q(agreed_at__isnull=False, cancelled_at__isnull=True),
                name="transfer_with_consent",
            ),
        ]

    def __str__(self) -> str:
        return f"transfer {self.pk}"


class Audit(models.Model):
    """Who read or wrote what of a patient's, and when. Append-only; the database refuses changes."""

    pk = models.CompositePrimaryKey("patient", "id")
    id = models.UUIDField(help_text="UUIDv7")
    clinic = models.ForeignKey(Clinic, on_delete=models.DO_NOTHING, db_constraint=False)
    patient = models.ForeignKey(Patient, on_delete=models.DO_NOTHING, db_constraint=False)
    user = models.ForeignKey(User, null=True, on_delete=models.DO_NOTHING, db_constraint=False)
    action = models.CharField(max_length=40, help_text="verb and thing, e.g. read trends")
    count = models.PositiveIntegerField(default=1, help_text="how many rows it reached")
    request_id = models.CharField(max_length=64, blank=True)
    at = models.DateTimeField(db_default=Now())

    def __str__(self) -> str:
        return f"audit {self.id}"


class ClinicChange(models.Model):
    """Who changed a clinic's staff, rota, hours or settings, and when. Append-only; says nothing of a patient."""

    class What(models.TextChoices):
        STAFF = "staff"
        TEAM = "team"
        HOURS = "hours"
        ROTA = "rota"
        SETTINGS = "settings"

    clinic = models.ForeignKey(Clinic, on_delete=models.DO_NOTHING, db_constraint=False, related_name="changes")
    user = models.ForeignKey(User, null=True, on_delete=models.DO_NOTHING, db_constraint=False)
    what = models.CharField(max_length=10, choices=What)
    detail = models.CharField(max_length=500, help_text="what it is now, in short")
    at = models.DateTimeField(db_default=Now())

    class Meta:
        indexes = [models.Index(fields=["clinic", "-id"], name="clinic_change_newest")]
        constraints = [
            models.CheckConstraint(
                condition=Q(what__in=["staff", "team", "hours", "rota", "settings"]), name="clinic_change_what"
            )
        ]

    def __str__(self) -> str:
        return f"change {self.pk} of clinic {self.clinic_id}"
