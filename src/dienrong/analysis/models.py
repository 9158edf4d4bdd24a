"""Runs of the whole analysis: what was asked, with which seed, and what each stage left."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _


class AnalysisRun(models.Model):
    """One run of a cycle's analysis; its options are frozen when it is requested."""

    class State(models.TextChoices):
        """The life of a run; the background job behind it may be tried more than once."""

        QUEUED = "queued", _("Waiting")
        RUNNING = "running", _("Running")
        DONE = "done", _("Done")
        FAILED = "failed", _("Failed")
        CANCELLED = "cancelled", _("Cancelled")

    class Size(models.TextChoices):
        """How large a synthetic nation the run is made on."""

        NATIONAL = "national", _("National (34 provinces)")
        SMALL = "small", _("Small (for practice)")

    cycle = models.ForeignKey("cycles.Cycle", on_delete=models.PROTECT, related_name="runs")
    number = models.PositiveIntegerField()
    size = models.CharField(max_length=10, choices=Size.choices)
    seed = models.PositiveBigIntegerField()
    n_schools_per_province = models.PositiveSmallIntegerField(null=True, blank=True)
    n_students = models.PositiveSmallIntegerField(null=True, blank=True)
    options_hash = models.CharField(max_length=80)
    software_version = models.CharField(max_length=40)
    state = models.CharField(max_length=10, choices=State.choices, default=State.QUEUED)
    refusal = models.TextField(blank=True)
    job_id = models.CharField(max_length=40, blank=True)
    requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT
    )
    requested_at = models.DateTimeField()
    started_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        """Runs of a cycle are numbered from 1; the last comes first."""

        ordering = ["-requested_at", "-pk"]
        constraints = [models.UniqueConstraint(fields=["cycle", "number"], name="analysis_run_number_once")]

    def __str__(self) -> str:
        return f"{self.cycle_id} #{self.number}"


class RunStage(models.Model):
    """What one stage of a run left: its manifest, and whether an earlier result was reused."""

    run = models.ForeignKey(AnalysisRun, on_delete=models.CASCADE, related_name="stages")
    position = models.PositiveSmallIntegerField()
    stage = models.CharField(max_length=30)
    grade = models.PositiveSmallIntegerField(null=True, blank=True)
    manifest_id = models.CharField(max_length=80)
    step_name = models.CharField(max_length=80)
    step_version = models.CharField(max_length=20)
    seconds = models.FloatField(null=True, blank=True)
    is_reused = models.BooleanField(default=False)

    class Meta:
        """Each stage of a grade once per run."""

        ordering = ["position"]
        constraints = [models.UniqueConstraint(fields=["run", "stage", "grade"], name="analysis_stage_once")]

    def __str__(self) -> str:
        return f"{self.stage} {self.grade or ''}".strip()
