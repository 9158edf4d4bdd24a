"""The press note of a cycle: what the ministry adds to the composed note."""

from __future__ import annotations

from django.conf import settings
from django.db import models

from dienrong.core.models import TimestampedModel


class PressNote(TimestampedModel):
    """The ministry's own paragraph of a cycle's press note, and whether the note goes out with the report."""

    cycle = models.OneToOneField("cycles.Cycle", on_delete=models.PROTECT, related_name="press_note")
    body = models.TextField(blank=True)
    edition = models.PositiveIntegerField(default=0)
    is_released = models.BooleanField(default=False)
    changed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )

    def __str__(self) -> str:
        return str(self.cycle_id)
