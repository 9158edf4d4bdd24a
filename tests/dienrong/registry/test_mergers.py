"""Batches of mergers: previewed with every conflict by its line, applied whole, undone as one step."""

from __future__ import annotations

from datetime import date

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from dienrong.audit.models import AuditEntry
from dienrong.core.refusals import Refusal
from dienrong.registry import operations, queries
from dienrong.registry.models import (
    AdministrativeUnit,
    MergerBatch,
    School,
    SchoolEnrolment,
    SchoolEvent,
    SchoolVersion,
)
from dienrong.registry.operations import Decision
from dienrong.registry.queries import Line
from small_cycle import nation, school_row

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("noon", "registry")]
A, B, C, SOUTH = "01000001", "01000002", "01000003", "79000001"
YEAR, JULY = "2025-2026", date(2026, 7, 1)


def hanoi() -> AdministrativeUnit:
    return AdministrativeUnit.objects.get(level="province", code="01")


def line(number: int, kind: str, codes: str, **after: str) -> Line:
    return Line(line_number=number, kind=kind, predecessor_codes=tuple(codes.split()), **after)


def batch(*lines: Line, by=None, on=JULY) -> MergerBatch:
    return operations.plan_batch(
        hanoi(),
        lines,
        title="Sắp xếp trường năm học 2026–2027",
        decision_number="12/QĐ-UBND",
        decision_date=date(2026, 6, 15),
        effective_date=on,
        by=by,
    )


def state() -> tuple:
    return (
        list(School.objects.order_by("pk").values()),
        list(SchoolVersion.objects.order_by("pk").values()),
        list(SchoolEnrolment.objects.order_by("pk").values()),
    )


NEW = {"successor_code": "01000099", "successor_name": "Trường TH Ba Đình", "commune_code": "00008"}


def test_a_batch_is_previewed_applied_and_undone(officer) -> None:
    before = state()
    made = batch(
        line(1, "merge", f"{A} {B}", **NEW), line(2, "rename", C, successor_name="Trường Mới"), by=officer
    )
    plan = queries.preview_batch(made)
    assert plan.problems == ()
    assert (plan.schools.before, plan.schools.after) == (3, 2)
    assert (plan.pupils.before, plan.pupils.after, plan.keeps_pupils) == (440, 440, True)
    assert [school.school_id for school in plan.vanishing] == [A, B]
    assert {(row.title, row.before, row.after) for row in plan.by_commune} == {
        ("Phường Ba Đình", 2, 0),
        ("Phường Ngọc Hà", 1, 2),
    }
    assert [(row.title, row.before, row.after) for row in plan.by_level] == [("TH", 3, 2)]
    assert state() == before
    operations.apply_batch(batch=made, by=officer)
    merged = School.objects.get(school_id="01000099")
    assert (merged.commune.code, merged.province.code) == ("00008", "01")
    assert [move.predecessor.school_id for move in queries.predecessors_of(merged)] == [A, B]
    rows = {row.school_id: row for row in queries.frame_on(date(2026, 11, 22), YEAR, [5, 9])}
    assert rows["01000099"].n_students == {5: 240}
    assert (rows["01000099"].joined, rows[C].name) == ((A, B), "Trường Mới")
    assert set(rows) == {"01000099", C, SOUTH}
    made.refresh_from_db()
    assert made.state == "applied"
    with pytest.raises(Refusal):
        operations.apply_batch(batch=made, by=officer)
    with pytest.raises(Refusal):
        operations.add_line(batch=made, line=line(0, "close", C), by=officer)
    with pytest.raises(Refusal):
        operations.undo_event(event=made.events.first(), by=officer)
    operations.undo_batch(batch=made, by=officer)
    assert state() == before
    made.refresh_from_db()
    assert made.state == "undone"
    assert {event.state for event in made.events.all()} == {"undone"}
    actions = set(
        AuditEntry.objects.filter(action__startswith="registry.batch").values_list("action", flat=True)
    )
    assert actions == {"registry.batch_planned", "registry.batch_applied", "registry.batch_undone"}
    operations.apply_batch(batch=made, by=officer)
    assert School.objects.filter(school_id="01000099").exists()


