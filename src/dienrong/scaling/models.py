"""Studies of one subject: their frozen data, what was decided of each item, and the runs with what they left.

Data are sent and matched as a draft, then frozen: hashes of artefacts in the cycle's store, never written again. A
decision is never changed; it is withdrawn and another is taken. A run keeps the options and decisions it was made with.
"""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from dienrong.core.models import TimestampedModel


class ScalingStudy(TimestampedModel):
    """The scaling of one subject in one cycle; ``previous`` is the study whose scale it continues."""

    cycle = models.ForeignKey("cycles.Cycle", on_delete=models.PROTECT, related_name="scaling_studies")
    number = models.PositiveIntegerField()
    title = models.CharField(_("title"), max_length=160)
    subject = models.CharField(_("subject of the study"), max_length=80)
    grade = models.PositiveSmallIntegerField(_("grade"), null=True, blank=True)
    previous = models.ForeignKey(
        "self", null=True, blank=True, on_delete=models.PROTECT, related_name="continued_by"
    )
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )

    class Meta:
        """Studies of a cycle are numbered from 1; the last comes first."""

        verbose_name = _("study")
        verbose_name_plural = _("studies")
        ordering = ["-created_at", "-pk"]
        constraints = [
            models.UniqueConstraint(fields=["cycle", "number"], name="scaling_study_number_once"),
            models.UniqueConstraint(fields=["cycle", "title"], name="scaling_study_title_once"),
            models.CheckConstraint(
                condition=Q(previous__isnull=True) | ~Q(previous=models.F("pk")),
                name="scaling_study_not_its_own_previous",
            ),
        ]

    def __str__(self) -> str:
        return self.title


class StudyData(TimestampedModel):
    """Data of a study: a draft while columns are matched, then frozen; the frozen one with the highest number is used.

    ``files`` holds, by role (responses, items, students), the name of the file sent and the name it is kept under;
    ``mapping`` which column plays which role; ``artefacts`` the hash and size of each frozen table by role;
    ``counts`` what the page says of them.
    """

    class State(models.TextChoices):
        """A draft may be thrown away; what is frozen stays."""

        DRAFT = "draft", _("Being prepared")
        FROZEN = "frozen", _("Data are frozen")

    class Source(models.TextChoices):
        """Where the responses come from."""

        RUN = "run", _("A run of the cycle")
        FILES = "files", _("Files")

    study = models.ForeignKey(ScalingStudy, on_delete=models.CASCADE, related_name="data")
    number = models.PositiveIntegerField()
    state = models.CharField(max_length=6, choices=State.choices, default=State.DRAFT)
    source = models.CharField(max_length=5, choices=Source.choices)
    run = models.ForeignKey(
        "analysis.AnalysisRun", null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    files = models.JSONField(_("files"), default=dict)
    mapping = models.JSONField(_("columns"), default=dict)
    artefacts = models.JSONField(_("artefacts"), default=dict)
    counts = models.JSONField(_("counts"), default=dict)
    frozen_at = models.DateTimeField(null=True, blank=True)
    frozen_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )

    class Meta:
        """One draft at a time; what is frozen has its moment."""

        verbose_name = _("data of a study")
        verbose_name_plural = _("data of studies")
        ordering = ["-number"]
        constraints = [
            models.UniqueConstraint(fields=["study", "number"], name="scaling_data_number_once"),
            models.UniqueConstraint(
                fields=["study"], condition=Q(state="draft"), name="scaling_one_draft_of_data"
            ),
            models.CheckConstraint(
                condition=Q(state="draft", frozen_at__isnull=True)
                | Q(state="frozen", frozen_at__isnull=False),
                name="scaling_frozen_data_has_its_moment",
            ),
            models.CheckConstraint(
                condition=Q(source="run", run__isnull=False) | Q(source="files", run__isnull=True),
                name="scaling_data_names_its_source",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.study_id} #{self.number}"


class ItemDecision(models.Model):
    """What was decided of an item, why, by whom; ``details`` names the scores that are joined or the groups."""

    class Kind(models.TextChoices):
        """What may be decided; "keep" says that the item was looked at and stays as it is."""

        DROP = "drop", _("Leave the item out")
        COLLAPSE = "collapse", _("Join categories")
        FREE = "free", _("Own parameters for groups")
        KEEP = "keep", _("Keep as it is")

    study = models.ForeignKey(ScalingStudy, on_delete=models.CASCADE, related_name="decisions")
    item = models.CharField(_("item"), max_length=80)
    kind = models.CharField(_("decision"), max_length=8, choices=Kind.choices)
    details = models.JSONField(_("details"), default=dict)
    reason = models.CharField(_("reason"), max_length=500)
    run = models.ForeignKey(
        "ScalingRun", null=True, blank=True, on_delete=models.PROTECT, related_name="decisions_taken"
    )
    taken_at = models.DateTimeField()
    taken_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    withdrawn_at = models.DateTimeField(null=True, blank=True)
    withdrawn_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )

    class Meta:
        """Each kind holds once for an item, but for sets of groups with own parameters; the last comes first."""

        verbose_name = _("decision")
        verbose_name_plural = _("decisions")
        ordering = ["-taken_at", "-pk"]
        indexes = [models.Index(fields=["study", "item"], name="scaling_decisions_of_item")]
        constraints = [
            models.UniqueConstraint(
                fields=["study", "item", "kind"],
                condition=Q(withdrawn_at__isnull=True) & ~Q(kind="free"),
                name="scaling_decision_holds_once",
            ),
            models.CheckConstraint(
                condition=Q(kind__in=["drop", "collapse", "free", "keep"]),
                name="scaling_decision_kind_known",
            ),
            models.CheckConstraint(condition=~Q(reason=""), name="scaling_decision_has_its_reason"),
        ]

    def __str__(self) -> str:
        return f"{self.item}: {self.kind}"


