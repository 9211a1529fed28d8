"""What phones sent and the server could not store: kept whole, so that nothing a patient wrote is lost."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from backend.people.models import Clinic, Origin, Patient, User


class Quarantine(models.Model):
    """One refused item, byte for byte, with the reasons. Staff see it and put it right or dismiss it."""

    class Status(models.TextChoices):
        REJECTED = "rejected"
        CONFLICT = "conflict"

    pk = models.CompositePrimaryKey("patient", "id")
    patient = models.ForeignKey(Patient, on_delete=models.DO_NOTHING, db_index=False)
    id = models.UUIDField(help_text="UUIDv7 made by the server")
    clinic = models.ForeignKey(Clinic, on_delete=models.DO_NOTHING, db_constraint=False)
    client_id = models.UUIDField(null=True, help_text="the id that the phone gave it, where it gave one")
    kind = models.CharField(max_length=32, blank=True, help_text="the type that the phone gave it")
    status = models.CharField(max_length=8, choices=Status)
    errors = models.JSONField(help_text="list of field, code and detail")
    content = models.BinaryField(help_text="the item as it was sent; it need not even be JSON that a database takes")
    digest = models.BinaryField(max_length=16, help_text="of the content: the same thing refused again is one row")
    received_at = models.DateTimeField()
    device = models.UUIDField(null=True)
    origin = models.CharField(max_length=10, choices=Origin)
    closed_at = models.DateTimeField(null=True)
    closed_by = models.ForeignKey(User, null=True, on_delete=models.DO_NOTHING, db_constraint=False, db_index=False)
    closed_as = models.CharField(max_length=500, default="", blank=True, help_text="how it was put right, or why not")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["patient", "digest"], name="quarantine_once"),
            models.CheckConstraint(condition=Q(status__in=["rejected", "conflict"]), name="quarantine_status"),
            models.CheckConstraint(condition=Q(origin__in=Origin.values), name="quarantine_origin"),
        ]

    def __str__(self) -> str:
        return f"quarantined {self.id}"
