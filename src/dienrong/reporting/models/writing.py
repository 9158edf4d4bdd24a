"""The text of a province's report: headings with their versions, quoted figures, measures, and what was frozen."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from dienrong.core.models import TimestampedModel

PERSON = settings.AUTH_USER_MODEL


class ProvincialText(TimestampedModel):
    """What a department of education writes about one cycle in its province."""

    class State(models.TextChoices):
        """Where the text stands between the drafter and the head."""

        DRAFT = "draft", _("Being written")
        HANDED_OVER = "handed_over", _("Waiting for approval")
        FINAL = "final", _("Approved")

    cycle = models.ForeignKey("cycles.Cycle", on_delete=models.PROTECT, related_name="provincial_texts")
    province_code = models.CharField(_("province"), max_length=10)
    state = models.CharField(_("state"), max_length=12, choices=State.choices, default=State.DRAFT)
    handed_to = models.ForeignKey(PERSON, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    handed_by = models.ForeignKey(PERSON, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    handed_at = models.DateTimeField(_("handed over"), null=True, blank=True)
    note = models.CharField(_("note"), max_length=1000, blank=True)
    noted_by = models.ForeignKey(PERSON, null=True, blank=True, on_delete=models.PROTECT, related_name="+")

    class Meta:
        """One text for a province and cycle; what waits for approval waits for somebody."""

        verbose_name = _("text of a province")
        verbose_name_plural = _("texts of provinces")
        ordering = ["cycle", "province_code"]
        constraints = [
            models.UniqueConstraint(
                fields=["cycle", "province_code"], name="reporting_one_text_of_a_province"
            ),
            models.CheckConstraint(
                condition=~Q(state="handed_over") | Q(handed_to__isnull=False, handed_by__isnull=False),
                name="reporting_handed_over_to_somebody",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.cycle_id}/{self.province_code}"


class TextSection(models.Model):
    """The present words under one heading; ``edition`` counts the saves, ``changed_in`` names the tab of the last one.

    So two tabs notice each other, and a tab that never heard that its save had come through may save again.
    """

    text = models.ForeignKey(ProvincialText, on_delete=models.PROTECT, related_name="sections")
    key = models.CharField(_("heading"), max_length=20)
    body = models.TextField(_("words"), blank=True)
    edition = models.PositiveIntegerField(default=0)
    changed_in = models.CharField(max_length=32, blank=True)
    changed_at = models.DateTimeField(null=True, blank=True)
    changed_by = models.ForeignKey(PERSON, null=True, blank=True, on_delete=models.PROTECT, related_name="+")

    class Meta:
        """One section for a heading."""

        ordering = ["text", "pk"]
        constraints = [
            models.UniqueConstraint(fields=["text", "key"], name="reporting_one_section_of_a_heading")
        ]

    def __str__(self) -> str:
        return f"{self.text_id}/{self.key}"


class TextVersion(models.Model):
    """What stood under a heading at a moment; saves of one person within some minutes are one version."""

    class Kind(models.TextChoices):
        """How a version came about."""

        WRITTEN = "written", _("Written")
        CONFLICT = "conflict", _("Written at the same time")
        RESTORED = "restored", _("Brought back")

    section = models.ForeignKey(TextSection, on_delete=models.PROTECT, related_name="versions")
    number = models.PositiveIntegerField()
    kind = models.CharField(max_length=8, choices=Kind.choices, default=Kind.WRITTEN)
    body = models.TextField(blank=True)
    base_edition = models.PositiveIntegerField(default=0)
    begun_at = models.DateTimeField()
    made_at = models.DateTimeField()
    made_by = models.ForeignKey(PERSON, on_delete=models.PROTECT, related_name="+")
    settled_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        """The newest version comes first."""

        ordering = ["-number"]
        constraints = [
            models.UniqueConstraint(fields=["section", "number"], name="reporting_versions_are_counted")
        ]

    def __str__(self) -> str:
        return f"{self.section_id}/{self.number}"


class Citation(models.Model):
    """A figure that the text quotes, under the mark by which it stands in the words: SL.01, SL.02, …"""

    text = models.ForeignKey(ProvincialText, on_delete=models.PROTECT, related_name="citations")
    number = models.PositiveSmallIntegerField()
    key = models.CharField(max_length=200)
    figure_id = models.CharField(max_length=200, blank=True)
    source = models.CharField(max_length=200, blank=True)
    language = models.CharField(max_length=2)
    sentence = models.TextField()
    run = models.ForeignKey("analysis.AnalysisRun", on_delete=models.PROTECT, related_name="citations")
    cited_at = models.DateTimeField()
    cited_by = models.ForeignKey(PERSON, on_delete=models.PROTECT, related_name="+")

    class Meta:
        """A figure has one mark in a text."""

        ordering = ["number"]
        constraints = [
            models.UniqueConstraint(fields=["text", "number"], name="reporting_one_figure_of_a_mark"),
            models.UniqueConstraint(
                fields=["text", "key", "language"], name="reporting_one_mark_of_a_figure"
            ),
        ]

    def __str__(self) -> str:
        return self.mark

    @property
    def mark(self) -> str:
        """The mark in the text."""
        return f"SL.{self.number:02d}"


class Measure(TimestampedModel):
    """A row of what is to be done: finding, cause, proposed solution, who leads, follow-up."""

    text = models.ForeignKey(ProvincialText, on_delete=models.PROTECT, related_name="measures")
    finding = models.CharField(_("finding"), max_length=1000)
    cause = models.CharField(_("cause"), max_length=1000, blank=True)
    solution = models.CharField(_("proposed solution"), max_length=1000)
    owner = models.CharField(_("leading unit"), max_length=200)
    due = models.DateField(_("due"), null=True, blank=True)
    follow_up = models.CharField(_("follow-up"), max_length=1000, blank=True)

    class Meta:
        """Rows stand in the order in which they were written."""

        ordering = ["pk"]

    def __str__(self) -> str:
        return self.finding[:60]


class FrozenText(models.Model):
    """An approved text, kept as it was approved, with the run whose figures it quotes and a hash of both."""

    text = models.ForeignKey(ProvincialText, on_delete=models.PROTECT, related_name="frozen")
    number = models.PositiveSmallIntegerField()
    content = models.JSONField()
    sha256 = models.CharField(max_length=64)
    run = models.ForeignKey("analysis.AnalysisRun", on_delete=models.PROTECT, related_name="frozen_texts")
    report_id = models.CharField(max_length=80)
    frozen_at = models.DateTimeField()
    frozen_by = models.ForeignKey(PERSON, on_delete=models.PROTECT, related_name="+")
    drafted_by = models.ForeignKey(PERSON, on_delete=models.PROTECT, related_name="+")

    class Meta:
        """The newest comes first."""

        ordering = ["-number"]
        constraints = [
            models.UniqueConstraint(fields=["text", "number"], name="reporting_frozen_texts_are_counted")
        ]

    def __str__(self) -> str:
        return f"{self.text_id}/{self.number}"
