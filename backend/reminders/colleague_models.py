"""How colleagues want to be told that an alert waits, by which browsers, and whose e-mail is refused."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from backend.people.models import Clinic, Patient, User


class CallSettings(models.Model):
    """By which of their channels a colleague is told of what can wait. What is critical goes to every one of them."""

    class Channel(models.TextChoices):
        AUTO = "auto", "the browser if it can be reached, else e-mail"
        EMAIL = "email"
        BOTH = "both"

    user = models.OneToOneField(User, primary_key=True, on_delete=models.CASCADE)
    channel = models.CharField(max_length=5, choices=Channel, default=Channel.AUTO)

    class Meta:
        db_table = "reminders_call_settings"
        constraints = [
            models.CheckConstraint(condition=Q(channel__in=["auto", "email", "both"]), name="call_settings_channel")
        ]

    def __str__(self) -> str:
        return f"call settings of user {self.user_id}"


class Browser(models.Model):
    """Where a colleague's browser can be pushed to. A dead one is disabled, with the push service's reason."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="browsers")
    name = models.CharField(max_length=100, blank=True, help_text="by which its owner knows it")
    endpoint = models.CharField(max_length=1500, unique=True, help_text="whoever subscribed there last is told there")
    target = models.CharField(max_length=2000, help_text="the subscription as JSON")
    since = models.DateTimeField(db_default=Now())
    disabled_at = models.DateTimeField(null=True)
    disabled_why = models.CharField(max_length=200, blank=True, default="")

    def __str__(self) -> str:
        return f"browser {self.pk}"


class RefusedMail(models.Model):
    """An e-mail address that its server refuses for good: a patient's, a colleague's, or a clinic's fallback.

    It says nothing of the address that its owner has taken since.
    """

    user = models.OneToOneField(User, null=True, on_delete=models.CASCADE, help_text="a colleague")
    patient = models.OneToOneField(Patient, null=True, on_delete=models.CASCADE)
    clinic = models.ForeignKey(
        Clinic, null=True, on_delete=models.CASCADE, help_text="the patient's; without one, whose fallback it is"
    )
    address = models.CharField(max_length=254)
    refused_at = models.DateTimeField()
    why = models.CharField(max_length=200)

    class Meta:
        db_table = "reminders_refused_mail"
        constraints = [
            models.CheckConstraint(
                condition=Q(user__isnull=False, patient__isnull=True, clinic__isnull=True)
                | Q(user__isnull=True, clinic__isnull=False),
                name="refused_mail_owner",
            ),
            models.UniqueConstraint(
                fields=["clinic"], condition=Q(user__isnull=True, patient__isnull=True), name="refused_mail_fallback"
            ),
        ]

    def __str__(self) -> str:
        return f"refused mail {self.pk}"
