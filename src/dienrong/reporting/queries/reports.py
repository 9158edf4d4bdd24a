"""Reads of publications and comparisons; what may be read is decided here, once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.db.models import Max, QuerySet
from django.db.models.functions import Abs

from dienrong.accounts import permissions
from dienrong.analysis import queries as runs
from dienrong.analysis.models import AnalysisRun
from dienrong.core import clock
from dienrong.cycles.models import Cycle
from dienrong.cycles.queries import all_cycles
from dienrong.registry.queries import province_names, region_names
from dienrong.reporting.models import ComparisonRow, Publication
from dienrong.reporting.numeric import Source, Wording


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadableReport:
    """A report that the reader may open: the published one, or the newest for the ministry."""

    cycle: Cycle
    run: AnalysisRun
    publication: Publication | None

    @property
    def source(self) -> Source:
        """The estimates that the pages rest on."""
        return Source(
            store_path=runs.store_path(self.cycle),
            manifest_ids=runs.manifests_of(self.run, "estimates"),
            report_id=runs.manifests_of(self.run, "report")[0],
        )

    def wording(self, language: str) -> Wording:
        """The language, the names of places and the title of the cycle."""
        names = {**province_names(clock.today()), **region_names()}
        title = self.cycle.name_en if language == "en" else self.cycle.name_vi
        return Wording(language=language, names=tuple(sorted(names.items())), cycle_title=title)


def publication_in_force(cycle: Cycle) -> Publication | None:
    """Give the publication of a cycle that holds now."""
    rows = Publication.objects.filter(cycle=cycle, withdrawn_at__isnull=True)
    return rows.select_related("run", "run__requested_by").first()


def readable_report(user: Any, cycle: Cycle) -> ReadableReport | None:
    """Give the report of a cycle that a person may read, or None.

    Everyone reads what is published. Before that the ministry alone reads the newest run that is done.
    """
    publication = publication_in_force(cycle)
    if publication is not None:
        return ReadableReport(cycle=cycle, run=publication.run, publication=publication)
    if not permissions.may(user, "view_unpublished_report"):
        return None
    run = runs.last_done(cycle)
    return ReadableReport(cycle=cycle, run=run, publication=None) if run else None


def readable_reports(user: Any) -> list[ReadableReport]:
    """List the reports that a person may read, the newest cycle first."""
    found = (readable_report(user, cycle) for cycle in all_cycles())
    return [report for report in found if report is not None]


def newer_run(report: ReadableReport) -> AnalysisRun | None:
    """Give a run that was done after the published one, if there is one."""
    last = runs.last_done(report.cycle)
    return last if last is not None and last.pk != report.run.pk else None


def comparison_rows(study: str = "") -> QuerySet[ComparisonRow]:
    """List the comparison with real studies, of one study or of all."""
    rows = ComparisonRow.objects.all()
    return rows.filter(study=study) if study else rows


def comparison_studies() -> list[str]:
    """Name the studies that were compared."""
    return sorted(ComparisonRow.objects.order_by().values_list("study", flat=True).distinct())


def largest_difference(study: str = "") -> float:
    """Give the largest absolute difference of the comparison, 0 where nothing was compared."""
    return comparison_rows(study).aggregate(most=Max(Abs("difference")))["most"] or 0.0
