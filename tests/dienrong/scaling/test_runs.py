"""Runs of a study: frozen requests, stages that are kept, decisions that are followed, links, comparisons."""

from __future__ import annotations

import polars as pl
import pytest

from dienrong.audit.models import AuditEntry
from dienrong.core.refusals import Conflict, NotAllowed
from dienrong.jobs import operations as jobs
from dienrong.jobs.models import Job
from dienrong.scaling import comparing, operations, pages, queries
from dienrong.scaling.models import ScalingRun
from dienrong.scaling.numeric import item_table, results
from lsakit.lineage import Store
from small_scaling import OPTIONS

pytestmark = pytest.mark.django_db
REASON = "Xem lại trong bài kiểm tra."


def decide(study, by, item: str, kind: str, *, max_score: int = 1, groups=("north", "south"), **more) -> None:
    new = operations.NewDecision(item=item, kind=kind, reason=REASON, **more)
    known = operations.KnownItem(item=item, max_score=max_score, groups=groups)
    operations.take_decision(study=study, new=new, known=known, run=None, by=by)


def reused(run: ScalingRun) -> set[str]:
    return {one.stage for one in queries.stages_of(run) if one.is_reused}


def carry_out(run: ScalingRun) -> str:
    job = Job.objects.get(pk=run.job_id)
    return jobs.run(jobs.claim(job_id=job.id, ticket=job.ticket, worker="test"), beating=False)


def test_a_run_leaves_stages_a_summary_and_audit_entries(scaled) -> None:
    stages = [one.stage for one in queries.stages_of(scaled)]
    assert stages == ["scores", "classical", "calibration", "fit", "dif", "population", "values"]
    assert (scaled.summary["n_students"], scaled.summary["n_items"]) == (900, 14)
    assert 0.5 < scaled.summary["reliability"] < 0.95
    actions = set(AuditEntry.objects.values_list("action", flat=True))
    assert {"scaling.run_requested", "scaling.run_done"} <= actions
    items = item_table(queries.store_path(scaled.study), queries.manifest_of(scaled, "calibration"))
    assert items.height == 14


def test_the_planted_item_carries_its_flag(scaled) -> None:
    rows = {row.item: row for row in pages.board_rows(scaled)}
    assert "rmsd" in rows["T03"].flags
    assert rows["T03"].rmsd == max(row.rmsd for row in rows.values())
    assert rows["T03"].label == "Phép đo số 3"


def test_the_same_request_again_computes_nothing(make_scaling) -> None:
    first, second = make_scaling(), make_scaling()
    assert second.options_hash == first.options_hash
    assert reused(second) == {one.stage for one in queries.stages_of(second)}
    assert queries.manifests_of(first) == queries.manifests_of(second)


@pytest.mark.parametrize(
    ("decision", "kept"),
    [
        ({"item": "T01", "kind": "drop"}, {"scores", "classical"}),
        (
            {"item": "M1", "kind": "collapse", "max_score": 2, "scores": {0: 0, 1: 1, 2: 1}},
            {"scores", "classical"},
        ),
        ({"item": "T03", "kind": "free", "groups_named": ["south"]}, {"scores", "classical", "dif"}),
        ({"item": "T01", "kind": "keep"}, set(OPTIONS)),
    ],
)
def test_a_decision_computes_what_depends_on_it_and_the_plan_says_so(
    make_scaling, study, ministry, decision, kept
) -> None:
    make_scaling()
    more = dict(decision)
    groups = more.pop("groups_named", None)
    if groups:
        new = operations.NewDecision(item=more["item"], kind="free", reason=REASON, groups=groups)
        known = operations.KnownItem(item=more["item"], max_score=1, groups=("north", "south"))
        operations.take_decision(study=study, new=new, known=known, run=None, by=ministry)
    else:
        decide(study, ministry, **more)
    plan, refusal = pages.plan_rows(study, OPTIONS)
    assert not refusal
    run = make_scaling()
    assert run.state == "done", run.refusal
    said = {one["title"] for one in plan if not one["is_computed"]}
    from dienrong.scaling import words

    assert said == {words.stage_title(stage) for stage in reused(run)}
    stages = {one.stage for one in queries.stages_of(run)}
    assert reused(run) == (stages if decision["kind"] == "keep" else kept & stages)


def test_a_dropped_item_is_gone_from_the_scale_and_stays_on_the_board(make_scaling, study, ministry) -> None:
    make_scaling(until="calibration")
    decide(study, ministry, "T03", "drop")
    run = make_scaling(until="calibration")
    rows = {row.item: row for row in pages.board_rows(run)}
    assert not rows["T03"].is_scaled
    assert rows["T03"].facility is not None
    assert run.summary["n_items"] == 13


def test_a_run_keeps_the_decisions_it_was_made_with(make_scaling, study, ministry) -> None:
    decide(study, ministry, "T03", "drop")
    run = make_scaling(until="calibration")
    operations.withdraw_decision(decision=queries.holding(study).get(), by=ministry)
    run.refresh_from_db()
    assert [one["item"] for one in run.decisions] == ["T03"]
    assert pages.is_changed(study, run)
    assert not pages.is_changed(study, make_scaling(until="calibration"))


