"""A run is asked for once, carried out by a job, and leaves its artefacts behind the steps."""

from __future__ import annotations

import pytest

from dienrong.analysis import numeric, operations, queries
from dienrong.analysis.models import AnalysisRun
from dienrong.audit.models import AuditEntry
from dienrong.core.refusals import Conflict, NotAllowed, Refusal
from dienrong.cycles.models import StepArtefact
from dienrong.jobs import operations as jobs
from dienrong.jobs.models import Job
from small_cycle import SEED

pytestmark = pytest.mark.django_db
OPTIONS = operations.RunOptions(size="small", seed=SEED)
SHORTER = operations.RunOptions(size="small", seed=SEED, n_students=19)


def carry_out(run: AnalysisRun) -> str:
    job = Job.objects.get(pk=run.job_id)
    return jobs.run(jobs.claim(job_id=job.id, ticket=job.ticket, worker="test"), beating=False)


def test_a_run_leaves_stages_artefacts_and_audit_entries(done_run, cycle, ministry) -> None:
    assert done_run.state == "done"
    assert done_run.software_version == numeric.SOFTWARE_VERSION
    stages = queries.stages_of(done_run)
    assert [row.stage for row in stages if row.grade is None] == [
        "nation",
        "report_vi",
        "report_en",
        "report",
    ]
    assert {row.stage for row in stages} >= {"sample", "weights", "calibration", "values", "estimates"}
    behind = StepArtefact.objects.filter(step__cycle=cycle, is_current=True)
    assert set(behind.values_list("step__number", flat=True)) >= {4, 5, 6, 8, 9, 10, 11}
    states = dict(cycle.steps.values_list("number", "state"))
    assert all(states[number] == "done" for number in (4, 5, 6, 8, 9, 10, 11))
    assert states[12] == "not_started"
    actions = set(AuditEntry.objects.values_list("action", flat=True))
    assert {"analysis.run_requested", "analysis.run_done", "cycles.artefacts_registered"} <= actions
    assert queries.is_stored(done_run)


def test_the_same_run_again_reuses_every_stage_and_gives_the_same_manifests(make_run) -> None:
    first, second = make_run(), make_run()
    assert second.number == first.number + 1
    assert second.options_hash == first.options_hash
    assert all(row.is_reused for row in queries.stages_of(second))
    pairs = [
        {(row.stage, row.grade): row.manifest_id for row in queries.stages_of(run)} for run in (first, second)
    ]
    assert pairs[0] == pairs[1]


def test_the_options_of_a_run_are_frozen_by_their_hash() -> None:
    def fingerprint(**changes) -> str:
        asked = {"size": "small", "seed": 1, "grades": (5,), **changes}
        return numeric.RunRequest(**asked).fingerprint

    assert fingerprint() == fingerprint()
    assert (
        len(
            {
                fingerprint(),
                fingerprint(seed=2),
                fingerprint(n_students=3),
                fingerprint(grades=(5, 9)),
                fingerprint(suppression_rules="naep"),
            }
        )
        == 5
    )


def test_a_job_carries_the_run_out(cycle, ministry) -> None:
    run = operations.request_run(cycle=cycle, options=OPTIONS, by=ministry)
    assert Job.objects.get(pk=run.job_id).params == {"run_id": run.pk}
    assert carry_out(run) == "done"
    run.refresh_from_db()
    assert run.state == "done"
    assert Job.objects.get(pk=run.job_id).result == {"run": run.number, "state": "done"}


def test_a_cycle_has_one_run_under_way(cycle, ministry) -> None:
    operations.request_run(cycle=cycle, options=OPTIONS, by=ministry)
    with pytest.raises(Conflict, match="đang có một lượt"):
        operations.request_run(cycle=cycle, options=OPTIONS, by=ministry)
    assert AnalysisRun.objects.count() == Job.objects.count() == 1


def test_a_run_whose_job_was_cancelled_makes_room(cycle, ministry) -> None:
    run = operations.request_run(cycle=cycle, options=OPTIONS, by=ministry)
    jobs.cancel(Job.objects.get(pk=run.job_id), by=ministry)
    again = operations.request_run(cycle=cycle, options=OPTIONS, by=ministry)
    run.refresh_from_db()
    assert (run.state, again.state) == ("cancelled", "queued")


@pytest.mark.long
def test_cancelling_stops_between_two_stages_and_the_rest_is_reused(cycle, ministry, monkeypatch) -> None:
    run = operations.request_run(cycle=cycle, options=SHORTER, by=ministry)
    job = Job.objects.get(pk=run.job_id)
    from dienrong.jobs.running import JobContext

    report = JobContext.progress

    def cancel_at_the_sample(self, stage: str, share: float) -> None:
        if stage.startswith("Mẫu trường"):
            jobs.cancel(Job.objects.get(pk=job.pk), by=ministry)
        report(self, stage, share)

    monkeypatch.setattr(JobContext, "progress", cancel_at_the_sample)
    assert carry_out(run) == "cancelled"
    run.refresh_from_db()
    assert run.state == "cancelled"
    assert not StepArtefact.objects.exists()
    monkeypatch.setattr(JobContext, "progress", report)
    jobs.run_again(Job.objects.get(pk=job.pk), by=ministry)
    assert carry_out(run) == "done"
    reused = {row.stage for row in run.stages.filter(is_reused=True)}
    assert {"nation", "frame"} <= reused
    assert "sample" not in reused


def test_the_refusal_of_the_pipeline_is_told(cycle, ministry, monkeypatch) -> None:
    run = operations.request_run(cycle=cycle, options=OPTIONS, by=ministry)
    from lsakit.errors import DesignError
    from lsakit.pipeline import cycle as pipeline

    def refuse(*_args, **_more):
        raise DesignError("The frame holds no school.", hint="Load the registry.")

    monkeypatch.setattr(pipeline, "run_cycle", refuse)
    assert carry_out(run) == "failed"
    run.refresh_from_db()
    assert run.state == "failed"
    assert run.refusal == "The frame holds no school. Load the registry."
    assert Job.objects.get(pk=run.job_id).error == run.refusal
    assert not StepArtefact.objects.exists()


def test_options_that_no_cycle_can_have_are_refused_before_anything_is_written(db, cycle, ministry) -> None:
    options = operations.RunOptions(size="small", seed=1, n_schools_per_province=1)
    with pytest.raises(Refusal, match="n_schools_per_province"):
        operations.request_run(cycle=cycle, options=options, by=ministry)
    assert not AnalysisRun.objects.exists()


def test_only_the_ministry_runs_analyses(cycle, officer, researcher) -> None:
    for person in (officer, researcher):
        with pytest.raises(NotAllowed):
            operations.request_run(cycle=cycle, options=OPTIONS, by=person)
    assert not AnalysisRun.objects.exists()


def test_the_stage_is_told_in_words() -> None:
    from dienrong.analysis.tasks import stage_words

    assert stage_words("values/grade5 · values: drawing") == "Giá trị khả dĩ, lớp 5"
    assert stage_words("report · report: done") == "Báo cáo"
