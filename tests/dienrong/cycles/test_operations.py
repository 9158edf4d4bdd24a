"""A cycle is made with its 14 steps; states move under permission and leave their mark in the log."""

from __future__ import annotations

import datetime

import pytest

from dienrong.audit.models import AuditEntry
from dienrong.core.refusals import Conflict, NotAllowed, Refusal
from dienrong.cycles import operations
from dienrong.cycles.models import Cycle, CycleStep, StepArtefact
from dienrong.cycles.procedure import STEPS, step_number

pytestmark = pytest.mark.django_db


def output(stage: str, role: str, manifest: str = "m1", grade: int | None = 5) -> operations.StageOutput:
    return operations.StageOutput(
        stage=stage,
        grade=grade,
        role=role,
        kind="table",
        manifest_id=manifest,
        artefact_hash=f"sha256:{manifest}{role}",
        n_rows=3,
        n_bytes=100,
        step_version="1",
    )


def test_a_cycle_has_the_fourteen_steps_of_the_procedure(cycle) -> None:
    steps = list(cycle.steps.all())
    assert [step.number for step in steps] == list(range(1, 15))
    assert steps[3].name_vi == "Xây dựng cơ sở dữ liệu để chọn mẫu"
    assert steps[8].name_vi == "Chấm bài, nhập dữ liệu, làm sạch dữ liệu"
    assert {step.state for step in steps} == {"not_started"}
    assert steps[12].due_date == datetime.date(2026, 4, 20) + datetime.timedelta(weeks=32)
    assert all(step.purpose_vi and step.purpose_en and step.name_en for step in steps)
    assert len(STEPS) == 14


def test_the_same_cycle_is_made_once(cycle) -> None:
    new = operations.NewCycle(
        slug=cycle.slug, name_vi="x", name_en="x", school_year="2025-2026",
        first_test_date=cycle.first_test_date, grades=(5, 9, 11), subjects=(),
    )  # fmt: skip
    assert operations.create_cycle(programme=cycle.programme, new=new, by=None).pk == cycle.pk
    assert Cycle.objects.count() == 1
    assert list(cycle.grades.values_list("grade", flat=True)) == [5]
    assert AuditEntry.objects.filter(action="cycles.cycle_created").count() == 1


def test_grades_are_data(cycle) -> None:
    new = operations.NewCycle(
        slug="ba-khoi", name_vi="Ba khối", name_en="Three grades", school_year="2024-2025",
        first_test_date=datetime.date(2025, 4, 1), grades=(5, 9, 11), subjects=(),
    )  # fmt: skip
    made = operations.create_cycle(programme=cycle.programme, new=new, by=None)
    assert list(made.grades.values_list("grade", flat=True)) == [5, 9, 11]


def test_a_change_and_its_audit_entry_come_together(cycle, ministry) -> None:
    step = cycle.steps.get(number=7)
    operations.change_step(step=step, state="in_progress", note=" Đợt  1 ", by=ministry)
    step.refresh_from_db()
    assert (step.state, step.note, step.changed_by) == ("in_progress", "Đợt 1", ministry)
    entry = AuditEntry.objects.get(action="cycles.step_changed")
    assert entry.actor == ministry
    assert entry.before == {"state": "not_started", "note": ""}
    assert entry.after == {"state": "in_progress", "note": "Đợt 1"}


def test_the_same_state_again_leaves_no_mark(cycle, ministry) -> None:
    step = cycle.steps.get(number=7)
    operations.change_step(step=step, state="not_started", note="", by=ministry)
    assert not AuditEntry.objects.filter(action="cycles.step_changed").exists()


def test_only_the_ministry_moves_steps(cycle, officer, researcher, newcomer) -> None:
    step = cycle.steps.get(number=7)
    for person in (officer, researcher, newcomer):
        with pytest.raises(NotAllowed) as refused:
            operations.change_step(step=step, state="done", note="", by=person)
        assert "Chuyên gia của Bộ" in refused.value.who_may
    step.refresh_from_db()
    assert step.state == "not_started"
    assert not AuditEntry.objects.filter(action="cycles.step_changed").exists()


def test_an_unknown_state_is_refused_with_the_known_ones(cycle, ministry) -> None:
    with pytest.raises(Refusal, match="Đã xong"):
        operations.change_step(step=cycle.steps.get(number=1), state="finished", note="", by=ministry)


def test_two_people_do_not_overwrite_each_other_unseen(noon, cycle, ministry) -> None:
    step = cycle.steps.get(number=2)
    operations.change_step(step=step, state="in_progress", note="", by=ministry, seen_at=None)
    with pytest.raises(Conflict):
        operations.change_step(step=step, state="done", note="", by=ministry, seen_at=None)
    operations.change_step(step=step, state="done", note="", by=ministry, seen_at=noon)
    step.refresh_from_db()
    assert step.state == "done"


@pytest.mark.parametrize(
    ("stage", "role", "number"),
    [
        ("nation", "schools", 4), ("frame", "frame", 4), ("sample", "drawn", 5), ("nation", "trend_items", 6),
        ("nation", "booklets", 6), ("administration", "raw_responses", 8), ("scoring", "scored_responses", 9),
        ("calibration", "item_parameters", 10), ("values", "plausible_values", 10), ("report", "national_vi_pdf", 11),
    ],
)  # fmt: skip
def test_each_output_stands_behind_its_step(stage: str, role: str, number: int) -> None:
    assert step_number(stage, role) == number


def test_artefacts_of_a_later_run_replace_and_keep_those_before(cycle, ministry) -> None:
    first = [output("frame", "frame"), output("sample", "drawn")]
    assert operations.register_artefacts(cycle=cycle, outputs=first, by=ministry) == 2
    operations.register_artefacts(cycle=cycle, outputs=[output("frame", "frame", "m2")], by=ministry)
    current = StepArtefact.objects.filter(is_current=True)
    assert [row.manifest_id for row in current] == ["m2"]
    assert StepArtefact.objects.count() == 3
    operations.register_artefacts(cycle=cycle, outputs=first, by=ministry)
    assert StepArtefact.objects.count() == 3
    assert {row.manifest_id for row in StepArtefact.objects.filter(is_current=True)} == {"m1"}


def test_artefacts_mark_their_step_as_done_unless_a_person_spoke(cycle, ministry) -> None:
    operations.change_step(step=cycle.steps.get(number=5), state="attention", note="", by=ministry)
    operations.register_artefacts(
        cycle=cycle, outputs=[output("frame", "frame"), output("sample", "drawn")], by=None
    )
    states = dict(cycle.steps.values_list("number", "state"))
    assert (states[4], states[5], states[6]) == ("done", "attention", "not_started")
    assert CycleStep.objects.get(cycle=cycle, number=4).changed_at is not None