def test_a_job_carries_the_run_out_and_tells_its_stages(study, frozen, ministry) -> None:
    run = operations.request_run(study=study, options={**OPTIONS, "until": "calibration"}, by=ministry)
    assert carry_out(run) == "done"
    run.refresh_from_db()
    assert run.state == "done"
    lines = list(Job.objects.get(pk=run.job_id).lines.values_list("text", flat=True))
    assert "Định cỡ câu hỏi" in " ".join(lines)


def test_cancelling_stops_between_stages_and_the_rest_is_kept(study, frozen, ministry, monkeypatch) -> None:
    from dienrong.jobs.running import JobContext

    run = operations.request_run(study=study, options={**OPTIONS, "seed": 11}, by=ministry)
    job = Job.objects.get(pk=run.job_id)
    report = JobContext.progress

    def cancel_at_the_population(self, stage: str, share: float) -> None:
        if stage == "Mô hình tổng thể":
            jobs.cancel(Job.objects.get(pk=job.pk), by=ministry)
        report(self, stage, share)

    monkeypatch.setattr(JobContext, "progress", cancel_at_the_population)
    assert carry_out(run) == "cancelled"
    run.refresh_from_db()
    assert run.state == "cancelled"
    monkeypatch.setattr(JobContext, "progress", report)
    jobs.run_again(Job.objects.get(pk=job.pk), by=ministry)
    assert carry_out(run) == "done"
    run.refresh_from_db()
    assert {"calibration", "fit", "dif"} <= reused(run)


def test_a_study_has_one_run_under_way(study, frozen, ministry) -> None:
    run = operations.request_run(study=study, options=OPTIONS, by=ministry)
    with pytest.raises(Conflict, match="Đang có một lượt"):
        operations.request_run(study=study, options=OPTIONS, by=ministry)
    jobs.cancel(Job.objects.get(pk=run.job_id), by=ministry)
    again = operations.request_run(study=study, options=OPTIONS, by=ministry)
    run.refresh_from_db()
    assert (run.state, again.state) == ("cancelled", "queued")


def test_a_run_without_data_is_refused(study, ministry) -> None:
    with pytest.raises(Conflict, match="chưa có dữ liệu"):
        operations.request_run(study=study, options=OPTIONS, by=ministry)


@pytest.mark.parametrize(
    "wrong",
    [
        {"model": "magic"},
        {"n_values": 0},
        {"cuts": [500, 400]},
        {"reported": ["ethnicity"]},
        {"link": "concurrent"},
    ],
)
def test_options_that_no_run_can_have_are_refused_before_anything_is_written(
    study, frozen, ministry, wrong
) -> None:
    with pytest.raises((operations.OptionsRefused, Conflict)):
        operations.request_run(study=study, options={**OPTIONS, **wrong}, by=ministry)
    assert not ScalingRun.objects.exists()
    assert not Job.objects.exists()


def test_the_refusal_of_a_stage_is_told_with_its_way_out(make_scaling) -> None:
    run = make_scaling(group="ses")
    assert run.state == "failed"
    assert "ses" in run.refusal


def test_a_link_needs_something_to_link_to(study, frozen, ministry) -> None:
    with pytest.raises(Conflict, match="Không có gì để liên kết"):
        operations.request_run(study=study, options={**OPTIONS, "link": "fixed"}, by=ministry)


def test_a_second_cycle_is_linked_and_holds_the_scale(make_scaling, cycle, ministry) -> None:
    from small_scaling import MATCHING, answers, items, sent

    first = make_scaling()
    new = operations.NewStudy(title="Toán lớp 5, kỳ sau", subject="maths", grade=5, previous=first.study)
    later = operations.create_study(cycle=cycle, new=new, by=ministry)
    files = {"responses": sent("a.csv", answers(seed=8)), "items": sent("b.csv", items())}
    draft = operations.send_files(study=later, files=files, by=ministry)
    operations.freeze_data(
        data=operations.match_columns(data=draft, matching=MATCHING, by=ministry), by=ministry
    )
    run = operations.request_run(
        study=later, options={**OPTIONS, "link": "fixed"}, by=ministry, in_background=False
    )
    operations.execute_run(run, progress=lambda _text, _share: None)
    assert run.state == "done", run.refusal
    assert run.linked_to == first
    path, manifests = queries.store_path(later), queries.manifests_of(run)
    scale = results.record(path, manifests, "values", "scale")
    held = results.record(path, queries.manifests_of(first), "values", "scale")
    assert scale["held"]
    # The line is held digit for digit: nothing is estimated anew.
    assert (scale["slope"], scale["intercept"]) == (held["slope"], held["intercept"])
    assert run.summary["link_n_common"] == 14


def test_a_study_without_a_done_run_cannot_be_continued(study, cycle, ministry) -> None:
    new = operations.NewStudy(title="Kỳ sau", subject="maths", previous=study)
    with pytest.raises(Conflict, match="chưa có lượt nào xong"):
        operations.create_study(cycle=cycle, new=new, by=ministry)


