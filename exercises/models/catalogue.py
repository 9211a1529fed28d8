"""Exercises, shared or a clinic's own, and the pictures and clips that clinics hang on them."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from backend.people.models import Clinic, User


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
