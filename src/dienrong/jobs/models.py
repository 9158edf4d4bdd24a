"""A job: long work in the background, with its progress, its signs of life and its outcome."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from dienrong.core import clock


class State(models.TextChoices):
    """Where a job stands."""

    QUEUED = "queued", _("Waiting")
    RUNNING = "running", _("Running")
    DONE = "done", _("Finished")
    FAILED = "failed", _("Failed")
    CANCELLED = "cancelled", _("Cancelled")


ACTIVE = (State.QUEUED, State.RUNNING)
ENDED = (State.DONE, State.FAILED, State.CANCELLED)


class Job(models.Model):
    """The one truth about a piece of background work; the queue only carries tickets that point here.

    ``ticket`` grows with every hand-over to the queue. A worker may start the job only with the present
    ticket, so a second delivery of an old one is harmless. ``attempts`` counts starts.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    kind = models.CharField(_("kind"), max_length=80)
    params = models.JSONField(_("parameters"), default=dict)
    params_hash = models.CharField(max_length=64, editable=False)
    state = models.CharField(_("state"), max_length=10, choices=State.choices, default=State.QUEUED)
    progress = models.FloatField(_("progress"), default=0.0)
    stage = models.CharField(_("stage"), max_length=200, blank=True)
    ticket = models.PositiveIntegerField(default=1)
    task_id = models.CharField(max_length=40, blank=True)
    worker = models.CharField(max_length=100, blank=True)
    heartbeat_at = models.DateTimeField(null=True)
    attempts = models.PositiveIntegerField(default=0)
    cancel_requested_at = models.DateTimeField(null=True)
    result = models.JSONField(_("result"), null=True)
    error = models.TextField(_("reason of failure"), blank=True)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="jobs", verbose_name=_("by")
    )
    created_at = models.DateTimeField(_("requested"), default=clock.now)
    started_at = models.DateTimeField(_("started"), null=True)
    finished_at = models.DateTimeField(_("finished"), null=True)

    class Meta:
        verbose_name = _("job")
        verbose_name_plural = _("jobs")
        ordering = ["-created_at", "-id"]
        indexes = [
            models.Index(fields=["state", "heartbeat_at"]),
            models.Index(fields=["created_by", "-created_at"]),
            models.Index(fields=["-created_at"]),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["kind", "params_hash"],
                condition=models.Q(state__in=("queued", "running")),
                name="jobs_job_same_work_once_at_a_time",
            ),
            models.CheckConstraint(
                condition=models.Q(progress__gte=0.0, progress__lte=1.0), name="jobs_job_progress_is_share"
            ),
            models.CheckConstraint(condition=models.Q(state__in=State.values), name="jobs_job_state_known"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.id}"

    @property
    def is_active(self) -> bool:
        """Whether it waits or runs."""
        return self.state in ACTIVE


class Night(models.Model):
    """That the work of one kind was asked for in one night; the constraint lets one worker of many ask."""

    kind = models.CharField(_("kind"), max_length=80)
    day = models.DateField(_("day"))

    class Meta:
        verbose_name = _("night")
        verbose_name_plural = _("nights")
        ordering = ["-day", "kind"]
        constraints = [models.UniqueConstraint(fields=["kind", "day"], name="jobs_night_asked_once")]

    def __str__(self) -> str:
        return f"{self.kind} {self.day}"


class JobLine(models.Model):
    """One line of a job's log."""

    job = models.ForeignKey(Job, models.CASCADE, related_name="lines")
    at = models.DateTimeField(default=clock.now)
    text = models.CharField(max_length=1000)
    is_detail = models.BooleanField(default=False)

    class Meta:
        verbose_name = _("log line")
        verbose_name_plural = _("log lines")
        ordering = ["id"]

    def __str__(self) -> str:
        return self.text
