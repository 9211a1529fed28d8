"""What a clinic adds to the instruments that ship."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now

from backend.people.models import Clinic, User


class TextPack(models.Model):
    """The words of one instrument in one language that one clinic may use, by a licence of its own.

    Append-only: another pack takes the place of this one, or it is removed, and who did what on which grounds stays.
    """

    clinic = models.ForeignKey(Clinic, on_delete=models.PROTECT, related_name="text_packs")
    code = models.CharField(max_length=64)
    version = models.CharField(max_length=16)
    language = models.CharField(max_length=10)
    content = models.JSONField(help_text="as in a file of text: title, introduction, items, options, source, licence")
    digest = models.CharField(max_length=64, help_text="SHA-256 of the content")
    licence = models.CharField(max_length=500, help_text="on what grounds the clinic says that it may use these words")
    loaded_by = models.ForeignKey(
        User, null=True, on_delete=models.SET_NULL, related_name="+", help_text="null: at the server's console"
    )
    loaded_at = models.DateTimeField(db_default=Now())
    removed_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    removed_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "outcomes_text_pack"
        constraints = [
            models.UniqueConstraint(
                fields=["clinic", "code", "version", "language"],
                condition=Q(removed_at__isnull=True),
                name="text_pack_once",
            ),
            models.CheckConstraint(condition=~Q(licence=""), name="text_pack_licence"),
            models.CheckConstraint(
                condition=Q(removed_at__isnull=True) | Q(removed_at__gte=F("loaded_at")), name="text_pack_order"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.code} {self.version} {self.language} of clinic {self.clinic_id}"


class InstrumentChoice(models.Model):
    """How a clinic reads an instrument where sources differ. Append-only: the highest version holds."""

    clinic = models.ForeignKey(Clinic, on_delete=models.PROTECT, related_name="instrument_choices")
    code = models.CharField(max_length=64)
    version = models.PositiveSmallIntegerField()
    choice = models.JSONField(help_text="cutoffs, max_missing and tables, each by score")
    chosen_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    chosen_at = models.DateTimeField()

    class Meta:
        db_table = "outcomes_instrument_choice"
        constraints = [
            models.UniqueConstraint(fields=["clinic", "code", "version"], name="instrument_choice_version"),
        ]

    def __str__(self) -> str:
        return f"{self.code} of clinic {self.clinic_id}, {self.version}"
