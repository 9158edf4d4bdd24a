"""The press note of a cycle: what the ministry adds to the composed note, and for which run it goes out."""

from __future__ import annotations

from django.conf import settings
from django.db import models

from dienrong.core.models import TimestampedModel


class PressNote(TimestampedModel):
    """The ministry's own paragraph of a press note.

    A note is released for one run: when the report of that run is published, everyone reads the note. A later run
    has other figures, so its note waits to be read and released again.
    """

    cycle = models.OneToOneField("cycles.Cycle", on_delete=models.PROTECT, related_name="press_note")
    body = models.TextField(blank=True)
    edition = models.PositiveIntegerField(default=0)
    released_run = models.ForeignKey(
        "analysis.AnalysisRun", null=True, blank=True, on_delete=models.PROTECT, related_name="press_notes"
    )
    changed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )

    def __str__(self) -> str:
        return str(self.cycle_id)
