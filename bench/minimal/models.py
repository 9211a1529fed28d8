"""The one table of a minimal server."""

from django.conf import settings
from django.db import models


class Answer(models.Model):
    """A filled-in questionnaire, as it came."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE)
    instrument = models.CharField(max_length=64)
    authored_at = models.DateTimeField()
    received_at = models.DateTimeField(auto_now_add=True)
    answers = models.JSONField()

    class Meta:
        app_label = "minimal"

    def __str__(self) -> str:
        return f"answer {self.pk}"
