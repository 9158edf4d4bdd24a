"""Writes of runs; each is one transaction with its permission and its audit entry inside."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.db.models import Max
from django.utils.translation import gettext as _

from dienrong.accounts.permissions import demand
from dienrong.analysis import numeric, queries
from dienrong.analysis.models import AnalysisRun, RunStage
from dienrong.audit.operations import record
from dienrong.core import clock
from dienrong.core.refusals import Conflict, Refusal
from dienrong.cycles.models import Cycle
from dienrong.cycles.operations import StageOutput, register_artefacts
from dienrong.jobs.operations import enqueue

STATE = AnalysisRun.State
JOB_KIND = "analysis.run_cycle"


class OptionsRefused(Refusal):
    """The pipeline cannot be run with these options."""

    code = "analysis.options_refused"


@dataclass(frozen=True, slots=True, kw_only=True)
class RunOptions:
    """What a person asks of a run."""

    size: str
    seed: int
    n_schools_per_province: int | None = None
    n_students: int | None = None


@transaction.atomic
def request_run(
    *,
    cycle: Cycle,
    options: RunOptions,
    by: Any | None,
    in_background: bool = True,
) -> AnalysisRun:
    """Write down a run with its frozen options and put its job into the queue, unless the caller runs it.

    Invariant: a cycle has at most one run that waits or runs; the run, its job and the audit entry appear
    together or not at all.

    Raises
    ------
    Conflict
        If a run of this cycle waits or runs already.
    OptionsRefused
        If the pipeline refuses the options.
    """
    if by is not None:
        demand(by, "run_analysis")
    Cycle.objects.select_for_update().get(pk=cycle.pk)
    settle_runs(cycle=cycle)
    if queries.open_run(cycle) is not None:
        raise Conflict(
            _("A run of this cycle is under way."), hint=_("Wait until it is done, or cancel it first.")
        )
    request = numeric.RunRequest(
        size=options.size,
        seed=options.seed,
        grades=tuple(cycle.grades.values_list("grade", flat=True)),
        n_schools_per_province=options.n_schools_per_province,
        n_students=options.n_students,
        suppression_rules=cycle.suppression_rules,
    )
    refusal = numeric.refusal_of(request)
    if refusal:
        raise OptionsRefused(refusal)
    last = AnalysisRun.objects.filter(cycle=cycle).aggregate(last=Max("number"))["last"] or 0
    run = AnalysisRun.objects.create(
        cycle=cycle,
        number=last + 1,
        size=options.size,
        seed=options.seed,
        n_schools_per_province=options.n_schools_per_province,
        n_students=options.n_students,
        options_hash=request.fingerprint,
        software_version=numeric.SOFTWARE_VERSION,
        requested_by=by,
        requested_at=clock.now(),
    )
    if in_background:
        run.job_id = str(enqueue(JOB_KIND, {"run_id": run.pk}, by=by).pk)
        run.save(update_fields=["job_id"])
    record(
        action="analysis.run_requested",
        actor=by,
        obj=run,
        after={"number": run.number, "size": run.size, "seed": run.seed, "options": run.options_hash},
    )
    return run


def execute_run(run: AnalysisRun, *, progress: Callable[[str, float], None]) -> AnalysisRun:
    """Run the pipeline for a run and keep what it left.

    May be called again after a crash: stages that are stored are reused, so nothing is computed twice.
    """
    if not _start(run):
        return run
    watch = numeric.Watch(now=clock.now, seconds=clock.monotonic_seconds, progress=progress)
    who = run.requested_by.username if run.requested_by else "system"
    outcome = numeric.run_cycle(queries.store_path(run.cycle), queries.request_of(run), who=who, watch=watch)
    _finish(run, outcome)
    return run


@transaction.atomic
def _start(run: AnalysisRun) -> bool:
    """Mark a run as running; False where it is done already. A failed one may be tried again."""
    kept = AnalysisRun.objects.select_for_update().get(pk=run.pk)
    if kept.state == STATE.DONE:
        return False
    run.state, run.started_at = STATE.RUNNING, kept.started_at or clock.now()
    run.save(update_fields=["state", "started_at"])
    return True


@transaction.atomic
def _finish(run: AnalysisRun, outcome: numeric.RunOutcome) -> None:
    """Keep how a run ended; a run that is done puts its artefacts behind the steps of its cycle."""
    run.finished_at = clock.now()
    run.refusal = outcome.refusal
    run.state = STATE.FAILED if outcome.refusal else STATE.DONE
    run.save(update_fields=["state", "refusal", "finished_at"])
    RunStage.objects.filter(run=run).delete()
    RunStage.objects.bulk_create(
        RunStage(
            run=run,
            position=position,
            stage=stage.stage,
            grade=stage.grade,
            manifest_id=stage.manifest_id,
            step_name=stage.step,
            step_version=stage.version,
            seconds=stage.seconds,
            is_reused=stage.is_reused,
        )
        for position, stage in enumerate(outcome.stages, start=1)
    )
    if run.state == STATE.DONE:
        register_artefacts(cycle=run.cycle, outputs=_step_outputs(outcome), by=run.requested_by)
    record(
        action=f"analysis.run_{run.state}",
        actor=run.requested_by,
        obj=run,
        after={"number": run.number, "state": run.state, "refusal": run.refusal},
    )


def _step_outputs(outcome: numeric.RunOutcome) -> list[StageOutput]:
    """List the outputs of all stages as the cycle takes them."""
    return [
        StageOutput(
            stage=stage.stage,
            grade=stage.grade,
            role=output.role,
            kind=output.kind,
            manifest_id=stage.manifest_id,
            artefact_hash=output.hash,
            n_rows=output.n_rows,
            n_bytes=output.n_bytes,
            step_version=stage.version,
        )
        for stage in outcome.stages
        for output in stage.outputs
    ]


def settle_runs(*, cycle: Cycle) -> None:
    """End the runs whose job ended without them: cancelled before its start, or given up."""
    for run in queries.open_runs(cycle):
        if run.job_id and not queries.is_under_way(run):
            cancel_run(run=run, by=None)


def end_open_runs(*, cycle: Cycle, by: Any | None) -> None:
    """End every run of a cycle that waits or runs, for a caller that knows nobody works on it any more."""
    for run in queries.open_runs(cycle):
        cancel_run(run=run, by=by)


@transaction.atomic
def cancel_run(*, run: AnalysisRun, by: Any | None) -> None:
    """End a run that has not begun, that was stopped, or whose job was given up."""
    if by is not None:
        demand(by, "run_analysis")
    kept = AnalysisRun.objects.select_for_update().get(pk=run.pk)
    if kept.state in {STATE.QUEUED, STATE.RUNNING}:
        kept.state, kept.finished_at = STATE.CANCELLED, clock.now()
        kept.save(update_fields=["state", "finished_at"])
        record(action="analysis.run_cancelled", actor=by, obj=kept, after={"number": kept.number})
