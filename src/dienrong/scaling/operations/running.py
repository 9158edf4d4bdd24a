"""Runs of a study: asked for with frozen options and decisions, carried out by a job, ended."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from django.db import transaction
from django.db.models import Max
from django.utils.translation import gettext as _

from dienrong.accounts.permissions import demand
from dienrong.audit.operations import record
from dienrong.core import clock
from dienrong.core.refusals import Conflict
from dienrong.jobs.operations import enqueue
from dienrong.scaling import queries
from dienrong.scaling.models import RunStage, ScalingRun, ScalingStudy, StudyData
from dienrong.scaling.numeric import results, runs, sources
from dienrong.scaling.operations.refusals import OptionsRefused

STATE = ScalingRun.State
JOB_KIND = "scaling.run_study"
NO_LINK = "none"


def inputs_of(study: ScalingStudy, data: StudyData, linked_to: ScalingRun | None) -> dict[str, str]:
    """Give the hashes of a run's inputs; old items and scale of the run it is linked to are carried into the store."""
    found = {role: one["hash"] for role, one in data.artefacts.items()}
    if linked_to is None:
        return found
    manifests = queries.manifests_of(linked_to)
    source, target = queries.store_path(linked_to.study), queries.store_path(study)
    # After a link by a line the items on the old metric are those that the link wrote.
    places = {
        "old_items": next(
            place
            for place in (("link", "linked_parameters"), ("calibration", "item_parameters"))
            if results.output(source, manifests, *place) is not None
        ),
        "old_scale": ("values", "scale"),
    }
    hashes = {}
    for role, (stage, name) in places.items():
        if stage in manifests:
            hashes[role] = results.outputs_of(source, manifests[stage])[name][1]
    return {**found, **(hashes if source == target else sources.carry_over(source, target, hashes))}


def request_for(
    study: ScalingStudy, options: Mapping[str, Any]
) -> tuple[runs.ScalingRequest, StudyData, ScalingRun | None]:
    """Say what a run with these options would be asked to do now: newest data, decisions that hold.

    Raises
    ------
    Conflict
        If the study has no frozen data, or nothing to link to.
    """
    data = queries.data_of(study)
    if data is None:
        raise Conflict(_("This study has no data yet."), hint=_("Choose its data and freeze them first."))
    linked_to = None
    if options.get("link", NO_LINK) != NO_LINK:
        linked_to = queries.last_done(study.previous) if study.previous else None
        if linked_to is None and "old_items" not in data.artefacts:
            raise Conflict(
                _(
                    "There is nothing to link to: the study names no earlier study, and its data hold no old items."
                ),
                hint=_("Choose “no link”, or make a study that continues an earlier one."),
            )
    request = runs.ScalingRequest(
        inputs=inputs_of(study, data, linked_to), options=dict(options), decisions=decisions_of(study)
    )
    return request, data, linked_to


def decisions_of(study: ScalingStudy) -> list[dict[str, Any]]:
    """Give the decisions that hold as a run keeps them, in the order of items."""
    rows = queries.holding(study).order_by("item", "kind")
    return [{"id": one.pk, "item": one.item, "kind": one.kind, **one.details} for one in rows]


@transaction.atomic
def request_run(
    *, study: ScalingStudy, options: Mapping[str, Any], by: Any | None, in_background: bool = True
) -> ScalingRun:
    """Write down a run with frozen data, options and decisions, and put its job into the queue.

    Invariant: a study has at most one run that waits or runs; the run, its job and the audit entry appear together
    or not at all.

    Raises
    ------
    Conflict
        If a run of this study waits or runs already, or data or something to link to is missing.
    OptionsRefused
        If lsakit refuses the options.
    """
    if by is not None:
        demand(by, "run_analysis")
    held = (
        ScalingStudy.objects.select_for_update(of=("self",))
        .select_related("cycle", "previous__cycle")
        .get(pk=study.pk)
    )
    settle_runs(study=held)
    if queries.open_runs(held):
        raise Conflict(
            _("A run of this study is under way."), hint=_("Wait until it is done, or cancel it first.")
        )
    request, data, linked_to = request_for(held, options)
    refusal = runs.refusal_of(request)
    if refusal:
        raise OptionsRefused(refusal)
    last = ScalingRun.objects.filter(study=held).aggregate(last=Max("number"))["last"] or 0
    run = ScalingRun.objects.create(
        study=held,
        number=last + 1,
        data=data,
        linked_to=linked_to,
        options=dict(options),
        decisions=list(request.decisions),
        options_hash=request.fingerprint,
        software_version=runs.SOFTWARE_VERSION,
        requested_by=by,
        requested_at=clock.now(),
    )
    if in_background:
        run.job_id = str(enqueue(JOB_KIND, {"run_id": run.pk}, by=by).pk)
        run.save(update_fields=["job_id"])
    record(
        action="scaling.run_requested",
        actor=by,
        obj=held,
        after={
            "number": run.number,
            "options": run.options,
            "decisions": run.decisions,
            "hash": run.options_hash,
        },
    )
    return run


