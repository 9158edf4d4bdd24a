"""Reads of the room; who may ask which run, and for which variables, is decided here, once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from dienrong.accounts import permissions
from dienrong.analysis import queries as runs
from dienrong.analysis.models import AnalysisRun
from dienrong.core import clock
from dienrong.cycles.models import Cycle
from dienrong.cycles.queries import all_cycles
from dienrong.explorer.models import KeptAnswer
from dienrong.explorer.numeric import Source
from dienrong.registry.queries import province_names, region_names
from dienrong.reporting import queries as reports
from dienrong.reporting.models import Publication

STAGES = ("values", "weights", "administration", "estimates")


@dataclass(frozen=True, slots=True, kw_only=True)
class Askable:
    """A run that a person may ask."""

    cycle: Cycle
    run: AnalysisRun
    publication: Publication | None
    newest: AnalysisRun | None
    with_restricted: bool

    @property
    def is_published(self) -> bool:
        """Whether the run is the published one."""
        return self.publication is not None and self.publication.run_id == self.run.pk

    @property
    def source(self) -> Source | None:
        """The artefacts of the run; None where it left too few to be asked."""
        found = {stage: runs.manifests_of(self.run, stage) for stage in STAGES}
        grades = self.run.stages.filter(stage="estimates").order_by("grade").values_list("grade", flat=True)
        populations = tuple(f"grade{grade}" for grade in grades)
        if not populations or any(len(manifests) != len(populations) for manifests in found.values()):
            return None
        return Source(
            store_path=runs.store_path(self.cycle),
            populations=populations,
            rules=self.cycle.suppression_rules,
            **found,
        )


def sees_unpublished(user: Any) -> bool:
    """Tell whether a person may ask runs that are not published, and restricted variables."""
    return bool(permissions.may(user, "view_unpublished_report"))


def askable(user: Any, cycle: Cycle, *, wants_newest: bool = False) -> Askable | None:
    """Give the run of a cycle that a person may ask, or None.

    Everyone asks the published run. The ministry alone may ask the newest run instead, and restricted variables;
    officers of provinces see no more than the public.
    """
    is_inside = sees_unpublished(user)
    report = reports.readable_report(user, cycle)
    if report is None:
        return None
    newest = runs.last_done(cycle) if is_inside else None
    run = newest if wants_newest and newest is not None else report.run
    return Askable(
        cycle=cycle,
        run=run,
        publication=report.publication,
        newest=newest if newest is not None and newest.pk != report.run.pk else None,
        with_restricted=is_inside,
    )


def first_askable(user: Any) -> Askable | None:
    """Give the newest cycle that a person may ask."""
    found = (askable(user, cycle) for cycle in all_cycles())
    return next((one for one in found if one is not None), None)


def askable_cycles(user: Any) -> list[Cycle]:
    """List the cycles that a person may ask, the newest first."""
    return [report.cycle for report in reports.readable_reports(user)]


def names_of_places() -> dict[str, str]:
    """Give the names of provinces and regions by their codes."""
    return {**province_names(clock.today()), **region_names()}


def kept_answer(key: str) -> KeptAnswer | None:
    """Give a kept answer, whoever asks; `may_read_kept` says who may read it."""
    rows = KeptAnswer.objects.select_related("cycle", "run", "kept_by")
    return rows.filter(key=key).first()


def may_read_kept(user: Any, kept: KeptAnswer) -> bool:
    """Tell whether a person may read a kept answer.

    The public reads those on public variables of a run that was published, as long as the cycle has a report in
    force: a newer publication leaves old links as they are, a withdrawal without a new report closes them.
    """
    if sees_unpublished(user):
        return True
    was_published = Publication.objects.filter(run_id=kept.run_id).exists()
    return kept.is_public and was_published and reports.publication_in_force(kept.cycle) is not None


def publication_of(kept: KeptAnswer) -> Publication | None:
    """Give the publication that holds now of the cycle of a kept answer."""
    return reports.publication_in_force(kept.cycle)
