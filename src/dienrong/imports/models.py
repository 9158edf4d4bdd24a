"""Uploads on their way: the file, its staged rows, what was written, and what columns meant last time."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from dienrong.core import clock
from dienrong.core.row_changes import VERDICTS


class Upload(models.Model):
    """One file (or one packet of rows of a machine) on its way into the data.

    ``layout`` and the payloads of staged rows are JSON; for targets with personal data they are sealed.
    """

    class State(models.TextChoices):
        """Where it stands."""

        UPLOADED = "uploaded", _("Received")
        MATCHED = "matched", _("Columns matched")
        PREVIEWED = "previewed", _("Preview ready")
        ACCEPTED = "accepted", _("Accepted")
        UNDONE = "undone", _("Taken back")
        CANCELLED = "cancelled", _("Cancelled")

    class Source(models.TextChoices):
        """By which way it came."""

        FILE = "file", _("File")
        API = "api", _("Programme")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, related_name="uploads", verbose_name=_("by")
    )
    unit = models.CharField(_("unit"), max_length=40)
    target = models.CharField(_("kind of data"), max_length=40)
    source = models.CharField(max_length=4, choices=Source.choices, default=Source.FILE)
    state = models.CharField(_("state"), max_length=10, choices=State.choices, default=State.UPLOADED)
    file_name = models.CharField(_("file"), max_length=200)
    folder = models.CharField(max_length=40, blank=True)
    sha256 = models.CharField(max_length=64)
    size = models.PositiveBigIntegerField(_("size"))
    charset = models.CharField(max_length=10, blank=True)
    sheet = models.CharField(max_length=200, blank=True)
    layout = models.BinaryField(default=bytes)
    mapping = models.JSONField(default=dict)
    params = models.JSONField(default=dict)
    counts = models.JSONField(default=dict)
    repairs = models.JSONField(default=dict)
    notes = models.JSONField(default=list)
    fault = models.JSONField(null=True)
    scope = models.JSONField(default=dict)
    job_id = models.UUIDField(null=True)
    is_whole_only = models.BooleanField(default=False)
    created_at = models.DateTimeField(_("sent"), default=clock.now)
    previewed_at = models.DateTimeField(null=True)
    accepted_at = models.DateTimeField(null=True)
    undone_at = models.DateTimeField(null=True)
    purged_at = models.DateTimeField(null=True)

    class Meta:
        """The newest first."""

        verbose_name = _("upload")
        verbose_name_plural = _("uploads")
        ordering = ["-created_at", "-id"]
        indexes = [
            models.Index(fields=["created_by", "-created_at"]),
            models.Index(fields=["unit", "target", "sha256"]),
            models.Index(fields=["created_at"], name="imports_upload_by_age"),
        ]

    def __str__(self) -> str:
        return f"{self.target} {self.id}"

    @property
    def unit_text(self) -> tuple[str, str]:
        """Kind and code of the unit for which it was sent."""
        kind, _dot, code = self.unit.partition(":")
        return kind, code


class StagedRow(models.Model):
    """One row of a preview; ``key`` holds no personal code."""

    upload = models.ForeignKey(Upload, models.CASCADE, related_name="rows")
    number = models.PositiveIntegerField()
    part = models.PositiveSmallIntegerField(default=0)
    verdict = models.CharField(max_length=9)
    key = models.CharField(max_length=80, blank=True)
    payload = models.BinaryField()

    class Meta:
        """A row of a file stands once, or once for each part that is made of it."""

        ordering = ["number", "part"]
        indexes = [
            models.Index(fields=["upload", "verdict", "number", "part"], name="imports_row_by_verdict")
        ]
        constraints = [
            models.UniqueConstraint(fields=["upload", "number", "part"], name="imports_row_stands_once"),
            models.CheckConstraint(
                condition=models.Q(verdict__in=VERDICTS), name="imports_row_verdict_known"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.upload_id} {self.number}: {self.verdict}"


class WrittenBlock(models.Model):
    """What an accepted upload wrote, kept in blocks so that it can be taken back."""

    upload = models.ForeignKey(Upload, models.CASCADE, related_name="written")
    ordinal = models.PositiveIntegerField()
    n_rows = models.PositiveIntegerField()
    payload = models.BinaryField()

    class Meta:
        """A block stands once."""

        ordering = ["ordinal"]
        constraints = [
            models.UniqueConstraint(fields=["upload", "ordinal"], name="imports_written_block_stands_once")
        ]

    def __str__(self) -> str:
        return f"{self.upload_id} {self.ordinal}"


class MatchMemory(models.Model):
    """What the columns of a layout meant last time, for the people of one unit."""

    signature = models.CharField(max_length=64)
    target = models.CharField(max_length=40)
    unit = models.CharField(max_length=40)
    mapping = models.JSONField(default=dict)
    used_at = models.DateTimeField(default=clock.now)

    class Meta:
        """One memory for each layout, target and unit."""

        constraints = [
            models.UniqueConstraint(
                fields=["unit", "target", "signature"], name="imports_one_memory_of_a_layout"
            )
        ]

    def __str__(self) -> str:
        return f"{self.unit} {self.target}"