def request_of(run: ScalingRun) -> runs.ScalingRequest:
    """Give what a run was asked to do, from what it keeps."""
    return runs.ScalingRequest(
        inputs=inputs_of(run.study, run.data, run.linked_to), options=run.options, decisions=run.decisions
    )


def execute_run(run: ScalingRun, *, progress: Callable[[str, float], None]) -> ScalingRun:
    """Run the scaling and keep what it left.

    May be called again after a crash: stages that are stored are reused, so nothing is computed twice.
    """
    if not _start(run):
        return run
    watch = runs.Watch(now=clock.now, seconds=clock.monotonic_seconds, progress=progress)
    who = run.requested_by.username if run.requested_by else "system"
    outcome = runs.run(queries.store_path(run.study), request_of(run), who=who, watch=watch)
    _finish(run, outcome)
    return run


@transaction.atomic
def _start(run: ScalingRun) -> bool:
    """Mark a run as running; False where it is done already. A refused one may be tried again."""
    kept = ScalingRun.objects.select_for_update().get(pk=run.pk)
    if kept.state == STATE.DONE:
        return False
    run.state, run.started_at = STATE.RUNNING, kept.started_at or clock.now()
    run.save(update_fields=["state", "started_at"])
    return True


@transaction.atomic
def _finish(run: ScalingRun, outcome: runs.RunOutcome) -> None:
    """Keep how a run ended."""
    run.finished_at = clock.now()
    run.refusal = outcome.refusal
    run.summary = outcome.summary
    run.state = STATE.FAILED if outcome.refusal else STATE.DONE
    run.save(update_fields=["state", "refusal", "summary", "finished_at"])
    RunStage.objects.filter(run=run).delete()
    RunStage.objects.bulk_create(
        RunStage(
            run=run,
            position=position,
            stage=stage.stage,
            manifest_id=stage.manifest_id,
            step_name=stage.step,
            step_version=stage.version,
            seconds=stage.seconds,
            is_reused=stage.is_reused,
        )
        for position, stage in enumerate(outcome.stages, start=1)
    )
    record(
        action=f"scaling.run_{run.state}",
        actor=run.requested_by,
        obj=run.study,
        after={"number": run.number, "state": run.state, "refusal": run.refusal},
    )


def settle_runs(*, study: ScalingStudy) -> None:
    """End the runs whose job ended without them: cancelled before its start, or given up."""
    for run in queries.open_runs(study):
        if run.job_id and not queries.is_under_way(run):
            cancel_run(run=run, by=None)


def end_open_runs(*, study: ScalingStudy, by: Any | None) -> None:
    """End every run of a study that waits or runs, for a caller that knows nobody works on it any more."""
    for run in queries.open_runs(study):
        cancel_run(run=run, by=by)


@transaction.atomic
def cancel_run(*, run: ScalingRun, by: Any | None) -> None:
    """End a run that has not begun, that was stopped, or whose job was given up."""
    if by is not None:
        demand(by, "run_analysis")
    kept = ScalingRun.objects.select_for_update().get(pk=run.pk)
    if kept.state in {STATE.QUEUED, STATE.RUNNING}:
        kept.state, kept.finished_at = STATE.CANCELLED, clock.now()
        kept.save(update_fields=["state", "finished_at"])
        record(action="scaling.run_cancelled", actor=by, obj=kept.study, after={"number": kept.number})
