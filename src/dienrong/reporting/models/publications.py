"""Publications of a cycle's report, and stored comparisons with real studies."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q


class Publication(models.Model):
    """The act of publishing the report of one run; at most one is in force per cycle."""

    cycle = models.ForeignKey("cycles.Cycle", on_delete=models.PROTECT, related_name="publications")
    run = models.ForeignKey("analysis.AnalysisRun", on_delete=models.PROTECT, related_name="publications")
    published_at = models.DateTimeField()
    published_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="publications"
    )
    withdrawn_at = models.DateTimeField(null=True, blank=True)
    withdrawn_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="withdrawals"
    )

    class Meta:
        """The last publication comes first."""

        ordering = ["-published_at"]
        constraints = [
            models.UniqueConstraint(
                fields=["cycle"],
                condition=Q(withdrawn_at__isnull=True),
                name="reporting_one_publication_in_force",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.cycle_id}: {self.published_at:%Y-%m-%d}"


class ComparisonRow(models.Model):
    """One statistic of a real study: ours beside the published or peer value."""

    study = models.CharField(max_length=40)
    group = models.CharField(max_length=120)
    statistic = models.CharField(max_length=60)
    estimate = models.FloatField()
    standard_error = models.FloatField(null=True)
    reference_estimate = models.FloatField()
    reference_standard_error = models.FloatField(null=True)
    difference = models.FloatField()
    peer = models.CharField(max_length=120)
    position = models.PositiveIntegerField()
    stored_at = models.DateTimeField()

    class Meta:
        """Rows keep the order of the comparison."""

        ordering = ["position"]

    def __str__(self) -> str:
        return f"{self.study} {self.group} {self.statistic}"
