"""Answers that are kept for years under a link that never changes."""

from __future__ import annotations

from django.conf import settings
from django.db import models


class KeptAnswer(models.Model):
    """An answer as it was said: its question, its numbers, the run behind it; never changed afterwards."""

    key = models.CharField(max_length=20, unique=True)
    cycle = models.ForeignKey("cycles.Cycle", on_delete=models.PROTECT, related_name="kept_answers")
    run = models.ForeignKey("analysis.AnalysisRun", on_delete=models.PROTECT, related_name="kept_answers")
    text = models.TextField()
    digest = models.CharField(max_length=64)
    is_public = models.BooleanField()
    software_version = models.CharField(max_length=40)
    kept_at = models.DateTimeField()
    kept_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="kept_answers"
    )

    class Meta:
        """The last kept comes first."""

        ordering = ["-kept_at", "-pk"]
        indexes = [models.Index(fields=["cycle", "-kept_at"], name="explorer_answers_of_cycle")]

    def __str__(self) -> str:
        return self.key