class ScalingRun(models.Model):
    """One run of the scaling: data, options and decisions as they stood, and how it ended.

    ``linked_to`` is the run of an earlier study whose items and scale are held; ``summary`` a few figures for lists.
    """

    class State(models.TextChoices):
        """The life of a run; the background job behind it may be tried more than once."""

        QUEUED = "queued", _("Waiting")
        RUNNING = "running", _("Running")
        DONE = "done", _("Done")
        FAILED = "failed", _("Refused by the statistics")
        CANCELLED = "cancelled", _("Cancelled")

    study = models.ForeignKey(ScalingStudy, on_delete=models.PROTECT, related_name="runs")
    number = models.PositiveIntegerField()
    data = models.ForeignKey(StudyData, on_delete=models.PROTECT, related_name="runs")
    linked_to = models.ForeignKey(
        "self", null=True, blank=True, on_delete=models.PROTECT, related_name="linked_from"
    )
    options = models.JSONField(_("options"), default=dict)
    decisions = models.JSONField(_("decisions"), default=list)
    options_hash = models.CharField(max_length=80)
    software_version = models.CharField(max_length=40)
    state = models.CharField(max_length=10, choices=State.choices, default=State.QUEUED)
    refusal = models.TextField(blank=True)
    summary = models.JSONField(default=dict)
    job_id = models.CharField(max_length=40, blank=True)
    requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    requested_at = models.DateTimeField()
    started_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        """Runs of a study are numbered from 1; the last comes first; one at a time."""

        verbose_name = _("scaling run")
        verbose_name_plural = _("scaling runs")
        ordering = ["-requested_at", "-pk"]
        constraints = [
            models.UniqueConstraint(fields=["study", "number"], name="scaling_run_number_once"),
            models.UniqueConstraint(
                fields=["study"],
                condition=Q(state__in=["queued", "running"]),
                name="scaling_one_run_under_way",
            ),
            models.CheckConstraint(
                condition=Q(state__in=["queued", "running", "done", "failed", "cancelled"]),
                name="scaling_run_state_known",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.study_id} #{self.number}"


class RunStage(models.Model):
    """What one stage of a scaling run left: its manifest, and whether an earlier result was reused."""

    run = models.ForeignKey(ScalingRun, on_delete=models.CASCADE, related_name="stages")
    position = models.PositiveSmallIntegerField()
    stage = models.CharField(max_length=30)
    manifest_id = models.CharField(max_length=80)
    step_name = models.CharField(max_length=80)
    step_version = models.CharField(max_length=20)
    seconds = models.FloatField(null=True, blank=True)
    is_reused = models.BooleanField(default=False)

    class Meta:
        """Each stage once per run, in order."""

        ordering = ["position"]
        constraints = [models.UniqueConstraint(fields=["run", "stage"], name="scaling_stage_once")]

    def __str__(self) -> str:
        return self.stage