def test_what_changed_names_options_decisions_items_and_stages(make_scaling, study, ministry) -> None:
    old = make_scaling()
    decide(study, ministry, "T03", "drop")
    new = make_scaling(rmsd_threshold=0.1)
    found = comparing.compare(old, new)
    assert [one["old"] for one in found["options"]] == ["0,12"]
    assert [one["item"] for one in found["taken"]] == ["T03"]
    assert found["found"].left == ("T03",)
    assert found["found"].n_common == 13
    same = {one["title"]: one["is_same"] for one in found["stages"]}
    assert same["Chấm điểm"]
    assert not same["Định cỡ câu hỏi"]
    assert comparing.compare(new, new)["found"].largest == 0.0


def test_means_of_values_stand_side_by_side(make_scaling, study, ministry) -> None:
    """Against the weighted means of the values themselves; same arithmetic through a line of the scale, 1e-9."""
    old = make_scaling(dif_by=[])
    decide(study, ministry, "T03", "drop")
    new = make_scaling(dif_by=[], reported=[], conditioning=[], reference_group="north")
    third = make_scaling(dif_by=[], reference_group="north", scale_mean=250.0)
    path = queries.store_path(study)

    def mean(run: ScalingRun, **which: str) -> float:
        values = results.table(path, queries.manifests_of(run), "values", "scaled_values")
        students = Store(path, create=False).table(run.data.artefacts["students"]["hash"])
        joined = values.join(students, on="student_id").with_columns(pl.col("weight").cast(pl.Float64))
        # Senate weights: each region counts the same.
        joined = joined.with_columns(w=pl.col("weight") / pl.col("weight").sum().over("region"))
        for name, level in which.items():
            joined = joined.filter(pl.col(name) == level)
        w = joined["w"].to_numpy()
        names = [name for name in joined.columns if name.startswith("PV")]
        return float((w @ joined.select(names).to_numpy() / w.sum()).mean())

    found = comparing.compare(old, third)["found"].means
    wanted = {
        ("", ""): {},
        ("region", "north"): {"region": "north"},
        ("region", "south"): {"region": "south"},
        ("gender", "F"): {"gender": "F"},
        ("gender", "M"): {"gender": "M"},
    }
    assert {(one["variable"], one["level"]) for one in found} == set(wanted)
    assert (found[0]["variable"], found[0]["n"]) == ("", 900)
    for one in found:
        which = wanted[(one["variable"], one["level"])]
        assert one["old"] == pytest.approx(mean(old, **which), rel=1e-9)
        assert one["new"] == pytest.approx(mean(third, **which), rel=1e-9)
        assert one["change"] == pytest.approx(one["new"] - one["old"], abs=1e-9)
    north = next(one for one in found if one["level"] == "north")
    assert north["new"] == pytest.approx(250.0, abs=1e-9)
    # Without gender in the model the second run has no such subgroup, and none is shown.
    both = comparing.compare(old, new)["found"].means
    assert {one["variable"] for one in both} == {"", "region"}
    assert comparing.compare(old, make_scaling(until="fit"))["found"].means == []


def test_values_scored_by_another_rule_leave_the_items_as_they_are(make_scaling) -> None:
    first = make_scaling()
    second = make_scaling(rule_of_values="questionnaire")
    assert second.state == "done", second.refusal
    assert reused(second) == {"classical", "calibration", "fit", "dif"}
    path = queries.store_path(second.study)
    found = results.table(path, queries.manifests_of(second), "scores", "values_responses")
    assert found is not None
    assert results.table(path, queries.manifests_of(first), "scores", "values_responses") is None


def test_a_run_on_scores_begins_with_one_rule(make_scaling, study, frozen) -> None:
    """The field is closed for scores; what the last run had would be refused with no way to change it."""
    make_scaling(rule_of_values="pisa2012_scoring", until="scores")
    assert pages.first_options(study, frozen)["rule_of_values"] == "pisa2012_scoring"
    frozen.artefacts = {"scored_responses": frozen.artefacts["raw_responses"]}
    assert pages.first_options(study, frozen)["rule_of_values"] == ""


def test_an_older_run_had_the_default_of_a_new_option(make_scaling) -> None:
    """Every run of before a release once seemed to have changed each option that came with it."""
    new = make_scaling(until="scores")
    old = make_scaling(until="scores")
    del old.options["per_group"]
    assert comparing.option_changes(old, new) == []


@pytest.mark.parametrize("who", ["officer", "coordinator", "researcher", "newcomer", "stranger"])
def test_strangers_run_nothing(request, study, frozen, ministry, who) -> None:
    person = request.getfixturevalue(who)
    with pytest.raises(NotAllowed):
        operations.request_run(study=study, options=OPTIONS, by=person)
    assert not ScalingRun.objects.exists()
    run = operations.request_run(study=study, options=OPTIONS, by=ministry)
    with pytest.raises(NotAllowed):
        operations.cancel_run(run=run, by=person)
    assert queries.run_for(person, run.pk) is None
    assert queries.run_for(ministry, run.pk) == run