def test_a_closing_takes_its_pupils_out_and_says_so() -> None:
    plan = queries.preview_batch(batch(line(1, "close", C)))
    assert (plan.pupils.before, plan.pupils.after, plan.pupils_closed, plan.keeps_pupils) == (
        200,
        0,
        200,
        True,
    )


def test_one_of_the_schools_goes_on_even_if_it_is_named_as_successor_alone() -> None:
    made = batch(line(1, "merge", B, successor_code=A))
    plan = queries.preview_batch(made)
    assert (plan.problems, plan.pupils.before, plan.pupils.after) == ((), 240, 240)
    operations.apply_batch(batch=made, by=None)
    assert not School.objects.get(school_id=B).is_open
    assert queries.frame_on(JULY, YEAR, [5])[0].n_students == {5: 240}


def test_a_new_code_by_a_batch() -> None:
    made = batch(line(1, "recode", A, successor_code="01099999", successor_name="Trường TH Đổi Mã"))
    assert [school.school_id for school in queries.preview_batch(made).vanishing] == [A]
    operations.apply_batch(batch=made, by=None)
    assert queries.school_by_code(A).name == "Trường TH Đổi Mã"
    operations.undo_batch(batch=made, by=None)
    assert School.objects.get(school_id=A).name == "Trường TH Hòa Bình"


@pytest.mark.parametrize(
    ("lines", "numbers"),
    [
        ([line(1, "merge", f"{A} {B}", **NEW), line(2, "close", B)], {1, 2}),
        ([line(3, "merge", f"{A} 00000000", successor_code=A)], {3}),
        ([line(4, "close", SOUTH)], {4}),
        ([line(5, "merge", f"{A} {B}")], {5}),
        ([line(6, "merge", A, successor_code=A)], {6}),
        ([line(7, "merge", f"{A} {B}", successor_code="01000099")], {7}),
        ([line(8, "merge", f"{A} {B}", **{**NEW, "commune_code": "26734"})], {8}),
        ([line(8, "merge", f"{A} {B}", **{**NEW, "commune_code": "99999"})], {8}),
        ([line(9, "close", f"{A} {B}")], {9}),
        ([line(10, "close", A, successor_code=B)], {10}),
        ([line(11, "rename", A)], {11}),
        ([line(12, "rename", A, successor_name="X", successor_code="Y")], {12}),
        ([line(13, "recode", A, successor_code=B)], {13}),
        ([line(14, "recode", A)], {14}),
        ([line(15, "split", A)], {15}),
        ([line(16, "close", "")], {16}),
        ([line(1, "recode", A, successor_code="X"), line(2, "recode", B, successor_code="X")], {1, 2}),
    ],
)
def test_a_conflict_is_named_by_its_line_with_a_way_out_and_keeps_the_batch_from_being_applied(
    lines, numbers
) -> None:
    made = batch(*lines)
    plan = queries.preview_batch(made)
    assert {problem.line_number for problem in plan.problems} == numbers
    assert all(problem.sentence and problem.hint for problem in plan.problems)
    before = state()
    with pytest.raises(Refusal, match=str(min(numbers))):
        operations.apply_batch(batch=made, by=None)
    assert state() == before


def test_a_closed_school_a_given_up_code_and_a_later_change_are_conflicts() -> None:
    operations.close_school(school=School.objects.get(school_id=C), decision=Decision(on_date=JULY), by=None)
    operations.recode_school(
        school=School.objects.get(school_id=B), code="X9", decision=Decision(on_date=JULY), by=None
    )
    made = batch(
        line(1, "close", C),
        line(2, "close", B),
        line(3, "rename", "X9", successor_name="Khác"),
        line(4, "recode", A, successor_code=B),
    )
    problems = queries.preview_batch(made).problems
    assert {problem.line_number for problem in problems} == {1, 2, 3, 4}
    assert any("X9" in problem.hint for problem in problems if problem.line_number == 2)


