"""Writes of the reporting room; each is one transaction with its permission and its audit entry inside."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from dienrong.accounts.permissions import demand
from dienrong.analysis.models import AnalysisRun
from dienrong.audit.operations import record
from dienrong.core import clock
from dienrong.core.recording import ObjectName
from dienrong.core.refusals import Conflict
from dienrong.cycles.models import Cycle, CycleStep
from dienrong.cycles.operations import change_step, set_phase
from dienrong.reporting.models import ComparisonRow, Publication
from dienrong.reporting.numeric import Comparison

REVIEW_STEP, PUBLISH_STEP, FEEDBACK_STEP = 12, 13, 14


@transaction.atomic
def publish_report(*, run: AnalysisRun, by: Any | None) -> Publication:
    """Publish the report of a run: from now on everyone reads it, with the way back of each figure.

    Invariant: at most one publication of a cycle is in force; the earlier one is withdrawn in the same
    transaction, and stays on record.

    Raises
    ------
    Conflict
        If the run is not done, or is the published one already.
    """
    if by is not None:
        demand(by, "publish_report")
    if run.state != AnalysisRun.State.DONE:
        raise Conflict(
            _("Only a run that is done can be published."), hint=_("Wait for the run, or choose another.")
        )
    cycle = Cycle.objects.select_for_update().get(pk=run.cycle_id)
    before = Publication.objects.filter(cycle=cycle, withdrawn_at__isnull=True).first()
    if before is not None and before.run_id == run.pk:
        raise Conflict(_("The report of this run is published already."))
    if before is not None:
        _withdraw(before, by)
    publication = Publication.objects.create(cycle=cycle, run=run, published_at=clock.now(), published_by=by)
    record(
        action="reporting.published",
        actor=by,
        obj=publication,
        before=before and {"run": before.run.number},
        after={"run": run.number},
    )
    set_phase(cycle=cycle, phase=Cycle.Phase.PUBLISHED, by=by)
    _move_steps(cycle, by)
    return publication


def _move_steps(cycle: Cycle, by: Any | None) -> None:
    """Close review and publication, open the collection of feedback."""
    moves = {
        REVIEW_STEP: CycleStep.State.DONE,
        PUBLISH_STEP: CycleStep.State.DONE,
        FEEDBACK_STEP: CycleStep.State.IN_PROGRESS,
    }
    for step in cycle.steps.filter(number__in=moves):
        if step.state != CycleStep.State.DONE:
            change_step(step=step, state=moves[step.number], note=step.note, by=by, seen_at=step.changed_at)


@transaction.atomic
def withdraw_report(*, cycle: Cycle, by: Any | None) -> None:
    """Withdraw the report of a cycle: only the ministry reads it from now on.

    Raises
    ------
    Conflict
        If nothing is published.
    """
    if by is not None:
        demand(by, "publish_report")
    kept = Publication.objects.select_for_update().filter(cycle=cycle, withdrawn_at__isnull=True).first()
    if kept is None:
        raise Conflict(_("No report of this cycle is published."))
    _withdraw(kept, by)
    set_phase(cycle=cycle, phase=Cycle.Phase.ANALYSIS, by=by)


def _withdraw(publication: Publication, by: Any | None) -> None:
    """End a publication."""
    publication.withdrawn_at, publication.withdrawn_by = clock.now(), by
    publication.save(update_fields=["withdrawn_at", "withdrawn_by"])
    record(action="reporting.withdrawn", actor=by, obj=publication, after={"run": publication.run.number})


@transaction.atomic
def store_comparison(*, rows: Iterable[Comparison], by: Any | None) -> int:
    """Keep the comparison with real studies in place of the one before."""
    now = clock.now()
    kept = [
        ComparisonRow(
            study=row.study,
            group=row.group,
            statistic=row.statistic,
            estimate=row.estimate,
            standard_error=row.standard_error,
            reference_estimate=row.reference_estimate,
            reference_standard_error=row.reference_standard_error,
            difference=row.difference,
            peer=row.peer,
            position=position,
            stored_at=now,
        )
        for position, row in enumerate(rows, start=1)
    ]
    ComparisonRow.objects.all().delete()
    ComparisonRow.objects.bulk_create(kept, batch_size=500)
    record(
        action="reporting.comparison_stored",
        actor=by,
        obj=ObjectName(kind="reporting.comparison", key="real_data"),
        after={"n_rows": len(kept)},
    )
    return len(kept)
