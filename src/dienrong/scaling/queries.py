"""Reads of studies, their data, decisions and runs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.db.models import Count, Q, QuerySet

from dienrong.accounts import permissions
from dienrong.analysis import queries as analysis
from dienrong.cycles.models import Cycle
from dienrong.jobs.models import ACTIVE, Job
from dienrong.scaling.models import ItemDecision, RunStage, ScalingRun, ScalingStudy, StudyData

STATE = ScalingRun.State
OPEN = (STATE.QUEUED, STATE.RUNNING)


def studies_of(cycle: Cycle) -> QuerySet[ScalingStudy]:
    """List the studies of a cycle, the last first, each with its numbers of runs and of decisions that hold."""
    return (
        ScalingStudy.objects.filter(cycle=cycle)
        .select_related("previous__cycle", "created_by")
        .annotate(
            n_runs=Count("runs", distinct=True),
            n_decisions=Count("decisions", filter=Q(decisions__withdrawn_at__isnull=True), distinct=True),
        )
        .order_by("-created_at", "-pk")
    )


def study_of(cycle: Cycle, number: int) -> ScalingStudy | None:
    """Give one study of a cycle."""
    found = ScalingStudy.objects.filter(cycle=cycle, number=number)
    return found.select_related("cycle", "previous__cycle", "created_by").first()


def possible_previous(cycle: Cycle) -> QuerySet[ScalingStudy]:
    """List the studies, of any cycle, that have a run to link to."""
    done = ScalingStudy.objects.filter(runs__state=STATE.DONE).select_related("cycle").distinct()
    return done.order_by("cycle__first_test_date", "number")


def store_path(study: ScalingStudy) -> Path:
    """Give the folder of the store in which a study keeps its artefacts: that of its cycle."""
    return analysis.store_path(study.cycle)


def data_of(study: ScalingStudy) -> StudyData | None:
    """Give the data that runs of a study use: the last that was frozen."""
    return study.data.filter(state=StudyData.State.FROZEN).select_related("frozen_by", "run").first()


def draft_of(study: ScalingStudy) -> StudyData | None:
    """Give the data that are being prepared."""
    return study.data.filter(state=StudyData.State.DRAFT).select_related("run").first()


def frozen_data(study: ScalingStudy) -> QuerySet[StudyData]:
    """List all data of a study that were frozen, the last first."""
    return study.data.filter(state=StudyData.State.FROZEN).select_related("frozen_by", "run")


def decisions_of(study: ScalingStudy, item: str = "") -> QuerySet[ItemDecision]:
    """List the decisions of a study, or of one item of it, the last first; withdrawn ones too."""
    found = ItemDecision.objects.filter(study=study).select_related("taken_by", "withdrawn_by", "run")
    return found.filter(item=item) if item else found


def holding(study: ScalingStudy) -> QuerySet[ItemDecision]:
    """List the decisions that hold."""
    return ItemDecision.objects.filter(study=study, withdrawn_at__isnull=True).select_related("taken_by")


def runs_of(study: ScalingStudy) -> QuerySet[ScalingRun]:
    """List the runs of a study, the last first."""
    return ScalingRun.objects.filter(study=study).select_related("requested_by", "data", "linked_to__study")


def run_of(study: ScalingStudy, number: int) -> ScalingRun | None:
    """Give one run of a study."""
    return runs_of(study).filter(number=number).first()


def run_by_pk(pk: int) -> ScalingRun | None:
    """Give a run by its key, as a job carries it."""
    found = ScalingRun.objects.select_related(
        "study__cycle", "data", "linked_to__study__cycle", "requested_by"
    )
    return found.filter(pk=pk).first()


def run_for(user: Any, pk: int) -> ScalingRun | None:
    """Give a run by its key, if this person may look at analyses."""
    return run_by_pk(pk) if permissions.may(user, "view_analysis") else None


def last_done(study: ScalingStudy) -> ScalingRun | None:
    """Give the newest run of a study that is done."""
    return runs_of(study).filter(state=STATE.DONE).order_by("-number").first()


def done_runs(cycle: Cycle) -> QuerySet[ScalingRun]:
    """List the runs of all studies of a cycle that are done, the last first."""
    done = ScalingRun.objects.filter(study__cycle=cycle, state=STATE.DONE)
    return done.select_related("study", "data").order_by("-finished_at", "-pk")


def open_runs(study: ScalingStudy) -> list[ScalingRun]:
    """List the runs of a study that wait or run."""
    return list(ScalingRun.objects.filter(study=study, state__in=OPEN))


def is_under_way(run: ScalingRun) -> bool:
    """Tell whether the job of a run still waits or runs."""
    return Job.objects.filter(pk=run.job_id, state__in=ACTIVE).exists()


def stages_of(run: ScalingRun) -> list[RunStage]:
    """List what the stages of a run left."""
    return list(run.stages.all())


def manifests_of(run: ScalingRun) -> dict[str, str]:
    """Name the manifest that each stage of a run left."""
    return dict(run.stages.order_by("position").values_list("stage", "manifest_id"))


def manifest_of(run: ScalingRun, stage: str) -> str:
    """Name the manifest that one stage of a run left; empty where it left none."""
    return run.stages.filter(stage=stage).values_list("manifest_id", flat=True).first() or ""


def seconds_of(run: ScalingRun) -> float | None:
    """Give how long a run took, or None while it has not ended."""
    if run.started_at is None or run.finished_at is None:
        return None
    return (run.finished_at - run.started_at).total_seconds()
