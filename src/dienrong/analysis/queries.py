"""Reads of runs."""

from __future__ import annotations

from pathlib import Path

from django.conf import settings
from django.db.models import QuerySet

from dienrong.analysis import numeric
from dienrong.analysis.models import AnalysisRun, RunStage
from dienrong.analysis.numeric import RunRequest
from dienrong.cycles.models import Cycle
from dienrong.jobs.models import ACTIVE, Job


def store_path(cycle: Cycle) -> Path:
    """Give the folder of a cycle's store."""
    return Path(settings.STORE) / cycle.store_name


def runs_of(cycle: Cycle) -> QuerySet[AnalysisRun]:
    """List the runs of a cycle, the last first."""
    return AnalysisRun.objects.filter(cycle=cycle).select_related("requested_by")


def run_of(cycle: Cycle, number: int) -> AnalysisRun | None:
    """Give one run of a cycle."""
    return runs_of(cycle).filter(number=number).first()


def run_by_pk(pk: int) -> AnalysisRun | None:
    """Give a run by its key, as a job carries it."""
    return AnalysisRun.objects.select_related("cycle", "requested_by").filter(pk=pk).first()


def last_done(cycle: Cycle) -> AnalysisRun | None:
    """Give the newest run of a cycle that is done."""
    done = AnalysisRun.objects.filter(cycle=cycle, state=AnalysisRun.State.DONE)
    return done.order_by("-finished_at", "-pk").first()


def open_runs(cycle: Cycle) -> list[AnalysisRun]:
    """List the runs of a cycle that wait or run."""
    states = [AnalysisRun.State.QUEUED, AnalysisRun.State.RUNNING]
    return list(AnalysisRun.objects.filter(cycle=cycle, state__in=states))


def open_run(cycle: Cycle) -> AnalysisRun | None:
    """Give the run of a cycle that waits or runs."""
    return next(iter(open_runs(cycle)), None)


def is_under_way(run: AnalysisRun) -> bool:
    """Tell whether the job of a run still waits or runs."""
    return Job.objects.filter(pk=run.job_id, state__in=ACTIVE).exists()


def stages_of(run: AnalysisRun) -> list[RunStage]:
    """List what the stages of a run left."""
    return list(run.stages.all())


def manifests_of(run: AnalysisRun, stage: str) -> tuple[str, ...]:
    """Name the manifests that one stage of a run left, grade by grade."""
    rows = run.stages.filter(stage=stage).order_by("grade")
    return tuple(rows.values_list("manifest_id", flat=True))


def is_stored(run: AnalysisRun) -> bool:
    """Tell whether the store still holds every manifest of a run, whole."""
    manifests = list(run.stages.values_list("manifest_id", flat=True))
    return bool(manifests) and numeric.are_whole(store_path(run.cycle), manifests)


def request_of(run: AnalysisRun) -> RunRequest:
    """Give what a run was asked to do, as the pipeline takes it."""
    grades = tuple(run.cycle.grades.values_list("grade", flat=True))
    return RunRequest(
        size=run.size,
        seed=run.seed,
        grades=grades,
        n_schools_per_province=run.n_schools_per_province,
        n_students=run.n_students,
        suppression_rules=run.cycle.suppression_rules,
    )


def seconds_of(run: AnalysisRun) -> float | None:
    """Give how long a run took, or None while it has not ended."""
    if run.started_at is None or run.finished_at is None:
        return None
    return (run.finished_at - run.started_at).total_seconds()