def test_lines_are_added_and_taken_out_and_an_empty_batch_does_nothing(officer) -> None:
    made = batch(by=officer)
    with pytest.raises(Refusal):
        operations.apply_batch(batch=made, by=officer)
    first = operations.add_line(batch=made, line=line(0, "close", A), by=officer)
    second = operations.add_line(batch=made, line=line(0, "close", B), by=officer)
    assert (first.line_number, second.line_number) == (1, 2)
    operations.remove_line(batch=made, line_number=1, by=officer)
    assert [row.line_number for row in queries.lines_of(made)] == [2]
    operations.remove_batch(batch=made, by=officer)
    assert not MergerBatch.objects.exists()
    with pytest.raises(Refusal):
        operations.plan_batch(
            hanoi(), (), title=" ", decision_number="1", decision_date=JULY, effective_date=JULY, by=officer
        )


def test_undoing_is_refused_with_reasons_when_something_later_depends(officer) -> None:
    made = operations.apply_batch(batch=batch(line(1, "merge", f"{A} {B}", **NEW)), by=officer)
    merged = School.objects.get(school_id="01000099")
    operations.rename_school(
        school=merged, name="Khác", decision=Decision(on_date=date(2026, 8, 1)), by=officer
    )
    before = state()
    with pytest.raises(Refusal, match="01000099"):
        operations.undo_batch(batch=made, by=officer)
    assert state() == before


def test_a_stranger_can_do_nothing_with_a_batch(officer, stranger, coordinator, commune_officer) -> None:
    made = batch(line(1, "close", A), by=officer)
    for person in (stranger, coordinator, commune_officer):
        for act in (
            lambda by: batch(by=by),
            lambda by: operations.add_line(batch=made, line=line(0, "close", B), by=by),
            lambda by: operations.remove_line(batch=made, line_number=1, by=by),
            lambda by: operations.apply_batch(batch=made, by=by),
            lambda by: operations.remove_batch(batch=made, by=by),
        ):
            with pytest.raises(Refusal):
                act(person)
    operations.apply_batch(batch=made, by=officer)
    with pytest.raises(Refusal):
        operations.undo_batch(batch=made, by=stranger)
    assert SchoolEvent.objects.get().state == "applied"


def test_forty_per_cent_of_a_province_take_hardly_more_queries_than_one_line(officer) -> None:
    """Six hundred of 1,500 schools; statements may be cut into parts, questions do not grow with the lines."""
    many = tuple(school_row(f"{n:08d}", f"Trường TH số {n}", "00004") for n in range(1500))
    operations.load_nation(rows=nation(many, "sha256:many"), school_year=YEAR, by=None)
    SchoolVersion.objects.filter(valid_from=date(2026, 11, 22)).update(valid_from=date(2025, 9, 5))

    def cost(n: int, start: int) -> list[int]:
        lines = [
            line(
                k + 1,
                "merge",
                f"{start + 3 * k:08d} {start + 3 * k + 1:08d} {start + 3 * k + 2:08d}",
                successor_code=f"N{start + k:07d}" if k % 2 else f"{start + 3 * k:08d}",
                successor_name=f"Trường hợp nhất {k}",
            )
            for k in range(n)
        ]
        made = batch(*lines, by=officer)
        before = state()
        costs = []
        for act in (
            lambda: queries.preview_batch(made),
            lambda: operations.apply_batch(batch=made, by=officer),
            lambda: operations.undo_batch(batch=made, by=officer),
        ):
            with CaptureQueriesContext(connection) as asked:
                act()
            costs.append(sum(not q["sql"].startswith(("INSERT", "UPDATE", "DELETE")) for q in asked))
        assert state() == before
        return costs

    few = cost(2, 0)
    many_lines = cost(200, 600)
    assert few == many_lines
