"""The background work of this room."""

from __future__ import annotations

from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from dienrong.analysis import operations, queries
from dienrong.analysis.models import AnalysisRun
from dienrong.core.refusals import Refusal
from dienrong.cycles.words import stage_title
from dienrong.jobs.kinds import job
from dienrong.jobs.running import JobCancelled, JobContext


class RunRefused(Refusal):
    """The pipeline refused; the sentence is its own."""

    code = "analysis.run_refused"


def stage_words(text: str) -> str:
    """Say in words at which stage the pipeline is: "values/grade5 · drawing" is "Plausible values, grade 5"."""
    stage, _mark, grade = text.partition(" · ")[0].partition("/grade")
    return (
        gettext("%(stage)s, grade %(grade)s") % {"stage": stage_title(stage), "grade": grade}
        if grade
        else (stage_title(stage))
    )


@job(operations.JOB_KIND, title=_("Analysis of a cycle"), permission="view_analysis")
def run_cycle(context: JobContext, *, run_id: int) -> dict[str, object]:
    """Run the pipeline for a run; after a crash the stages that are stored are reused.

    Raises
    ------
    RunRefused
        If the pipeline refuses, with its sentence.
    """
    run = queries.run_by_pk(run_id)
    if run is None:
        raise RunRefused(str(_("The run of this job is gone.")))
    try:
        operations.execute_run(run, progress=lambda text, share: context.progress(stage_words(text), share))
    except JobCancelled:
        operations.cancel_run(run=run, by=None)
        raise
    if run.state == AnalysisRun.State.FAILED:
        raise RunRefused(run.refusal)
    return {"run": run.number, "state": run.state}
