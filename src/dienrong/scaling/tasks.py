"""The background work of this room."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from dienrong.core.refusals import Refusal
from dienrong.jobs.kinds import job
from dienrong.jobs.running import JobCancelled, JobContext
from dienrong.scaling import operations, queries
from dienrong.scaling.models import ScalingRun
from dienrong.scaling.words import stage_title


class RunRefused(Refusal):
    """The scaling was refused; the sentence is lsakit's."""

    code = "scaling.run_refused"


def stage_words(text: str) -> str:
    """Say in words at which stage the scaling is: "calibration · scaling_calibration: EM" is "Calibration"."""
    return stage_title(text.partition(" · ")[0])


@job(operations.JOB_KIND, title=_("Scaling of a study"), permission="view_analysis")
def run_study(context: JobContext, *, run_id: int) -> dict[str, object]:
    """Run the scaling of a study; after a crash the stages that are stored are reused.

    Raises
    ------
    RunRefused
        If the scaling is refused, with its sentence.
    """
    run = queries.run_by_pk(run_id)
    if run is None:
        raise RunRefused(str(_("The run of this job is gone.")))
    said = ""

    def progress(text: str, share: float) -> None:
        nonlocal said
        stage = stage_words(text)
        if stage != said:
            said = stage
            context.log(stage)
        context.progress(stage, share)

    try:
        operations.execute_run(run, progress=progress)
    except JobCancelled:
        operations.cancel_run(run=run, by=None)
        raise
    if run.state == ScalingRun.State.FAILED:
        raise RunRefused(run.refusal)
    return {"run": run.number, "state": run.state}


@job("scaling.purge", title=_("Delete files that were sent for scaling and never frozen"), nightly={})
def purge(context: JobContext) -> dict[str, int]:
    """Throw away drafts of data that are older than the option says, with their files."""
    return {"drafts": operations.purge_drafts()}
