"""What colleagues write on these pages and nowhere else."""

from __future__ import annotations

from django.db import models
from django.db.models.functions import Now

from backend.people.models import Clinic, Patient, User


class Note(models.Model):
    """One version of what a colleague wrote about a patient. Append-only: an edit is the next version."""

    id = models.UUIDField(primary_key=True, help_text="UUIDv7")
    clinic = models.ForeignKey(Clinic, on_delete=models.DO_NOTHING, db_index=False, db_constraint=False)
    patient = models.ForeignKey(Patient, on_delete=models.CASCADE, db_index=False, related_name="notes")
    note = models.UUIDField(help_text="what the versions of one note share")
    version = models.PositiveSmallIntegerField(default=1)
    day = models.DateField(help_text="the day that it is about, by the clinic's calendar")
    body = models.TextField()
    written_by = models.ForeignKey(User, null=True, on_delete=models.DO_NOTHING, db_constraint=False)
    written_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["patient", "note", "version"], name="note_version"),
            models.CheckConstraint(condition=~models.Q(body=""), name="note_body"),
        ]

    def __str__(self) -> str:
        return f"note {self.pk}"


class SavedView(models.Model):
    """A name for filters and columns of the panel, for one colleague in one clinic."""

    clinic = models.ForeignKey(Clinic, on_delete=models.CASCADE, db_index=False)
    user = models.ForeignKey(User, on_delete=models.CASCADE)
    name = models.CharField(max_length=60)
    query = models.CharField(max_length=500, blank=True, help_text="as the address says it: see Filters")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["clinic", "user", "name"], name="saved_view_name")]

    def __str__(self) -> str:
        return f"saved view {self.pk}"
